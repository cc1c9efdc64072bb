"use strict";
// One run with its full pictures.

function showViewer(now) {
  const viewer = byId("viewer");
  const row = now.has("run") ? byRun.get(Number(now.get("run"))) : undefined;
  if (!row) {
    if (viewer.open) viewer.close();
    return;
  }
  const pictures = row.pictures;
  const chosen = Math.max(0, pictures.findIndex((picture) => picture.name === (now.get("picture") ?? now.get("show"))));
  byId("viewer-title").textContent = "run " + row.run;
  byId("viewer-facts").replaceChildren(...listFacts(describe(row)));
  byId("viewer-failure").textContent = row.reason === null ? "" : `${row.reason}: ${row.message}`;
  const picture = byId("viewer-picture");
  const link = byId("viewer-link");
  if (pictures.length) {
    const address = folderOf(row) + pictures[chosen].path;
    if (picture.getAttribute("src") !== address) picture.src = address;
    link.href = address;
    picture.alt = pictures[chosen].name;
  } else {
    picture.removeAttribute("src");
    picture.alt = "";
    link.removeAttribute("href");
  }
  link.hidden = !pictures.length;
  byId("viewer-modes").replaceChildren(...pictures.map((entry, index) => {
    const button = pressable("", () => changeState({ picture: [entry.name] }), {});
    const image = buildThumbnail(row, "");
    cropStrip(image, index, pictures.length);
    button.title = entry.name;
    button.append(image, entry.name);
    button.setAttribute("aria-pressed", index === chosen);
    return button;
  }));
  showOverlay(row, now.getAll("over"));
  if (!viewer.open) viewer.showModal();
  if (!viewer.contains(document.activeElement) || document.activeElement === document.body) byId("viewer-title").focus();
}

"use strict";
// The fragment after # holds the whole state (show, run, picture, axis.<name>), so that it can be bookmarked.
const byId = (id) => document.getElementById(id);
const sets = JSON.parse(byId("picture-sets").textContent);
const cards = [...document.querySelectorAll(".run")];
const axes = [...document.querySelectorAll(".axis")];
const places = new Map(cards.map((card) => [card, card.dataset.place.split(" ")]));
const picturesOf = (card) => sets[card.dataset.set];
const numberOf = (card) => card.id.slice(1);
const readState = () => new URLSearchParams(location.hash.slice(1));

function changeState(change) {
  const next = readState();
  for (const [name, values] of Object.entries(change)) {
    next.delete(name);
    for (const value of values) next.append(name, value);
  }
  const hash = next.toString();
  history.replaceState(null, "", hash ? "#" + hash : location.pathname + location.search);
  update();
}

function cropStrip(image, index, length) {
  image.style.objectPosition = length > 1 ? `${(100 * index) / (length - 1)}% 0` : "0 0";
}

function filterCards(now) {
  const wanted = axes
    .map((axis) => [axis, now.getAll("axis." + axis.dataset.name)])
    .filter(([, values]) => values.length);
  for (const card of cards) {
    card.hidden = !wanted.every(([axis, values]) => values.includes(places.get(card)[axis.dataset.column]));
  }
  for (const axis of axes) {
    const chosen = now.getAll("axis." + axis.dataset.name);
    const list = axis.querySelector("select");
    if (list) list.value = chosen[0] ?? "";
    for (const button of axis.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", chosen.includes(button.value));
    }
  }
  const shown = cards.filter((card) => !card.hidden).length;
  byId("count").textContent = shown === cards.length ? `${shown} run${shown === 1 ? "" : "s"}` : `${shown} of ${cards.length} runs`;
  byId("clear").hidden = !wanted.length;
  byId("empty").hidden = shown > 0;
}

function showMode(name) {
  byId("runs").classList.toggle("single", Boolean(name));
  for (const button of document.querySelectorAll("#show button")) {
    button.setAttribute("aria-pressed", button.dataset.show === name);
  }
  for (const card of cards) {
    const pictures = picturesOf(card);
    const index = pictures.findIndex((picture) => picture.name === name);
    card.classList.toggle("lacks", Boolean(name) && index < 0);
    if (index >= 0) cropStrip(card.querySelector("img"), index, pictures.length);
  }
}

function showViewer(now) {
  const viewer = byId("viewer");
  const card = byId("r" + now.get("run"));
  if (!card || !now.has("run")) {
    if (viewer.open) viewer.close();
    return;
  }
  const pictures = picturesOf(card);
  const chosen = Math.max(0, pictures.findIndex((picture) => picture.name === (now.get("picture") ?? now.get("show"))));
  const folder = card.querySelector("img").getAttribute("src").replace(/thumb\.webp$/, "");
  byId("viewer-title").textContent = "run " + numberOf(card);
  byId("viewer-facts").replaceChildren(...[...card.querySelectorAll("dl > div")].map((fact) => fact.cloneNode(true)));
  const picture = byId("viewer-picture");
  if (pictures.length) {
    picture.src = byId("viewer-link").href = folder + pictures[chosen].path;
    picture.alt = pictures[chosen].name;
  } else {
    picture.removeAttribute("src");
    byId("viewer-link").href = folder;
  }
  byId("viewer-modes").replaceChildren(...pictures.map((entry, index) => {
    const button = document.createElement("button");
    const image = document.createElement("img");
    button.type = "button";
    image.src = folder + "thumb.webp";
    image.alt = "";
    cropStrip(image, index, pictures.length);
    button.append(image, entry.name);
    button.setAttribute("aria-pressed", index === chosen);
    button.addEventListener("click", () => changeState({ picture: [entry.name] }));
    return button;
  }));
  if (!viewer.open) viewer.showModal();
  if (!viewer.contains(document.activeElement) || document.activeElement === document.body) byId("viewer-title").focus();
}

function update() {
  const now = readState();
  filterCards(now);
  showMode(now.get("show") ?? "");
  showViewer(now);
}

function findNeighbour(items, current, by) {
  return items[(items.indexOf(current) + by + items.length) % items.length];
}

function handleKey(event) {
  const now = readState();
  const card = byId("r" + now.get("run"));
  if (!card) return;
  const names = picturesOf(card).map((picture) => picture.name);
  const current = names.includes(byId("viewer-picture").alt) ? byId("viewer-picture").alt : names[0];
  const shown = cards.filter((other) => !other.hidden || other === card);
  const along = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const across = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (along && names.length) changeState({ picture: [findNeighbour(names, current, along)] });
  if (across) changeState({ run: [numberOf(findNeighbour(shown, card, across))] });
  if (along || across) event.preventDefault();
}

for (const button of document.querySelectorAll("#show button")) {
  button.addEventListener("click", () => changeState({ show: button.dataset.show ? [button.dataset.show] : [] }));
}
for (const axis of axes) {
  const name = "axis." + axis.dataset.name;
  axis.addEventListener("click", ({ target }) => {
    if (target.tagName !== "BUTTON") return;
    const chosen = readState().getAll(name);
    changeState({ [name]: chosen.includes(target.value) ? chosen.filter((value) => value !== target.value) : [...chosen, target.value] });
  });
  axis.addEventListener("change", ({ target }) => changeState({ [name]: target.value ? [target.value] : [] }));
}
byId("clear").addEventListener("click", () => changeState(Object.fromEntries(axes.map((axis) => ["axis." + axis.dataset.name, []]))));
byId("runs").addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  changeState({ run: [numberOf(link.closest(".run"))], picture: [] });
});
byId("viewer").addEventListener("keydown", handleKey);
byId("viewer").addEventListener("close", () => {
  const run = readState().get("run");
  if (!run) return;
  changeState({ run: [], picture: [] });
  byId("r" + run)?.querySelector("a").focus();
});
byId("close").addEventListener("click", () => byId("viewer").close());
byId("viewer-picture").addEventListener("load", ({ target }) => target.classList.toggle("coarse", target.naturalWidth < 400));
window.addEventListener("hashchange", update);
update();

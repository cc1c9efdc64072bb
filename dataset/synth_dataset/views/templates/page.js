"use strict";
// The page of a dataset: its rows come from scripts beside the page, since a page that is opened from disk may not fetch,
// or from the server of a live page. The scripts of the page share their names; this one is the last.

const POLL_MS = 2000;

function update() {
  const now = readState();
  select(now);
  measure(now);
  showControls(now);
  showCounts();
  draw();
  showViewer(now);
}

/** Update after rows were added: the card at the top of the window stays where it is. */
function updateInPlace() {
  const anchored = scrollY > topOfRuns() - barHeight() ? [...cards].map(([row, card]) => [row, card.getBoundingClientRect().top]).filter(([, top]) => top >= barHeight()).sort((one, other) => one[1] - other[1])[0] : undefined;
  buildControls();
  update();
  const position = anchored ? list.indexOf(anchored[0]) : -1;
  if (position >= 0) {
    const top = Math.floor(position / place.columns) * place.height;
    scrollTo(0, scale() === 1 ? topOfRuns() + top - anchored[1] : topOfRuns() + top / scale());
    draw();
  }
}

const isLoading = () => !head.live && loaded < head.pieces;

async function loadPieces() {
  const names = Array.from({ length: head.pieces }, (_, piece) => `gallery/runs-${String(piece).padStart(5, "0")}.js`);
  const scripts = names.map((name) => loadScript(name).catch((error) => { byId("state").textContent = `${error.message}: the page lacks runs`; loaded += 1; }));
  let drawnAt = 0;
  for (const script of scripts) {
    await script;
    if (loaded === 1 || performance.now() - drawnAt > 1000) {
      updateInPlace();
      drawnAt = performance.now();
    }
  }
  drawSizes();
  updateInPlace();
  document.documentElement.dataset.ready = "";
}

async function poll(received, attempt) {
  let wait = POLL_MS;
  try {
    const answer = await fetch(`gallery/rows.json?${new URLSearchParams({ after: received, attempt })}`);
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    const news = await answer.json();
    if (news.attempt !== attempt) {
      location.reload();
      return;
    }
    for (const piece of news.pieces) add(piece);
    if (news.pieces.length) {
      drawSizes();
      updateInPlace();
    }
    received = news.received;
    byId("state").textContent = news.state;
    if (news.more) wait = 0;
  } catch (error) {
    byId("state").textContent = `synth gallery --watch does not answer: ${error.message}`;
  }
  setTimeout(poll, wait, received, attempt);
}

byId("search").addEventListener("input", ({ target }) => changeState({ q: target.value ? [target.value] : [] }));
byId("sort").addEventListener("change", ({ target }) => changeState({ sort: target.value ? [target.value] : [] }));
byId("descending").addEventListener("click", () => changeState({ order: readState().get("order") === "descending" ? [] : ["descending"] }));
byId("clear").addEventListener("click", () => changeState(Object.fromEntries([...readState().keys()].filter(isFilter).map((name) => [name, []]))));
byId("runs").addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  current = link.closest(".run").row;
  changeState({ run: [current.run], picture: [] });
});
byId("runs").addEventListener("focusin", ({ target }) => {
  const row = target.closest(".run")?.row;
  if (!row || row === current) return;
  current = row;
  draw();
});
for (const button of document.querySelectorAll("[data-overlay]")) button.addEventListener("click", () => toggle("over", button.dataset.overlay));
byId("viewer").addEventListener("keydown", handleViewerKey);
byId("viewer").addEventListener("close", () => {
  const row = byRun.get(Number(readState().get("run")));
  if (!row) return;
  changeState({ run: [], picture: [] });
  focusRow(list.includes(row) ? row : current);
});
byId("close").addEventListener("click", () => byId("viewer").close());
byId("viewer-picture").addEventListener("error", explainPicture);
byId("viewer-picture").addEventListener("load", ({ target }) => target.classList.toggle("coarse", target.naturalWidth < 400));
document.addEventListener("keydown", handleKey);
addEventListener("hashchange", update);
addEventListener("resize", update);
addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });

globalThis.synthGallery = { add, addMasks, addThumbnail };
buildControls();
update();
if (head.live) poll(0, head.live);
else loadPieces();

"use strict";
// Cards of the selected rows. Only those in view are in the document.

const GAP = 16;
const SPARE = 600; // px of cards above and below the window
const MAX_HEIGHT = 15e6; // px; browsers cut off taller pages, which scroll at a scale then

let current = null; // the row that Tab reaches
const place = { columns: 1, width: 0, picture: 0, height: 0, lines: 0, full: 0, tall: 0 };
const cards = new Map(); // row -> element in the document

function measure(now) {
  const runs = byId("runs");
  const single = Boolean(now.get("show")) || totals.longest === 1;
  const least = Math.min(single ? 210 : 540, runs.clientWidth);
  place.columns = Math.max(1, Math.floor((runs.clientWidth + GAP) / (least + GAP)));
  place.width = (runs.clientWidth - GAP * (place.columns - 1)) / place.columns;
  place.picture = place.width / (single ? 1 : totals.longest);
  place.height = place.picture + (single ? 132 : 84) + GAP;
  place.lines = Math.ceil(list.length / place.columns);
  place.full = place.lines * place.height;
  place.tall = Math.min(place.full, MAX_HEIGHT);
  runs.style.height = place.tall + "px";
  runs.classList.toggle("single", single);
}

// A page taller than MAX_HEIGHT moves by more than a pixel of cards for each pixel of its scroll bar.
const scale = () => (place.full > place.tall ? (place.full - innerHeight) / (place.tall - innerHeight) : 1);
const topOfRuns = () => byId("runs").getBoundingClientRect().top + scrollY;
const barHeight = () => (getComputedStyle(byId("search").closest(".bar")).position === "sticky" ? byId("search").closest(".bar").offsetHeight : 0);

function draw() {
  const runs = byId("runs");
  const offset = Math.min(Math.max(0, scrollY - topOfRuns()), Math.max(0, place.tall - innerHeight));
  const shift = offset * scale() - offset; // px of cards that the scroll bar does not show
  const first = Math.max(0, Math.floor((offset + shift - SPARE) / place.height)) * place.columns;
  const last = Math.ceil((offset + shift + innerHeight + SPARE) / place.height) * place.columns;
  const wanted = new Map(list.slice(first, last).map((row, index) => [row, first + index]));
  const focused = document.activeElement?.closest?.(".run");
  if (focused && !wanted.has(focused.row)) {
    const position = list.indexOf(focused.row);
    if (position >= 0) wanted.set(focused.row, position);
  }
  for (const [row, card] of cards) {
    if (wanted.has(row)) continue;
    card.remove();
    cards.delete(row);
  }
  if (!wanted.has(current)) current = list[Math.min(list.length - 1, Math.ceil((offset + shift) / place.height) * place.columns)] ?? null;
  const show = readState().get("show");
  for (const [row, position] of wanted) {
    let card = cards.get(row);
    if (!card) {
      card = buildCard(row);
      cards.set(row, card);
      runs.append(card);
    }
    card.style.transform = `translate(${(position % place.columns) * (place.width + GAP)}px, ${Math.floor(position / place.columns) * place.height - shift}px)`;
    card.style.width = place.width + "px";
    card.style.height = place.height - GAP + "px";
    card.setAttribute("aria-posinset", position + 1);
    card.setAttribute("aria-setsize", list.length);
    card.querySelector("a").tabIndex = row === current ? 0 : -1;
    showPicture(card, row, show);
    showHistogram(card, row);
  }
  sortCards(runs, wanted);
}

// Readers and Tab follow the order of the document.
function sortCards(runs, wanted) {
  let next = runs.firstChild;
  for (const [row] of [...wanted].sort((one, other) => one[1] - other[1])) {
    const card = cards.get(row);
    if (card === next) next = next.nextSibling;
    else if (!card.contains(document.activeElement)) runs.insertBefore(card, next);
  }
}

function showPicture(card, row, show) {
  const image = card.querySelector("img");
  const index = row.pictures.findIndex((picture) => picture.name === show);
  card.classList.toggle("lacks", Boolean(show) && index < 0);
  if (!image) return;
  image.style.width = show ? place.picture + "px" : place.picture * Math.max(1, row.pictures.length) + "px";
  image.style.height = place.picture + "px";
  if (show) cropStrip(image, Math.max(0, index), row.pictures.length);
  else image.style.objectPosition = "";
}

function cropStrip(image, index, length) {
  image.style.objectPosition = length > 1 ? `${(100 * index) / (length - 1)}% 0` : "0 0";
}

function buildCard(row) {
  const pairs = describe(row);
  const card = element("article", { className: "run", id: "r" + row.run });
  const link = element("a");
  card.row = row;
  card.setAttribute("role", "listitem");
  link.setAttribute("aria-label", [`run ${row.run}`, row.reason, ...pairs.map((pair) => pair.join(" "))].filter(Boolean).join(", "));
  if (row.reason === null) {
    link.href = folderOf(row) + (row.pictures[0]?.path ?? "");
    const names = row.pictures.map((picture) => picture.name).join(", ");
    link.append(buildThumbnail(row, `run ${row.run}: ${names}`));
  } else {
    link.href = "#" + new URLSearchParams({ run: row.run });
    card.classList.add("failed");
    link.append(element("strong", { textContent: row.reason }), element("span", { textContent: row.message }));
  }
  const facts = element("div", { className: "facts" }, element("h2", { textContent: "run " + row.run }), element("dl", {}, ...listFacts(pairs)));
  if (row.bars) facts.append(buildHistogram(RUN_HISTOGRAM));
  card.append(link, facts);
  return card;
}

function focusRow(row) {
  if (!row) return;
  current = row;
  reveal(row);
  draw();
  cards.get(row)?.querySelector("a").focus({ preventScroll: true });
  draw();
}

/** Scroll until the card of a row is in the window. */
function reveal(row) {
  const position = list.indexOf(row);
  if (position < 0) return;
  const top = (Math.floor(position / place.columns) * place.height) / scale() + topOfRuns();
  const visible = innerHeight - barHeight() - place.height;
  if (top < scrollY + barHeight()) scrollTo(0, top - barHeight() - GAP);
  else if (top > scrollY + barHeight() + visible) scrollTo(0, top - barHeight() - Math.max(0, visible));
}

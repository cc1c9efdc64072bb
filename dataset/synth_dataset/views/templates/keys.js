"use strict";
// What keys do, in the gallery and in an open run.

const neighbour = (items, item, by) => items[(items.indexOf(item) + by + items.length) % items.length];

function handleViewerKey(event) {
  const row = byRun.get(Number(readState().get("run")));
  if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
  const names = row.pictures.map((picture) => picture.name);
  const shown = names.includes(byId("viewer-picture").alt) ? byId("viewer-picture").alt : names[0];
  const along = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const across = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const layer = { m: "masks", b: "boxes" }[event.key];
  if (along && names.length) changeState({ picture: [neighbour(names, shown, along)] });
  if (across) changeState({ run: [neighbour(list.includes(row) ? list : [row, ...list], row, across).run] });
  if (layer) toggle("over", layer);
  if (along || across || layer) event.preventDefault();
}

function handleKey(event) {
  if (byId("viewer").open || event.ctrlKey || event.metaKey || event.altKey) return;
  const isInput = event.target.matches?.("input, select");
  if (event.key === "/" && !isInput) {
    event.preventDefault();
    byId("search").focus();
    byId("search").select();
  }
  if (event.key === "Escape" && event.target === byId("search")) {
    changeState({ q: [] });
    focusRow(current);
  }
  const card = event.target.closest?.(".run");
  if (!card) return;
  const page = place.columns * Math.max(1, Math.floor((innerHeight - barHeight()) / place.height));
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -place.columns, ArrowDown: place.columns, PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  focusRow(list[Math.min(list.length - 1, Math.max(0, list.indexOf(card.row) + step))]);
}

"use strict";
// The rows of the dataset, which come in pieces, and what is known of all of them.

const RENDERED = "rendered";
const MAX_OPTIONS = 500; // a filter of more values is left to the search

const head = JSON.parse(byId("head").textContent);
const rows = [];
const byRun = new Map();
let loaded = 0; // pieces
const totals = { runs: 0, particles: 0, failures: 0, low: Infinity, high: -Infinity, longest: 1 };
const modes = new Set();

const textOf = (value) => (typeof value === "string" ? value : JSON.stringify(value));
const stemOf = (path) => path.replace(/\.[^.]*$/, "");
const quote = (path) => path.split("/").map(encodeURIComponent).join("/");
const folderOf = (row) => (head.root ? head.root + "/" : "") + quote(row.folder) + "/";
const counted = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
const rounded = (value) => String(Number(value.toPrecision(3)));

const facets = [
  ...head.axes.map((axis, index) => ({
    key: "axis." + axis.name, name: axis.name, title: axis.path, valueOf: (row) => row.values[index],
  })),
  { key: "split", name: "split", title: "split", valueOf: (row) => row.split },
  { key: "outcome", name: "outcome", title: "outcome", valueOf: (row) => row.reason ?? RENDERED },
];
const measures = [
  { key: "particles", name: "particles" }, { key: "visible", name: "visible particles" },
  { key: "mean", name: "mean diameter" }, { key: "seconds", name: "seconds" },
].map((measure) => ({ ...measure, title: measure.name, valueOf: (row) => row[measure.key] }));
for (const facet of facets) Object.assign(facet, { values: new Map(), numbers: true, drawn: -1 });
const keyed = new Map([...facets, ...measures].map((entry) => [entry.key, entry]));

function add(piece) {
  const sets = (piece.sets ?? []).map((paths) => paths.map((path) => ({ path: quote(path), name: stemOf(path) })));
  for (const pictures of sets) {
    totals.longest = Math.max(totals.longest, pictures.length);
    for (const picture of pictures) modes.add(picture.name);
  }
  const pick = (name, index) => piece[name]?.[index] ?? null;
  for (let index = 0; index < piece.run.length; index += 1) {
    addRow({
      run: piece.run[index], values: piece.values.map((column) => column[index]), seed: pick("seed", index),
      particles: pick("particles", index), visible: pick("visible", index), seconds: pick("seconds", index),
      split: pick("split", index), folder: pick("folder", index), pictures: sets[pick("set", index)] ?? [],
      mean: pick("mean", index), low: pick("low", index), high: pick("high", index), bars: pick("bars", index),
      reason: pick("reason", index), message: pick("message", index),
    });
  }
  loaded += 1;
}

function addRow(row) {
  const before = byRun.get(row.run);
  if (before) { // a failed run that was rendered after all
    rows.splice(rows.indexOf(before), 1);
    totals.failures -= 1;
  }
  rows.push(row);
  byRun.set(row.run, row);
  if (row.reason === null) {
    totals.runs += 1;
    totals.particles += row.particles;
    if (row.bars) {
      totals.low = Math.min(totals.low, row.low);
      totals.high = Math.max(totals.high, row.high);
    }
  } else totals.failures += 1;
  for (const facet of facets) {
    const value = facet.valueOf(row);
    if (value === null || facet.values.size > MAX_OPTIONS) continue;
    facet.values.set(textOf(value), value);
    facet.numbers &&= typeof value === "number";
  }
}

function describe(row) {
  const facts = head.axes.map((axis, index) => [axis.name, row.values[index]]).filter(([, value]) => value !== null);
  const pairs = facts.map(([name, value]) => [name, textOf(value)]);
  if (row.seed !== null && !head.axes.some((axis) => axis.path === "initial_runtime_state.seed")) pairs.push(["seed", String(row.seed)]);
  if (row.split !== null) pairs.push(["split", row.split]);
  if (row.particles !== null) {
    pairs.push(["particles", row.particles + (row.visible === row.particles ? "" : `, ${row.visible} visible`)]);
  }
  if (row.mean !== null) pairs.push(["mean diameter", rounded(row.mean)]);
  return pairs;
}

const findable = (row) =>
  `run ${row.run} ${row.folder ?? ""} ${describe(row).map((pair) => pair.join("=")).join(" ")} ${row.reason ?? ""} ${row.message ?? ""}`.toLowerCase();

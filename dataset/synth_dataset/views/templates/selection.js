"use strict";
// Which rows are shown, in which order. The fragment after # holds the whole state (q, sort, order, show, run, picture,
// over, axis.<name>, split, outcome, min.<name>, max.<name>), so that it can be bookmarked.

let list = []; // the rows that match, in order

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

function toggle(key, text) {
  const chosen = readState().getAll(key);
  changeState({ [key]: chosen.includes(text) ? chosen.filter((value) => value !== text) : [...chosen, text] });
}

const isFilter = (name) => name === "q" || (keyed.has(name) && !measures.includes(keyed.get(name))) || /^(min|max)\./.test(name);

function buildTests(now) {
  const tests = [];
  for (const facet of facets) {
    const wanted = new Set(now.getAll(facet.key));
    if (wanted.size) tests.push((row) => wanted.has(textOf(facet.valueOf(row))));
  }
  for (const { key, valueOf } of keyed.values()) {
    const [low, high] = [now.get("min." + key), now.get("max." + key)];
    if (low !== null) tests.push((row) => valueOf(row) !== null && valueOf(row) >= Number(low));
    if (high !== null) tests.push((row) => valueOf(row) !== null && valueOf(row) <= Number(high));
  }
  const words = (now.get("q") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length) tests.push((row) => { const text = findable(row); return words.every((word) => text.includes(word)); });
  return tests;
}

function compare(one, other) {
  if (one === other) return 0;
  if (one === null || other === null) return one === null ? 1 : -1; // without a value: last, in both directions
  if (typeof one === typeof other) return one < other ? -1 : 1;
  return textOf(one) < textOf(other) ? -1 : 1;
}

function select(now) {
  const tests = buildTests(now);
  list = rows.filter((row) => tests.every((test) => test(row)));
  const entry = keyed.get(now.get("sort"));
  const sign = now.get("order") === "descending" ? -1 : 1;
  const valueOf = entry ? entry.valueOf : (row) => row.run;
  list.sort((one, other) => {
    const [first, second] = [valueOf(one), valueOf(other)];
    const order = compare(first, second) * (first === null || second === null ? 1 : sign);
    return order || one.run - other.run;
  });
}

"use strict";
// The page of a dataset. Rows come in pieces: from scripts beside the page, since a page that is opened from disk may not
// fetch, or from the server of a live page. Only the cards in view are in the document.
// The fragment after # holds the whole state (q, sort, order, show, run, picture, over, axis.<name>, split, outcome,
// min.<name>, max.<name>), so that it can be bookmarked.
(() => {
  const GAP = 16;
  const SPARE = 600; // px of cards above and below the window
  const MAX_HEIGHT = 15e6; // px; browsers cut off taller pages, which scroll at a scale then
  const MAX_BUTTONS = 12; // a filter of more values is a list, or a range if they are numbers
  const MAX_OPTIONS = 500; // a filter of more values is left to the search
  const BINS = 24;
  const LEVELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const RUN_HISTOGRAM = [144, 30]; // px
  const DATASET_HISTOGRAM = [600, 96];
  const POLL_MS = 2000;
  const RENDERED = "rendered";

  const byId = (id) => document.getElementById(id);
  const head = JSON.parse(byId("head").textContent);
  const rows = [];
  const byRun = new Map();
  let list = []; // the rows that match, in order
  let current = null; // the row that Tab reaches
  let loaded = 0; // pieces
  const totals = { runs: 0, particles: 0, failures: 0, low: Infinity, high: -Infinity, longest: 1 };
  const modes = new Set();

  // --- rows

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

  // --- state

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

  // --- cards

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

  function element(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  const listFacts = (pairs) => pairs.map(([name, value]) => element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: value, title: value })));

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
      link.append(element("img", { src: folderOf(row) + "thumb.webp", alt: `run ${row.run}: ${names}`, decoding: "async" }));
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

  // --- histograms

  /** Counts of a run in the bins of all runs: its own bins, each spread evenly. */
  function binRun(row, into = new Float64Array(BINS)) {
    const levels = [...row.bars].map((digit) => LEVELS.indexOf(digit));
    const weight = row.particles / levels.reduce((sum, level) => sum + level, 0);
    const width = (row.high - row.low) / BINS;
    const step = (totals.high - totals.low) / BINS;
    levels.forEach((level, index) => {
      if (!level) return;
      const left = (row.low + index * width - totals.low) / step;
      const right = left + width / step;
      for (let bin = Math.floor(left); bin < right && bin < BINS; bin += 1) {
        into[Math.max(0, bin)] += (level * weight * (Math.min(right, bin + 1) - Math.max(left, bin))) / (right - left);
      }
    });
    return into;
  }

  function pathOf(counts, [width, height]) {
    const step = width / counts.length;
    const tallest = Math.max(...counts);
    return [...counts].map((count, index) => count > 1e-9
      ? `M${(index * step).toFixed(1)} ${height}v-${Math.max(1, (height * count) / tallest).toFixed(1)}h${(step - 1).toFixed(1)}V${height}z` : "").join("");
  }

  function buildHistogram(size) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", `0 0 ${size.join(" ")}`);
    svg.setAttribute("aria-hidden", "true");
    svg.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
    return svg;
  }

  /** Draw the histogram of a card again if rows have widened the range of all. */
  function showHistogram(card, row) {
    const range = `${totals.low} ${totals.high}`;
    if (!row.bars || card.range === range) return;
    card.range = range;
    card.querySelector("svg path").setAttribute("d", pathOf(binRun(row), RUN_HISTOGRAM));
  }

  function drawSizes() {
    const counts = new Float64Array(BINS);
    for (const row of rows) if (row.bars) binRun(row, counts);
    byId("sizes").hidden = totals.high < totals.low;
    if (byId("sizes").hidden) return;
    const [low, high] = [rounded(totals.low), rounded(totals.high)];
    byId("sizes").querySelector("path").setAttribute("d", pathOf(counts, DATASET_HISTOGRAM));
    byId("sizes").querySelector("svg").setAttribute("aria-label", `Histogram of particle diameters, ${low} to ${high} scene units`);
    byId("sizes-low").textContent = low;
    byId("sizes-high").textContent = high;
  }

  // --- filters

  function buildControls() {
    for (const facet of facets) buildFacet(facet);
    const wide = facets.filter((facet) => facet.numbers && facet.values.size > MAX_BUTTONS);
    buildRanges([...measures.slice(0, 3), ...wide]);
    const sortable = [["", "run"], ...measures.map((entry) => [entry.key, entry.name]), ...facets.filter((facet) => facet.values.size > 1).map((facet) => [facet.key, facet.name])];
    if (byId("sort").length !== sortable.length) {
      byId("sort").replaceChildren(...sortable.map(([value, text]) => element("option", { value, textContent: text })));
    }
    const names = [...modes];
    byId("show").hidden = names.length < 2;
    if (names.length > 1 && byId("show").querySelectorAll("button").length !== Math.min(names.length, MAX_BUTTONS) + 1) {
      const buttons = ["", ...names.slice(0, MAX_BUTTONS)].map((name) => pressable(name || "all", () => changeState({ show: name ? [name] : [] }), { show: name }));
      byId("show").replaceChildren(byId("show").querySelector("legend"), ...buttons);
    }
  }

  function pressable(text, press, data) {
    const button = element("button", { type: "button", textContent: text, title: text });
    Object.assign(button.dataset, data);
    button.addEventListener("click", press);
    return button;
  }

  function buildFacet(facet) {
    if (facet.drawn === facet.values.size) return;
    facet.drawn = facet.values.size;
    const isRange = facet.numbers && facet.values.size > MAX_BUTTONS;
    const isShown = facet.values.size > 1 && facet.values.size <= MAX_OPTIONS && !isRange;
    if (facet.field && !isShown) facet.field.hidden = true;
    if (!isShown) return;
    const texts = [...facet.values].sort((one, other) => (facet.numbers ? one[1] - other[1] : 0)).map(([text]) => text);
    if (!facet.field) {
      facet.field = element("fieldset", { className: "facet" }, element("legend", { textContent: facet.name, title: facet.title }));
      facet.field.dataset.key = facet.key;
      byId("facets").append(facet.field);
    }
    const focused = facet.field.contains(document.activeElement) ? document.activeElement.dataset.value : undefined;
    const controls = texts.length > MAX_BUTTONS ? [buildList(facet, texts)] : texts.map((text) => pressable(text, () => toggle(facet.key, text), { value: text }));
    facet.field.replaceChildren(facet.field.firstChild, ...controls);
    if (focused !== undefined) controls.find((control) => control.dataset.value === focused)?.focus();
  }

  function buildList(facet, texts) {
    const options = [["", "any"], ...texts.map((text) => [text, text])];
    const choice = element("select", {}, ...options.map(([value, text]) => element("option", { value, textContent: text })));
    choice.setAttribute("aria-label", facet.title);
    choice.dataset.value = "";
    choice.addEventListener("change", () => changeState({ [facet.key]: choice.value ? [choice.value] : [] }));
    return choice;
  }

  function toggle(key, text) {
    const chosen = readState().getAll(key);
    changeState({ [key]: chosen.includes(text) ? chosen.filter((value) => value !== text) : [...chosen, text] });
  }

  function buildRanges(entries) {
    for (const { key, name, title } of entries) {
      if (byId("ranges").querySelector(`[data-key="${CSS.escape(key)}"]`)) continue;
      const inputs = [["min", "from"], ["max", "to"]].map(([end, word]) => {
        const input = element("input", { type: "number", step: "any", placeholder: word });
        input.dataset.name = `${end}.${key}`;
        input.setAttribute("aria-label", `${title}, ${word}`);
        input.addEventListener("input", () => changeState({ [input.dataset.name]: input.value === "" ? [] : [input.value] }));
        return input;
      });
      const field = element("fieldset", { className: "range" }, element("legend", { textContent: name, title }), ...inputs);
      field.dataset.key = key;
      byId("ranges").append(field);
    }
  }

  function showControls(now) {
    const press = (button, is) => button.setAttribute("aria-pressed", is);
    for (const facet of facets) {
      const chosen = now.getAll(facet.key);
      for (const control of facet.field?.querySelectorAll("button, select") ?? []) {
        if (control.tagName === "SELECT") control.value = chosen[0] ?? "";
        else press(control, chosen.includes(control.dataset.value));
      }
    }
    const fill = (input, value) => { if (input !== document.activeElement || input.value !== value) input.value = value; };
    for (const input of byId("ranges").querySelectorAll("input")) {
      if (input !== document.activeElement) input.value = now.get(input.dataset.name) ?? "";
    }
    fill(byId("search"), now.get("q") ?? "");
    byId("sort").value = now.get("sort") ?? "";
    press(byId("descending"), now.get("order") === "descending");
    for (const button of byId("show").querySelectorAll("button")) press(button, button.dataset.show === (now.get("show") ?? ""));
    byId("clear").hidden = ![...now.keys()].some(isFilter);
  }

  function showCounts() {
    const all = list.length === rows.length;
    const sentence = all ? counted(rows.length, "run") : `${list.length.toLocaleString("en")} of ${counted(rows.length, "run")}`;
    if (byId("count").textContent !== sentence) byId("count").textContent = sentence;
    byId("empty").hidden = list.length > 0 || isLoading();
    byId("empty").textContent = rows.length ? "No run matches." : "The dataset has no runs yet.";
    const failed = element("a", { href: "#", textContent: `${totals.failures.toLocaleString("en")} failed` });
    failed.addEventListener("click", (event) => {
      event.preventDefault();
      const reasons = new Set(rows.map((row) => row.reason));
      reasons.delete(null);
      changeState({ outcome: [...reasons] });
    });
    byId("summary").replaceChildren(
      `${counted(totals.runs, "run")}, ${counted(totals.particles, "particle")}`, ...(totals.failures ? [", ", failed] : []));
  }

  // --- one run

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
      const image = element("img", { src: folderOf(row) + "thumb.webp", alt: "" });
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

  // --- masks and boxes

  const masks = { run: null, answer: null, waiting: new Map() };

  function addMasks(run, annotations) {
    masks.waiting.get(run)?.(annotations);
  }

  function loadScript(source) {
    return new Promise((resolve, reject) => {
      const script = element("script", { src: source, async: false });
      script.addEventListener("load", () => { script.remove(); resolve(); });
      script.addEventListener("error", () => { script.remove(); reject(new Error(`${source} is missing`)); });
      document.head.append(script);
    });
  }

  async function readAnnotations(row) {
    if (location.protocol !== "file:") {
      const answer = await fetch(folderOf(row) + "annotations.json");
      if (!answer.ok) throw new Error(`annotations.json: ${answer.status}`);
      return answer.json();
    }
    const piece = head.masks.findLastIndex((first) => first <= row.run);
    let found = null;
    masks.waiting.set(row.run, (annotations) => { found = annotations; });
    if (piece >= 0) await loadScript(`gallery/masks-${String(piece).padStart(5, "0")}.js`);
    masks.waiting.delete(row.run);
    if (!found) throw new Error(`a page opened from disk has the masks of the first ${counted(head.maskedRuns, "run")}; synth gallery --watch shows those of all`);
    return found;
  }

  async function showOverlay(row, layers) {
    for (const button of document.querySelectorAll("[data-overlay]")) button.setAttribute("aria-pressed", layers.includes(button.dataset.overlay));
    const canvas = byId("overlay");
    canvas.hidden = true;
    byId("overlay-state").textContent = "";
    if (!layers.length || !row.pictures.length) return;
    if (masks.run !== row.run) Object.assign(masks, { run: row.run, answer: readAnnotations(row) });
    const isCurrent = () => readState().get("run") === String(row.run) && readState().getAll("over").join() === layers.join();
    try {
      const annotations = await masks.answer;
      if (!isCurrent()) return;
      drawOverlay(canvas, annotations, layers);
      canvas.hidden = false;
      byId("overlay-state").textContent = counted(annotations.particles.length, "visible particle");
    } catch (error) {
      masks.run = null;
      if (isCurrent()) byId("overlay-state").textContent = error.message;
    }
  }

  /** Run lengths of COCO's compressed form, down the columns, background first. */
  function decodeLengths(text) {
    const lengths = [];
    for (let at = 0; at < text.length;) {
      let value = 0;
      let shift = 0;
      let digit;
      do {
        digit = text.charCodeAt(at) - 48;
        value |= (digit & 31) << shift;
        shift += 5;
        at += 1;
      } while (digit & 32);
      if (digit & 16) value |= -1 << shift;
      lengths.push(lengths.length > 2 ? value + lengths[lengths.length - 2] : value);
    }
    return lengths;
  }

  /** Particle of each pixel, from 1, row by row. */
  function paintIds({ width, height, particles }) {
    const ids = new Uint32Array(width * height);
    particles.forEach((particle, index) => {
      let position = 0;
      decodeLengths(particle.visible.counts).forEach((length, turn) => {
        if (turn % 2) {
          for (let pixel = position; pixel < position + length; pixel += 1) ids[(pixel % height) * width + Math.floor(pixel / height)] = index + 1;
        }
        position += length;
      });
    });
    return ids;
  }

  function toColor(index) { // hues that differ from those of their neighbours, by the golden angle
    const hue = (index * 137.508) % 360;
    return [0, 8, 4].map((offset) => {
      const part = (offset + hue / 30) % 12;
      return Math.round(255 * (0.58 - 0.42 * Math.max(-1, Math.min(part - 3, 9 - part, 1))));
    });
  }

  function drawOverlay(canvas, annotations, layers) {
    const { width, height, particles } = annotations;
    Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    if (layers.includes("masks")) {
      const ids = paintIds(annotations);
      const image = context.createImageData(width, height);
      ids.forEach((id, at) => {
        if (!id) return;
        const isEdge = at % width === 0 || at % width === width - 1 || ids[at - 1] !== id || ids[at + 1] !== id || ids[at - width] !== id || ids[at + width] !== id;
        image.data.set([...toColor(id), isEdge ? 255 : 90], 4 * at);
      });
      context.putImageData(image, 0, 0);
    }
    if (layers.includes("boxes")) {
      context.lineWidth = Math.max(1, Math.round(width / 600));
      particles.forEach((particle, index) => {
        const [left, top, wide, high] = particle.bbox;
        context.strokeStyle = `rgb(${toColor(index + 1).join(" ")})`;
        context.strokeRect(left + 0.5, top + 0.5, wide - 1, high - 1);
      });
    }
  }

  // --- keys

  const neighbour = (items, item, by) => items[(items.indexOf(item) + by + items.length) % items.length];

  function toggleOverlay(name) {
    toggle("over", name);
  }

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
    if (layer) toggleOverlay(layer);
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

  // --- updates

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
  for (const button of document.querySelectorAll("[data-overlay]")) button.addEventListener("click", () => toggleOverlay(button.dataset.overlay));
  byId("viewer").addEventListener("keydown", handleViewerKey);
  byId("viewer").addEventListener("close", () => {
    const row = byRun.get(Number(readState().get("run")));
    if (!row) return;
    changeState({ run: [], picture: [] });
    focusRow(list.includes(row) ? row : current);
  });
  byId("close").addEventListener("click", () => byId("viewer").close());
  byId("viewer-picture").addEventListener("load", ({ target }) => target.classList.toggle("coarse", target.naturalWidth < 400));
  document.addEventListener("keydown", handleKey);
  addEventListener("hashchange", update);
  addEventListener("resize", update);
  addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });

  globalThis.synthGallery = { add, addMasks };
  buildControls();
  update();
  if (head.live) poll(0, head.live);
  else loadPieces();
})();

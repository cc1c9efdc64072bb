"use strict";
// The controls that choose rows, and what they have chosen.

const MAX_BUTTONS = 12; // a filter of more values is a list, or a range if they are numbers

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

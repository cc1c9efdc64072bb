"use strict";
// Elements of the document: how they are found and made.

const byId = (id) => document.getElementById(id);

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const listFacts = (pairs) => pairs.map(([name, value]) => element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: value, title: value })));

function pressable(text, press, data) {
  const button = element("button", { type: "button", textContent: text, title: text });
  Object.assign(button.dataset, data);
  button.addEventListener("click", press);
  return button;
}

function loadScript(source) {
  return new Promise((resolve, reject) => {
    const script = element("script", { src: source, async: false });
    script.addEventListener("load", () => { script.remove(); resolve(); });
    script.addEventListener("error", () => { script.remove(); reject(new Error(`${source} is missing`)); });
    document.head.append(script);
  });
}

"use strict";
// Masks and boxes of the particles, drawn over the picture of a run.

const masks = { run: null, answer: null, waiting: new Map() };

function addMasks(run, annotations) {
  masks.waiting.get(run)?.(annotations);
}

async function readAnnotations(row) {
  if (location.protocol !== "file:") {
    const answer = await fetch(folderOf(row) + "annotations.json");
    if (answer.ok) return answer.json();
    if (head.live) throw new Error(`annotations.json: ${answer.status}`);
  }
  const piece = findPiece("masks", head.masks, row.run);
  let found = null;
  masks.waiting.set(row.run, (annotations) => { found = annotations; });
  if (piece) await loadScript(piece);
  masks.waiting.delete(row.run);
  if (!found) throw new Error(`the page has the masks of the first ${counted(head.maskedRuns, "run")}; synth gallery --watch shows those of all`);
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

/** Pixels of a mask, as they count row by row. */
function listPixels(mask, width, height) {
  const pixels = [];
  let position = 0;
  decodeLengths(mask.counts).forEach((length, turn) => {
    if (turn % 2) {
      for (let pixel = position; pixel < position + length; pixel += 1) pixels.push((pixel % height) * width + Math.floor(pixel / height));
    }
    position += length;
  });
  return pixels;
}

/** Fills of all masks, mixed where masks overlap, then their outlines. */
function paintMasks(data, { width, height, particles }) {
  const owner = new Uint32Array(width * height);
  const outlines = [];
  particles.forEach((particle, index) => {
    const id = index + 1;
    const color = toColor(id);
    const pixels = listPixels(particle.visible, width, height);
    for (const at of pixels) owner[at] = id;
    for (const at of pixels) {
      const isEdge = at % width === 0 || at % width === width - 1 || owner[at - 1] !== id || owner[at + 1] !== id || owner[at - width] !== id || owner[at + width] !== id;
      if (isEdge) outlines.push([at, color]);
      else if (data[4 * at + 3]) data.set(color.map((part, channel) => (part + data[4 * at + channel]) / 2), 4 * at);
      else data.set([...color, 90], 4 * at);
    }
  });
  for (const [at, color] of outlines) data.set([...color, 255], 4 * at);
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
    const image = context.createImageData(width, height);
    paintMasks(image.data, annotations);
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

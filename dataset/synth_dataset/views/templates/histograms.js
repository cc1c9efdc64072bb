"use strict";
// Histograms of particle diameters: of a run, and of the dataset.

const BINS = 24;
const LEVELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const RUN_HISTOGRAM = [144, 30]; // px
const DATASET_HISTOGRAM = [600, 96];

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

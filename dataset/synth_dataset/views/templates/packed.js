"use strict";
// Pictures of runs in shards. The page cannot read a tar file: it has their thumbnails and masks in scripts beside it.

const thumbnails = new Map(); // run -> picture as an address that holds it

function addThumbnail(run, address) {
  thumbnails.set(run, address);
}

/** Script beside the page that has a run; `first` are the first runs of these scripts. */
function findPiece(name, first, run) {
  const piece = first.findLastIndex((number) => number <= run);
  return piece < 0 ? null : `gallery/${name}-${String(piece).padStart(5, "0")}.js`;
}

async function readThumbnail(run) {
  const piece = findPiece("thumbnails", head.thumbnails, run);
  if (!thumbnails.has(run) && piece) await loadScript(piece);
  return thumbnails.get(run);
}

/** Image of the thumbnail of a row: the file of the run, or else what the page has of a packed run. */
function buildThumbnail(row, alt) {
  const image = element("img", { alt, decoding: "async" });
  image.addEventListener("error", async () => {
    const address = await readThumbnail(row.run);
    if (address) image.src = address;
  }, { once: true });
  image.src = thumbnails.get(row.run) ?? folderOf(row) + "thumb.webp";
  return image;
}

function explainPicture() {
  const picture = byId("viewer-picture").alt;
  byId("viewer-failure").textContent = `${picture} is not beside the page. If its run is in a shard, synth gallery DATASET --watch shows it.`;
}

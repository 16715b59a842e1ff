// Painting: once a frame however much arrives, nothing while the reader has paused it.

const waiting = new Map();
let paused = false;
let planned = false;

// Run `paint` at the next frame; of one name only the newest.
export function paintSoon(name, paint) {
  waiting.set(name, paint);
  plan();
}

function plan() {
  if (planned || paused || !waiting.size) return;
  planned = true;
  if (document.hidden) setTimeout(paintAll, 500); // there are no frames then
  else requestAnimationFrame(paintAll);
}

function paintAll() {
  planned = false;
  if (paused) return;
  const paints = [...waiting.values()];
  waiting.clear();
  paints.forEach((paint) => paint());
}

export function setPaused(value) {
  paused = value;
  plan();
}

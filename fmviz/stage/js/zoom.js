// The window: which part of a panel's extent is in view. All panels with the same axes show the same part.

const MOST_ZOOM = 1000;
const LEAST_ZOOM = 0.25; // only where the law says what lies outside the extent
const ZOOM_STEP = 1.25;

/** Width and height of what a panel shows unzoomed, as multiples of its extent. */
const spanOf = ({ stretch = 1 }) => [Math.max(stretch, 1), Math.max(1 / stretch, 1)];

/** The window of a panel: its extent or the part of it that is in view, and more of the plane where the panel is not of its shape. */
function windowOf(S, view) {
  const [x0, x1, y0, y1] = view.model.extent;
  const zoom = S.zoom ?? { x: 0.5, y: 0.5, factor: 1 };
  const [wide, high] = spanOf(view);
  const w = ((x1 - x0) / (2 * zoom.factor)) * wide;
  const h = ((y1 - y0) / (2 * zoom.factor)) * high;
  const x = x0 + zoom.x * (x1 - x0);
  const y = y0 + zoom.y * (y1 - y0);
  return [x - w, x + w, y - h, y + h];
}

/** Shows the window: `x`, `y` is its middle as a fraction of the extent, `factor` how much larger things are. */
function setZoom(S, x, y, factor, { quiet = false } = {}) {
  if (S.leader && !quiet) {
    setZoom(S.leader, x, y, factor);
    return;
  }
  if (!quiet) S.glide = null;
  const least = S.clip.law ? LEAST_ZOOM : 1;
  const within = Math.min(Math.max(factor, least), MOST_ZOOM);
  const edge = 0.5 / within;
  const inside = (value) => (within >= 1 ? Math.min(Math.max(value, edge), 1 - edge) : S.clip.law ? Math.min(Math.max(value, 0), 1) : 0.5);
  const next = { x: inside(x), y: inside(y), factor: within };
  S.zoom = Math.abs(within - 1) < 1e-6 && Math.abs(next.x - 0.5) < 1e-6 && Math.abs(next.y - 0.5) < 1e-6 ? null : next;
  showWindows(S);
  S.lastMotion = performance.now();
  syncOverlays(S);
  invalidate(S);
  if (!quiet) reportZoomSoon(S);
}

function showWindows(S) {
  for (const view of S.panels) {
    if (view.model.kind !== "plane") continue;
    view.window = windowOf(S, view);
    view.plot.dataset.extent = view.window.join(",");
    view.contourKey = "";
  }
  S.root.dataset.zoom = S.zoom ? S.zoom.factor.toPrecision(4) : "1";
}

/** Zooms by a factor and keeps the place [px, py] of a plot where it is. */
function zoomAt(S, view, [px, py], by) {
  const now = S.zoom ?? { x: 0.5, y: 0.5, factor: 1 };
  const least = S.clip.law ? LEAST_ZOOM : 1;
  const factor = Math.min(Math.max(now.factor * by, least), MOST_ZOOM);
  const held = 1 / now.factor - 1 / factor;
  const [wide, high] = spanOf(view);
  setZoom(S, now.x + (px / view.w - 0.5) * held * wide, now.y + (0.5 - py / view.h) * held * high, factor);
}

/** Moves the window by pixels of a plot. */
function panBy(S, view, dx, dy) {
  const now = S.zoom;
  if (!now) return;
  const [wide, high] = spanOf(view);
  setZoom(S, now.x - (dx / view.w / now.factor) * wide, now.y + (dy / view.h / now.factor) * high, now.factor);
}

function resetZoom(S) {
  if (S.zoom) setZoom(S, 0.5, 0.5, 1);
}

function reportZoomSoon(S) {
  clearTimeout(S.zoomTimer);
  S.zoomTimer = setTimeout(() => {
    if (!S.root.isConnected) return;
    const { x, y, factor } = S.zoom ?? { x: 0.5, y: 0.5, factor: 1 };
    report(S, "zoomed", { x, y, factor, seq: nextNumber(S) });
  }, 400);
}

function endPan(S) {
  if (!S.pan) return;
  S.pan.view.plot.style.cursor = "";
  S.pan = null;
  invalidate(S);
}

const SAME_SCROLL = 250; // milliseconds between two turns of one movement of the wheel

/** The wheel zooms around the pointer; a page that is being scrolled past, or a picture that cannot be smaller, lets it go by. */
function wheelZoom(S, view, at, event) {
  const now = performance.now();
  const zooming = now - (S.wheelZoomed ?? -1e9) < SAME_SCROLL;
  const passing = !zooming && now - lastPageScroll < SAME_SCROLL;
  const smallest = event.deltaY > 0 && (S.zoom?.factor ?? 1) <= 1 && !zooming;
  if (!event.ctrlKey && (passing || smallest)) return;
  event.preventDefault();
  event.stopPropagation();
  S.wheelZoomed = now;
  const turn = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
  const by = Math.exp(-Math.min(Math.max(turn, -120), 120) * (event.ctrlKey ? 0.01 : 0.002));
  zoomAt(S, view, at, by);
}

let lastPageScroll = -1e9;
window.addEventListener("scroll", () => (lastPageScroll = performance.now()), { passive: true, capture: true });

/** Two fingers: what is between them stays between them. */
function pinchTo(S, view, [a, b]) {
  const middle = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const apart = Math.max(Math.hypot(a[0] - b[0], a[1] - b[1]), 1);
  const before = S.pinch;
  S.pinch = { middle, apart };
  if (!before) {
    cancelDrag(S);
    endPan(S);
    S.press = null;
    return;
  }
  panBy(S, view, middle[0] - before.middle[0], middle[1] - before.middle[1]);
  zoomAt(S, view, middle, apart / before.apart);
}

const PAN_KEYS = { w: [0, 1], a: [1, 0], s: [0, -1], d: [-1, 0] };

/** Keys of the stage: + and - zoom around the middle, W A S D move the window, 0 shows all; true if the key was one. */
function zoomKey(S, key) {
  const view = S.panels.find((panel) => panel.model.kind === "plane" && panel.w);
  if (!view) return false;
  const pan = PAN_KEYS[key.toLowerCase()];
  if (key === "+" || key === "=") zoomAt(S, view, [view.w / 2, view.h / 2], ZOOM_STEP);
  else if (key === "-" || key === "_") zoomAt(S, view, [view.w / 2, view.h / 2], 1 / ZOOM_STEP);
  else if (key === "0") resetZoom(S);
  else if (pan && S.zoom) panBy(S, view, (pan[0] * view.w) / 8, (pan[1] * view.h) / 8);
  else return false;
  return true;
}

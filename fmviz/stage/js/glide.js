// From one state of the page to the next the clock and the window move smoothly, so that the eye can follow. Whatever the user
// touches ends it, and those who want less motion see the new state at once.

const GLIDE_MS = 500;

const zoomNow = (S) => S.zoom ?? { x: 0.5, y: 0.5, factor: 1 };

/** Moves the clock to `t` and the window to `zoom` (middle as fractions of the extent, factor). */
function glideTo(S, t, zoom) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (calm || document.hidden || S.recorder || S.leader) {
    S.glide = null;
    S.t = t;
    setZoom(S, zoom.x, zoom.y, zoom.factor, { quiet: true });
    return;
  }
  S.glide = { start: performance.now(), fromT: S.t, toT: t, from: zoomNow(S), to: zoom };
  invalidate(S);
}

/** One picture of the movement; at its end exactly the state that was asked for. */
function glide(S) {
  const { start, fromT, toT, from, to } = S.glide;
  const part = Math.min((performance.now() - start) / GLIDE_MS, 1);
  const eased = part * part * (3 - 2 * part);
  const between = (a, b) => (part < 1 ? a + (b - a) * eased : b);
  S.t = between(fromT, toT);
  if (from.x !== to.x || from.y !== to.y || from.factor !== to.factor) {
    const factor = part < 1 ? from.factor * (to.factor / from.factor) ** eased : to.factor;
    setZoom(S, between(from.x, to.x), between(from.y, to.y), factor, { quiet: true });
  }
  if (part === 1) S.glide = null;
  S.dirty = true;
}

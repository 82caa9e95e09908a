// Arrows of a vector field: a stroke and a triangle each.

const ARROW = { shaft: 1.25, head: 7.5, width: 3.1, alpha: 0.88 }; // shaft width, head length, half head width: CSS pixels

function drawVectors(S, view, layer) {
  const { positions, vectors, scale, longest } = layer.of ? lawArrows(S, view, layer) : frameArrows(S, layer);
  const items = positions.length / 2;
  const [x0, x1, y0, y1] = view.window;
  const { surface } = view;
  const kx = surface.w / (x1 - x0);
  const ky = surface.h / (y1 - y0);
  const k = S.type * view.ratio;
  const pixel = pixelOf(S.theme.roles[layer.role]);
  for (let n = 0; n < items; n++) {
    const vx = vectors[2 * n];
    const vy = vectors[2 * n + 1];
    if (vx !== vx) continue;
    const size = Math.sqrt(vx * vx + vy * vy) * scale;
    const fit = size > longest ? (scale * longest) / size : scale;
    const dx = vx * fit * kx;
    const dy = -vy * fit * ky;
    const px = (positions[2 * n] - x0) * kx;
    const py = (y1 - positions[2 * n + 1]) * ky;
    drawArrow(surface, px, py, dx, dy, k, pixel);
  }
}

/** The arrows of a layer of frames, between two of them; a gap on one side keeps the other. */
function frameArrows(S, layer) {
  const width = layer.positions.length;
  layer.now ??= new Float32Array(width);
  for (let n = 0; n < width; n++) layer.now[n] = sample(layer.vectors, S.frame, width, n);
  return { ...layer, vectors: layer.now };
}

/** An arrow from (x, y) by (dx, dy) pixels; a short one keeps its proportions. */
function drawArrow(surface, x, y, dx, dy, k, pixel, alpha = ARROW.alpha) {
  const length = Math.sqrt(dx * dx + dy * dy);
  if (length < 0.8) return;
  const head = Math.min(ARROW.head * k, length * 0.55);
  const shrink = head / (ARROW.head * k);
  const ex = dx / length;
  const ey = dy / length;
  const wide = ARROW.width * k * shrink;
  const bx = x + ex * (length - head);
  const by = y + ey * (length - head);
  strokeLine(surface, x, y, bx, by, ARROW.shaft * k * (0.45 + 0.55 * shrink), pixel, alpha);
  fillTriangle(surface, bx - ey * wide, by + ex * wide, x + dx, y + dy, bx + ey * wide, by - ex * wide, pixel, alpha);
}

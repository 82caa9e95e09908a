// Arrows: all of a layer in one filled path, so that the cost is one fill.

const ARROW = { shaft: 0.75, head: 7.5, width: 3.1 }; // half shaft width, head length and half head width, CSS pixels

function drawVectors(S, ctx, view, layer) {
  const { positions, vectors, scale, longest } = layer;
  const items = positions.length / 2;
  const i = Math.floor(S.frame);
  const w = S.frame - i;
  const a = i * items * 2;
  const b = w === 0 ? a : a + items * 2;
  const [x0, x1, y0, y1] = view.model.extent;
  const kx = view.w / (x1 - x0);
  const ky = view.h / (y1 - y0);
  const k = S.type;
  ctx.fillStyle = rgba(S.theme.roles[layer.role], 0.85);
  ctx.beginPath();
  for (let n = 0; n < items; n++) {
    let vx = vectors[a + 2 * n];
    let vy = vectors[a + 2 * n + 1];
    if (w !== 0) {
      const ux = vectors[b + 2 * n];
      if (vx !== vx) {
        vx = ux;
        vy = vectors[b + 2 * n + 1];
      } else if (ux === ux) {
        vx += (ux - vx) * w;
        vy += (vectors[b + 2 * n + 1] - vy) * w;
      }
    }
    if (vx !== vx) continue;
    const size = Math.sqrt(vx * vx + vy * vy) * scale;
    const fit = size > longest ? (scale * longest) / size : scale;
    const dx = vx * fit * kx;
    const dy = -vy * fit * ky;
    const px = (positions[2 * n] - x0) * kx;
    const py = (y1 - positions[2 * n + 1]) * ky;
    arrow(ctx, px, py, dx, dy, k);
  }
  ctx.fill();
}

/** Adds an arrow from (x, y) by (dx, dy) pixels; a short one keeps its proportions. */
function arrow(ctx, x, y, dx, dy, k) {
  const length = Math.sqrt(dx * dx + dy * dy);
  if (length < 0.6) return;
  const head = Math.min(ARROW.head * k, length * 0.55);
  const shrink = head / (ARROW.head * k);
  const ex = dx / length;
  const ey = dy / length;
  const half = ARROW.shaft * k * (0.45 + 0.55 * shrink);
  const wide = ARROW.width * k * shrink;
  const nx = -ey;
  const ny = ex;
  const bx = x + ex * (length - head);
  const by = y + ey * (length - head);
  ctx.moveTo(x + nx * half, y + ny * half);
  ctx.lineTo(bx + nx * half, by + ny * half);
  ctx.lineTo(bx + nx * wide, by + ny * wide);
  ctx.lineTo(x + dx, y + dy);
  ctx.lineTo(bx - nx * wide, by - ny * wide);
  ctx.lineTo(bx - nx * half, by - ny * half);
  ctx.lineTo(x - nx * half, y - ny * half);
  ctx.closePath();
}

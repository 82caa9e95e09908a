// Particles: one small picture per layer, stamped at every place; trails in a few strokes by age.

const PARTICLE_MARKS = { sde: "ring", reference: "cross", score: "diamond" };
const particleMark = (role) => PARTICLE_MARKS[role] ?? "dot";
const TRAIL_AGES = 3;

/** The mark with a halo of the ground, ready to be stamped. */
function stampOf(S, view, shape, role, size) {
  const key = [shape, role, size, view.ratio, S.type, S.theme.key].join();
  view.stamps ??= new Map();
  if (view.stamps.has(key)) return view.stamps.get(key);
  if (view.stamps.size > 24) view.stamps.clear();
  const radius = 2.3 * size * S.type;
  const half = Math.ceil((radius + 2) * view.ratio);
  const canvas = element("canvas");
  canvas.width = canvas.height = 2 * half;
  const ctx = canvas.getContext("2d");
  ctx.translate(half, half);
  ctx.scale(view.ratio, view.ratio);
  drawMark(ctx, shape, 0, 0, radius, S.theme.roles[role], S.theme.ground);
  const stamp = { canvas, half: half / view.ratio };
  view.stamps.set(key, stamp);
  return stamp;
}

/** One mark with its halo. */
function drawMark(ctx, shape, x, y, r, colour, ground) {
  const halo = rgba(ground, 0.85);
  ctx.beginPath();
  if (shape === "cross") {
    const d = r * 0.95;
    ctx.moveTo(x - d, y);
    ctx.lineTo(x + d, y);
    ctx.moveTo(x, y - d);
    ctx.lineTo(x, y + d);
    strokeTwice(ctx, halo, r * 1.1, rgb(colour), r * 0.48);
  } else if (shape === "ring") {
    ctx.arc(x, y, r * 1.08, 0, 2 * Math.PI);
    strokeTwice(ctx, halo, r * 1.15, rgb(colour), r * 0.52);
  } else {
    if (shape === "diamond") {
      const d = r * 1.3;
      ctx.moveTo(x, y - d);
      ctx.lineTo(x + d, y);
      ctx.lineTo(x, y + d);
      ctx.lineTo(x - d, y);
      ctx.closePath();
    } else ctx.arc(x, y, r, 0, 2 * Math.PI);
    ctx.strokeStyle = halo;
    ctx.lineWidth = r * 0.7;
    ctx.stroke();
    ctx.fillStyle = rgb(colour);
    ctx.fill();
  }
}

function strokeTwice(ctx, under, wide, over, thin) {
  ctx.lineCap = "round";
  ctx.strokeStyle = under;
  ctx.lineWidth = wide;
  ctx.stroke();
  ctx.strokeStyle = over;
  ctx.lineWidth = thin;
  ctx.stroke();
  ctx.lineCap = "butt";
}

function drawParticles(S, ctx, view, layer) {
  if (layer.trail > 0 && S.layers.has(layer.trail_name ?? layer.name)) drawTrails(S, ctx, view, layer);
  if (!S.layers.has(layer.name)) return;
  const stamp = stampOf(S, view, particleMark(layer.role), layer.role, layer.size);
  const { positions, items } = layer;
  const i = Math.floor(S.frame);
  const w = S.frame - i;
  const a = i * items * 2;
  const b = w === 0 ? a : a + items * 2;
  const [x0, x1, y0, y1] = view.model.extent;
  const kx = view.w / (x1 - x0);
  const ky = view.h / (y1 - y0);
  const side = 2 * stamp.half;
  for (let n = 0; n < items; n++) {
    const x = positions[a + 2 * n];
    const y = positions[a + 2 * n + 1];
    const px = (x + (positions[b + 2 * n] - x) * w - x0) * kx - stamp.half;
    const py = (y1 - y - (positions[b + 2 * n + 1] - y) * w) * ky - stamp.half;
    if (px > -side && py > -side && px < view.w && py < view.h) ctx.drawImage(stamp.canvas, px, py, side, side);
  }
}

/** The way of the last `trail` frames: full frames are kept as corners, so that a trail never swims. */
function drawTrails(S, ctx, view, layer) {
  const { positions, items, trail } = layer;
  const from = Math.max(0, S.frame - trail);
  if (S.frame - from < 1e-3) return;
  const colour = S.theme.roles[layer.role];
  ctx.lineWidth = view.ratio > 1 || S.type > 1 ? S.type : 1 / view.ratio; // one device pixel strokes fastest
  ctx.lineJoin = "bevel";
  let newer = S.frame;
  for (let age = 0; age < TRAIL_AGES && newer > from; age++) {
    // the ages meet at whole frames; the newest part reaches from there to now
    const older = age === TRAIL_AGES - 1 ? from : Math.max(from, Math.floor(S.frame - (trail * (age + 1)) / TRAIL_AGES));
    ctx.strokeStyle = rgba(colour, 0.5 - 0.17 * age);
    ctx.beginPath();
    tracePaths(ctx, view, positions, items, older, newer);
    ctx.stroke();
    newer = older;
  }
}

/** Adds each item's path between two fractional frames. */
function tracePaths(ctx, view, positions, items, older, newer) {
  const [x0, x1, y0, y1] = view.model.extent;
  const kx = view.w / (x1 - x0);
  const ky = view.h / (y1 - y0);
  const stride = items * 2;
  const first = Math.floor(newer);
  const last = Math.floor(older);
  const w = newer - first;
  const v = older - last;
  const a = first * stride;
  const b = w > 0 ? a + stride : a;
  const c = last * stride;
  const d = v > 0 ? c + stride : c;
  for (let n = 0; n < stride; n += 2) {
    const x = (positions[a + n] + (positions[b + n] - positions[a + n]) * w - x0) * kx;
    const y = (y1 - positions[a + n + 1] - (positions[b + n + 1] - positions[a + n + 1]) * w) * ky;
    if (x < -40 || y < -40 || x > view.w + 40 || y > view.h + 40 || x !== x) continue;
    ctx.moveTo(x, y);
    for (let at = w > 0 ? a : a - stride; at > c; at -= stride) {
      ctx.lineTo((positions[at + n] - x0) * kx, (y1 - positions[at + n + 1]) * ky);
    }
    const tailX = positions[c + n] + (positions[d + n] - positions[c + n]) * v;
    const tailY = positions[c + n + 1] + (positions[d + n + 1] - positions[c + n + 1]) * v;
    ctx.lineTo((tailX - x0) * kx, (y1 - tailY) * ky);
  }
}

// Particles: one small picture per layer, stamped at every place; trails as fine strokes.

const ROLE_MARKS = { sde: "ring", reference: "cross", score: "diamond", midpoint: "ring", heun: "diamond", rk4: "cross" };
const roleMark = (role) => ROLE_MARKS[role] ?? "dot";

/** The mark with a halo of the ground, ready to be stamped. */
function stampOf(S, view, shape, role, radius) {
  const key = [shape, role, radius, view.ratio, S.theme.key].join();
  view.stamps ??= new Map();
  if (!view.stamps.has(key)) {
    if (view.stamps.size > 32) view.stamps.clear();
    const paint = (ctx) => {
      ctx.scale(view.ratio, view.ratio);
      drawMark(ctx, shape, 0, 0, radius, S.theme.roles[role], S.theme.ground);
    };
    view.stamps.set(key, makeStamp((1.7 * radius + 1) * view.ratio, paint));
  }
  return view.stamps.get(key);
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
    strokeTwice(ctx, r > 3 ? halo : null, r * 1.1, rgb(colour), r * 0.48); // small crosses stay in the background
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
  if (under) {
    ctx.strokeStyle = under;
    ctx.lineWidth = wide;
    ctx.stroke();
  }
  ctx.strokeStyle = over;
  ctx.lineWidth = thin;
  ctx.stroke();
  ctx.lineCap = "butt";
}

function drawParticles(S, view, layer) {
  if (isStale(S, layer)) return;
  if (layer.trail > 0 && S.layers.has(layer.trail_name ?? layer.name)) drawTrails(S, view, layer);
  if (!S.layers.has(layer.name)) return;
  const { positions, items, weights } = placesOf(S, layer);
  const stamps = SIZES.map((size) => stampOf(S, view, roleMark(layer.role), layer.role, 2.3 * size * layer.size * S.type));
  const stamp = stamps[NO_WEIGHT];
  if (!items) return;
  const { surface } = view;
  const i = Math.floor(S.frame);
  const w = S.frame - i;
  const a = i * items * 2;
  const b = w === 0 ? a : a + items * 2;
  const [x0, x1, y0, y1] = view.window;
  const kx = surface.w / (x1 - x0);
  const ky = surface.h / (y1 - y0);
  for (let n = 0; n < 2 * items; n += 2) {
    const x = positions[a + n];
    const y = positions[a + n + 1];
    const px = (x + (positions[b + n] - x) * w - x0) * kx;
    const py = (y1 - y - (positions[b + n + 1] - y) * w) * ky;
    if (weights) putStamp(surface, stamps[sizeStep(weights[(a + n) / 2])], px, py);
    else putStamp(surface, stamp, px, py);
  }
}

const SIZES = [0.3, 0.45, 0.65, 1, 1.45, 2.1, 3]; // of particles of weights 0.09 to 9 times the average, by area
const NO_WEIGHT = 3;

/** Which of `SIZES` a particle of a weight has; the average weight is 1. */
function sizeStep(weight) {
  const wanted = Math.log(Math.max(weight, 1e-9)) / 0.78 + NO_WEIGHT;
  return Math.min(Math.max(Math.round(wanted), 0), SIZES.length - 1);
}

const TRAIL_ALPHA = [0.04, 0.5]; // at the far end and at the particle

/**
 * The way of the last `trail` frames, fading. Whole frames are kept as corners, every other one in the older half, so that a
 * trail never swims.
 */
function drawTrails(S, view, layer) {
  const { trail } = layer;
  const { positions, items } = placesOf(S, layer);
  if (!items) return;
  const { surface } = view;
  const oldest = Math.max(0, S.frame - trail);
  const [x0, x1, y0, y1] = view.window;
  const kx = surface.w / (x1 - x0);
  const ky = surface.h / (y1 - y0);
  const wide = S.type * Math.max(1, 0.8 * view.ratio);
  const pixel = pixelOf(S.theme.roles[layer.role]);
  const stride = items * 2;
  const faintest = Math.max(0, S.frame - 0.9 * trail); // beyond it nothing would be seen
  for (let newer = S.frame; newer > faintest; ) {
    const age = S.frame - newer;
    const corner = age > trail / 2 ? 2 * (Math.ceil(newer / 2) - 1) : Math.ceil(newer) - 1;
    const older = Math.max(oldest, corner);
    const alpha = TRAIL_ALPHA[0] + (TRAIL_ALPHA[1] - TRAIL_ALPHA[0]) * (1 - age / trail);
    const v = older - Math.floor(older);
    const w = newer - Math.floor(newer);
    const a = Math.floor(older) * stride;
    const b = v > 0 ? a + stride : a;
    const c = Math.floor(newer) * stride;
    const d = w > 0 ? c + stride : c;
    for (let n = 0; n < stride; n += 2) {
      const fromX = positions[a + n];
      const fromY = positions[a + n + 1];
      const toX = positions[c + n];
      const toY = positions[c + n + 1];
      strokeLine(
        surface,
        (fromX + (positions[b + n] - fromX) * v - x0) * kx,
        (y1 - fromY - (positions[b + n + 1] - fromY) * v) * ky,
        (toX + (positions[d + n] - toX) * w - x0) * kx,
        (y1 - toY - (positions[d + n + 1] - toY) * w) * ky,
        wide,
        pixel,
        alpha,
      );
    }
    newer = older;
  }
}

// A small rasteriser. Canvas 2D without a GPU takes several times longer to stroke and stamp thousands of small things than
// plain loops over pixels do, and here the cost is the same on every machine. Coordinates are device pixels, (0, 0) is the
// corner of the first pixel; colours are blended with exact coverage along one axis, as in Wu's lines.

const PHASES = 4; // stamps come in steps of a quarter pixel, so that slow points glide

function makeSurface(context, w, h) {
  const image = context.createImageData(w, h);
  return { w, h, image, pixels: new Int32Array(image.data.buffer) };
}

const pixelOf = ([r, g, b]) => (0xff000000 | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r)) | 0;

/** Colour `pixel` over one pixel, alpha in 0 … 256. Red and blue travel in one multiplication. */
function blend(pixels, at, pixel, alpha) {
  const under = pixels[at];
  const rb = under & 0xff00ff;
  const g = under & 0xff00;
  pixels[at] =
    0xff000000 |
    ((rb + (Math.imul((pixel & 0xff00ff) - rb, alpha) >>> 8)) & 0xff00ff) |
    ((g + (Math.imul((pixel & 0xff00) - g, alpha) >>> 8)) & 0xff00);
}

/** A straight stroke of a few pixels' width. Strokes that follow one another do not overlap. */
function strokeLine(surface, x0, y0, x1, y1, width, pixel, alpha) {
  const { w, h, pixels } = surface;
  const dx = x1 - x0;
  const dy = y1 - y0;
  const steep = (dy < 0 ? -dy : dy) > (dx < 0 ? -dx : dx);
  const along = steep ? dy : dx;
  if (along === 0 || along !== along) return;
  const slope = (steep ? dx : dy) / along;
  const most = steep ? h : w; // pixels along the stroke, and across it
  const wide = steep ? w : h;
  const strideAlong = steep ? w : 1;
  const strideAcross = steep ? 1 : w;
  let from = Math.round(steep ? y0 : x0);
  let to = Math.round(steep ? y1 : x1);
  if (from > to) {
    const start = from;
    from = to;
    to = start;
  }
  if (from === to) return;
  if (from < 0) from = 0;
  if (to > most) to = most;
  const first = steep ? y0 : x0;
  let middle = (steep ? x0 : y0) + (from + 0.5 - first) * slope;
  if (width < 1.3) {
    hairline(pixels, from, to, middle, slope, wide, strideAlong, strideAcross, pixel, alpha * width);
    return;
  }
  const half = 0.5 * width * Math.sqrt(1 + slope * slope);
  const full = alpha * 256;
  const rb = pixel & 0xff00ff;
  const g = pixel & 0xff00;
  for (let n = from; n < to; n++, middle += slope) {
    const low = middle - half;
    const high = middle + half;
    if (high <= 0 || low >= wide) continue;
    const end = high < wide ? high : wide;
    for (let p = low > 0 ? low | 0 : 0, at = n * strideAlong + p * strideAcross; p < end; p++, at += strideAcross) {
      const cover = (high < p + 1 ? high : p + 1) - (low > p ? low : p);
      const a = (cover * full) | 0;
      const under = pixels[at];
      const underRb = under & 0xff00ff;
      const underG = under & 0xff00;
      pixels[at] =
        0xff000000 |
        ((underRb + (Math.imul(rb - underRb, a) >>> 8)) & 0xff00ff) |
        ((underG + (Math.imul(g - underG, a) >>> 8)) & 0xff00);
    }
  }
}

/** A stroke one pixel wide: two pixels share each step. This is the innermost loop of trails and contours. */
function hairline(pixels, from, to, middle, slope, wide, strideAlong, strideAcross, pixel, alpha) {
  let low = middle - 0.5;
  const last = low + slope * (to - from - 1);
  if (low < 0 || last < 0 || low >= wide - 1 || last >= wide - 1) {
    // partly outside: keep the part whose both pixels are inside
    while (from < to && !(low >= 0 && low < wide - 1)) {
      from++;
      low += slope;
    }
    let end = low;
    let n = from;
    while (n < to && end >= 0 && end < wide - 1) {
      n++;
      end += slope;
    }
    to = n;
  }
  const full = (alpha > 1 ? 1 : alpha) * 256;
  const rb = pixel & 0xff00ff;
  const g = pixel & 0xff00;
  for (let base = from * strideAlong, end = to * strideAlong; base < end; base += strideAlong, low += slope) {
    const p = low | 0;
    const b = ((low - p) * full) | 0;
    const a = (full - b) | 0;
    let at = base + p * strideAcross;
    let under = pixels[at];
    let underRb = under & 0xff00ff;
    let underG = under & 0xff00;
    pixels[at] =
      0xff000000 |
      ((underRb + (Math.imul(rb - underRb, a) >>> 8)) & 0xff00ff) |
      ((underG + (Math.imul(g - underG, a) >>> 8)) & 0xff00);
    at += strideAcross;
    under = pixels[at];
    underRb = under & 0xff00ff;
    underG = under & 0xff00;
    pixels[at] =
      0xff000000 |
      ((underRb + (Math.imul(rb - underRb, b) >>> 8)) & 0xff00ff) |
      ((underG + (Math.imul(g - underG, b) >>> 8)) & 0xff00);
  }
}

/** A filled triangle whose corners turn one way or the other; edges are half a pixel soft. */
function fillTriangle(surface, ax, ay, bx, by, cx, cy, pixel, alpha) {
  const { w, h, pixels } = surface;
  const turn = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
  if (turn === 0) return;
  const sign = turn > 0 ? 1 : -1;
  // distance from an edge, positive inside: nx * x + ny * y + n
  const la = sign / Math.sqrt((bx - ax) * (bx - ax) + (by - ay) * (by - ay));
  const lb = sign / Math.sqrt((cx - bx) * (cx - bx) + (cy - by) * (cy - by));
  const lc = sign / Math.sqrt((ax - cx) * (ax - cx) + (ay - cy) * (ay - cy));
  const nax = (ay - by) * la;
  const nay = (bx - ax) * la;
  const nbx = (by - cy) * lb;
  const nby = (cx - bx) * lb;
  const ncx = (cy - ay) * lc;
  const ncy = (ax - cx) * lc;
  const x0 = Math.max(0, Math.floor(Math.min(ax, bx, cx) - 0.5));
  const x1 = Math.min(w, Math.ceil(Math.max(ax, bx, cx) + 0.5));
  const y0 = Math.max(0, Math.floor(Math.min(ay, by, cy) - 0.5));
  const y1 = Math.min(h, Math.ceil(Math.max(ay, by, cy) + 0.5));
  const full = alpha * 256;
  for (let y = y0; y < y1; y++) {
    let a = nax * (x0 + 0.5 - ax) + nay * (y + 0.5 - ay) + 0.5;
    let b = nbx * (x0 + 0.5 - bx) + nby * (y + 0.5 - by) + 0.5;
    let c = ncx * (x0 + 0.5 - cx) + ncy * (y + 0.5 - cy) + 0.5;
    for (let x = x0, at = y * w + x0; x < x1; x++, at++, a += nax, b += nbx, c += ncx) {
      if (a <= 0 || b <= 0 || c <= 0) continue;
      const cover = (a < 1 ? a : 1) * (b < 1 ? b : 1) * (c < 1 ? c : 1);
      blend(pixels, at, pixel, (cover * full) | 0);
    }
  }
}

/** A small picture drawn by `paint(ctx)` around (0, 0), ready to be stamped at any quarter pixel. */
function makeStamp(radius, paint) {
  const half = Math.ceil(radius) + 1;
  const side = 2 * half + 1;
  const canvas = element("canvas");
  canvas.width = canvas.height = side;
  const ctx = canvas.getContext("2d", { willReadFrequently: true });
  const phases = [];
  for (let phase = 0; phase < PHASES * PHASES; phase++) {
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, side, side);
    ctx.translate(half + (phase % PHASES) / PHASES, half + Math.floor(phase / PHASES) / PHASES);
    paint(ctx);
    const { data } = ctx.getImageData(0, 0, side, side);
    const dx = [];
    const dy = [];
    const keep = [];
    const add = [];
    for (let n = 0; n < side * side; n++) {
      const alpha = data[4 * n + 3];
      if (alpha < 3) continue;
      dx.push((n % side) - half);
      dy.push(Math.floor(n / side) - half);
      keep.push(Math.round(((255 - alpha) * 256) / 255));
      const part = (c) => Math.round((data[4 * n + c] * alpha) / 255);
      add.push((part(2) << 16) | (part(1) << 8) | part(0));
    }
    phases.push({ dx: Int16Array.from(dx), dy: Int16Array.from(dy), keep: Int32Array.from(keep), add: Int32Array.from(add) });
  }
  return { half, phases };
}

function putStamp(surface, stamp, x, y) {
  const { w, h, pixels } = surface;
  const { half } = stamp;
  if (!(x > -half && y > -half && x < w + half && y < h + half)) return;
  const qx = Math.floor(x * PHASES + 0.5);
  const qy = Math.floor(y * PHASES + 0.5);
  const column = Math.floor(qx / PHASES);
  const row = Math.floor(qy / PHASES);
  const { dx, dy, keep, add } = stamp.phases[qx - column * PHASES + (qy - row * PHASES) * PHASES];
  const inside = column >= half && row >= half && column < w - half && row < h - half;
  for (let n = 0; n < keep.length; n++) {
    const px = column + dx[n];
    const py = row + dy[n];
    if (!inside && (px < 0 || py < 0 || px >= w || py >= h)) continue;
    const at = py * w + px;
    const under = pixels[at];
    const k = keep[n];
    pixels[at] =
      0xff000000 |
      (add[n] + (((Math.imul(under & 0xff00ff, k) >>> 8) & 0xff00ff) | ((Math.imul(under & 0xff00, k) >>> 8) & 0xff00)));
  }
}

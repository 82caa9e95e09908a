// The density on a regular grid, by rows. Along a row the exponent of one component is a quadratic in x, so its values follow
// from two running factors, g <- g r and r <- r q, started at the row's peak and run outwards: two multiplications a point and
// three exponentials a row, and nothing overflows on the way. Where the axes of a component are those of the grid its values
// are a product of one factor for the column and one for the row, and a point costs one multiplication.

const DEPTH = 60; // components below exp(-60) of the top of the colours add nothing that shows

/**
 * Densities at the centres of columns x rows cells of the window [x0, x1, y0, y1], divided by exp(shift), row 0 at the lowest
 * y, added up in `sums`. What lies below exp(-DEPTH) is left out.
 */
function addGrid(table, [x0, x1, y0, y1], columns, rows, shift, sums) {
  const { count, log, mx, my, w11, w21, w22 } = table;
  const h = (x1 - x0) / columns;
  const k = (y1 - y0) / rows;
  const left = x0 + h / 2;
  const low = y0 + k / 2;
  const profile = new Float64Array(columns);
  for (let c = 0; c < count; c++) {
    const pxx = w11[c] * w11[c] + w21[c] * w21[c];
    const fall = (w11[c] * w22[c]) ** 2 / pxx; // precision of y by itself
    const most = log[c] - shift + DEPTH;
    if (!(most > 0)) continue;
    const reach = Math.sqrt((2 * most) / fall);
    const j0 = Math.max(0, Math.ceil((my[c] - reach - low) / k));
    const j1 = Math.min(rows - 1, Math.floor((my[c] + reach - low) / k));
    if (j0 > j1) continue;
    const lean = (w21[c] * w22[c]) / pxx;
    const q = Math.exp(-pxx * h * h);
    if (lean === 0) {
      const half = Math.sqrt((2 * most) / pxx);
      const i0 = Math.max(0, Math.ceil((mx[c] - half - left) / h));
      const i1 = Math.min(columns - 1, Math.floor((mx[c] + half - left) / h));
      if (i0 > i1) continue;
      profile.fill(0, i0, i1 + 1);
      runRow(profile, 0, i0, i1, (mx[c] - left) / h, 0, pxx, h, q);
      for (let j = j0; j <= j1; j++) {
        const dy = low + j * k - my[c];
        const room = most - 0.5 * fall * dy * dy;
        const factor = Math.exp(room - DEPTH);
        const wide = Math.sqrt((2 * room) / pxx);
        const from = Math.max(i0, Math.ceil((mx[c] - wide - left) / h));
        const to = Math.min(i1, Math.floor((mx[c] + wide - left) / h));
        for (let i = from, at = j * columns + from; i <= to; i++, at++) sums[at] += factor * profile[i];
      }
      continue;
    }
    for (let j = j0; j <= j1; j++) {
      const dy = low + j * k - my[c];
      const room = most - 0.5 * fall * dy * dy;
      if (!(room > 0)) continue;
      const peak = mx[c] - lean * dy;
      const half = Math.sqrt((2 * room) / pxx);
      const i0 = Math.max(0, Math.ceil((peak - half - left) / h));
      const i1 = Math.min(columns - 1, Math.floor((peak + half - left) / h));
      if (i0 <= i1) runRow(sums, j * columns, i0, i1, (peak - left) / h, room - DEPTH, pxx, h, q);
    }
  }
}

/** Adds exp(height - p (i - peak)^2 h^2 / 2) for the columns i0 … i1 to sums[row + i]. */
function runRow(sums, row, i0, i1, peak, height, p, h, q) {
  const start = Math.min(Math.max(Math.round(peak), i0), i1);
  const u = (start - peak) * h;
  const value = Math.exp(height - 0.5 * p * u * u);
  let g = value;
  let r = Math.exp(-p * h * (u + h / 2));
  const end = row + i1;
  for (let at = row + start; at <= end; at++) {
    sums[at] += g;
    g *= r;
    r *= q;
  }
  g = value;
  r = Math.exp(-p * h * (h / 2 - u));
  for (let at = row + start - 1, last = row + i0; at >= last; at--) {
    g *= r;
    r *= q;
    sums[at] += g;
  }
}

/**
 * Log densities on a grid as codes: 1 … 65535 are linear over `nats` below `top`, 0 is less. Written to `codes` (Uint16Array of
 * rows x columns) and returned.
 */
function gridCodes(table, extent, columns, rows, top, nats, codes, sums) {
  sums.fill(0);
  addGrid(table, extent, columns, rows, top, sums);
  const perNat = 65534 / nats;
  for (let n = 0; n < codes.length; n++) {
    const code = 1.5 + (nats + Math.log(sums[n])) * perNat;
    codes[n] = code > 1 ? (code < 65535 ? code : 65535) : 0;
  }
  return codes;
}

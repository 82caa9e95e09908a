// Weighted Gaussians in the plane, and everything that is a posterior average over them, at single points.
//
// A table holds C components: the logarithm of weight times normalising constant, the mean, and the entries of W with
// W C W^T = I. The exponent is |W (x - m)|^2 / 2: differences first, squares last, so narrow components lose no digits.

const LOG_TWO_PI = Math.log(2 * Math.PI);

function makeTable(count) {
  const column = () => new Float64Array(count);
  return { count, log: column(), mx: column(), my: column(), w11: column(), w21: column(), w22: column() };
}

/** Sets component c; the covariance [xx, xy; xy, yy] is positive definite. */
function setComponent(table, c, logWeight, mx, my, xx, xy, yy) {
  const w11 = 1 / Math.sqrt(xx);
  const slope = xy * w11;
  const w22 = 1 / Math.sqrt(yy - slope * slope);
  table.log[c] = logWeight + Math.log(w11 * w22) - LOG_TWO_PI;
  table.mx[c] = mx;
  table.my[c] = my;
  table.w11[c] = w11;
  table.w21[c] = -slope * w11 * w22;
  table.w22[c] = w22;
}

let exponents = new Float64Array(64);

/** Logarithms of the weighted densities of all components at (x, y), into `exponents`; returns the largest. */
function fillExponents({ count, log, mx, my, w11, w21, w22 }, x, y) {
  if (exponents.length < count) exponents = new Float64Array(2 * count);
  let largest = -Infinity;
  for (let c = 0; c < count; c++) {
    const dx = x - mx[c];
    const first = w11[c] * dx;
    const second = w21[c] * dx + w22[c] * (y - my[c]);
    const value = log[c] - 0.5 * (first * first + second * second);
    exponents[c] = value;
    if (value > largest) largest = value;
  }
  return largest;
}

/** log p(x, y). */
function logDensity(table, x, y) {
  const largest = fillExponents(table, x, y);
  if (largest === -Infinity) return largest;
  let sum = 0;
  for (let c = 0; c < table.count; c++) sum += Math.exp(exponents[c] - largest);
  return largest + Math.log(sum);
}

/** The weight of each component given (x, y), as a new array. */
function responsibilities(table, x, y) {
  const largest = fillExponents(table, x, y);
  const weights = new Float64Array(table.count);
  let sum = 0;
  for (let c = 0; c < table.count; c++) sum += weights[c] = Math.exp(exponents[c] - largest);
  return weights.map((weight) => weight / sum);
}

const NEGLIGIBLE = -45; // below exp(-45) of the largest a component changes no digit of an average

/**
 * The average over the components, given (x, y), of g_c + A_c ((x, y) - m_c), written to out[at], out[at + 1].
 * `maps`: columns a11, a12, a21, a22, g1, g2.
 */
function average(table, maps, x, y, out, at) {
  const least = fillExponents(table, x, y) + NEGLIGIBLE;
  const { count, mx, my } = table;
  const { a11, a12, a21, a22, g1, g2 } = maps;
  let sum = 0;
  let first = 0;
  let second = 0;
  for (let c = 0; c < count; c++) {
    if (!(exponents[c] > least)) continue;
    const weight = Math.exp(exponents[c] - least);
    const dx = x - mx[c];
    const dy = y - my[c];
    sum += weight;
    first += weight * (g1[c] + a11[c] * dx + a12[c] * dy);
    second += weight * (g2[c] + a21[c] * dx + a22[c] * dy);
  }
  out[at] = first / sum;
  out[at + 1] = second / sum;
}

/** The maps of `average` for the score, -C^-1 (x - m). */
function scoreMaps({ count, w11, w21, w22 }) {
  const maps = makeMaps(count);
  for (let c = 0; c < count; c++) {
    maps.a11[c] = -(w11[c] * w11[c] + w21[c] * w21[c]);
    maps.a12[c] = maps.a21[c] = -(w21[c] * w22[c]);
    maps.a22[c] = -(w22[c] * w22[c]);
  }
  return maps;
}

function makeMaps(count) {
  const column = () => new Float64Array(count);
  return { a11: column(), a12: column(), a21: column(), a22: column(), g1: column(), g2: column() };
}

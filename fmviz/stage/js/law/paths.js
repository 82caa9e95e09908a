// The path X_t = alpha z + beta eps between two mixtures (docs/theory.md, T12 to T20). Given the pair (j, k) of components
// everything is jointly normal, with m_jk = alpha mu_k + beta m_j and C_jk = alpha^2 Sigma_k + beta^2 S_j, so every quantity is
// the regression line of the pair, averaged with the weights of the pairs. Nothing is divided by alpha or beta, and only the
// products alpha alpha', beta beta' occur beside covariances: finite and right on the closed interval. Noise in between, gamma_t xi
// with gamma_t = gamma sqrt(t (1 - t)) (T52), adds gamma_t^2 to both variances, and half its derivative to those of X' and X.
//
// The conditional path given z is the same with the point mass at z for p_data.

/** `init`, `data`: rows [weight, mean x, mean y, cov xx, cov xy, cov yy], weights summing to 1; `schedule` as in makeSchedule; `gamma` >= 0. */
function makeLaw({ init, data, schedule, gamma = 0 }) {
  const centred = (rows) => rows.every(([, x, y]) => x === 0 && y === 0);
  return {
    init,
    data,
    evaluate: makeSchedule(schedule),
    gamma,
    centred: { init: centred(init), data: centred(data) },
    pairs: init.length * data.length,
  };
}

/** The law of the same path given z. */
const givenPoint = (law, [x, y]) => ({
  ...law,
  data: [[1, x, y, 0, 0, 0]],
  centred: { ...law.centred, data: x === 0 && y === 0 },
  pairs: law.init.length,
  point: true,
});

/** The pairs of components at t, j-major, with the schedule's `values`. */
function pairTable(law, t) {
  const values = law.evaluate(t);
  const { alpha, beta } = values;
  if (law.point && beta === 0) throw new SingularTimeError("density", "p_t(. | z) is a point mass where beta = 0");
  const table = makeTable(law.pairs);
  const [a2, b2] = [alpha * alpha, beta * beta];
  const noise = law.gamma * law.gamma * t * (1 - t);
  let c = 0;
  for (const [v, nx, ny, sxx, sxy, syy] of law.init) {
    for (const [w, x, y, xx, xy, yy] of law.data) {
      const mean = [alpha * x + beta * nx, alpha * y + beta * ny];
      setComponent(table, c, Math.log(v) + Math.log(w), ...mean, a2 * xx + b2 * sxx + noise, a2 * xy + b2 * sxy, a2 * yy + b2 * syy + noise);
      c++;
    }
  }
  return Object.assign(table, { values, law, t });
}

/** An infinite derivative that only ever multiplies zero means is as good as zero. */
function finiteSlope(slope, vanishes, name) {
  if (Number.isFinite(slope)) return slope;
  if (vanishes) return 0;
  throw new SingularTimeError("velocity", `the derivative of ${name} is infinite at this time`);
}

/** The maps of `average` for the velocity u_t(x), kept with the table. */
function velocityMaps(table) {
  if (table.velocity) return table.velocity;
  const { law, values } = table;
  const dAlpha = finiteSlope(values.dAlpha, law.centred.data && !law.point, "alpha");
  const dBeta = finiteSlope(values.dBeta, law.centred.init && !law.point, "beta");
  const { alphaDAlpha: ada, betaDBeta: bdb } = values;
  const noise = (law.gamma * law.gamma * (1 - 2 * table.t)) / 2;
  table.velocity = regressionMaps(table, ([, nx, ny, sxx, sxy, syy], [, x, y, xx, xy, yy]) => [
    dAlpha * x + dBeta * nx,
    dAlpha * y + dBeta * ny,
    ada * xx + bdb * sxx + noise,
    ada * xy + bdb * sxy,
    ada * yy + bdb * syy + noise,
  ]);
  return table.velocity;
}

/** The maps of `average` for E[z | X_t = x]. */
function posteriorMeanMaps(table) {
  const { alpha } = table.values;
  return regressionMaps(table, (_, [, x, y, xx, xy, yy]) => [x, y, alpha * xx, alpha * xy, alpha * yy]);
}

/** g + G C^-1 (x - m) for each pair, with g and the symmetric G of `moments(init row, data row)`. */
function regressionMaps(table, moments) {
  const maps = makeMaps(table.count);
  const { w11, w21, w22, law } = table;
  let c = 0;
  for (const source of law.init) {
    for (const target of law.data) {
      const [g1, g2, gxx, gxy, gyy] = moments(source, target);
      const pxx = w11[c] * w11[c] + w21[c] * w21[c];
      const pxy = w21[c] * w22[c];
      const pyy = w22[c] * w22[c];
      maps.g1[c] = g1;
      maps.g2[c] = g2;
      maps.a11[c] = gxx * pxx + gxy * pxy;
      maps.a12[c] = gxx * pxy + gxy * pyy;
      maps.a21[c] = gxy * pxx + gyy * pxy;
      maps.a22[c] = gxy * pxy + gyy * pyy;
      c++;
    }
  }
  return maps;
}

const QUANTITY_MAPS = {
  velocity: velocityMaps,
  score: (table) => (table.scores ??= scoreMaps(table)),
  posterior_mean: posteriorMeanMaps,
};

/** The weight of each component of p_data given X_t = (x, y). */
function posterior(table, x, y) {
  const pairs = responsibilities(table, x, y);
  const count = table.law.data.length;
  const weights = new Float64Array(count);
  pairs.forEach((weight, c) => (weights[c % count] += weight));
  return weights;
}

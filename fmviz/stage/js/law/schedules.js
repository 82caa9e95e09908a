// Schedules alpha_t, beta_t with the derivatives and the products that stay finite where the derivatives do not
// (docs/theory.md, T14; fmviz.theory.schedulers).

const QUARTER_TURN = 0.5 * Math.PI;

const SCHEDULES = {
  linear: (t) => scheduleValues(t, 1 - t, 1, -1, t, -(1 - t)),
  sqrt: (t) => scheduleValues(t, Math.sqrt(1 - t), 1, -0.5 / Math.sqrt(1 - t), t, -0.5),
  trig: (t) => {
    const alpha = Math.sin(QUARTER_TURN * t);
    const beta = Math.sin(QUARTER_TURN * (1 - t));
    const product = QUARTER_TURN * alpha * beta;
    return scheduleValues(alpha, beta, QUARTER_TURN * beta, -QUARTER_TURN * alpha, product, -product);
  },
  polynomial: (t, [n]) => {
    const alpha = t ** n;
    const beta = -Math.expm1(n * Math.log(t)); // 1 - t^n without cancellation near t = 1
    const slope = n * t ** (n - 1);
    return scheduleValues(alpha, beta, slope, -slope, alpha * slope, -beta * slope);
  },
  vp: (t, [b0, b1]) => {
    const left = 1 - t;
    const logAlpha = -0.25 * (b1 - b0) * left * left - 0.5 * b0 * left;
    const rate = 0.5 * (b1 - b0) * left + 0.5 * b0;
    const alpha = Math.exp(logAlpha);
    const beta = Math.sqrt(-Math.expm1(2 * logAlpha));
    const product = alpha * alpha * rate;
    return scheduleValues(alpha, beta, alpha * rate, -product / beta, product, -product);
  },
};

function scheduleValues(alpha, beta, dAlpha, dBeta, alphaDAlpha, betaDBeta) {
  return { alpha, beta, dAlpha, dBeta, alphaDAlpha, betaDBeta };
}

/**
 * A function from t in [0, 1] to the six values.
 * `spec`: { name, parameters } of a preset, or { name: "custom", alpha, beta } with { tree, ends } each, where `ends` are value,
 * derivative and product at t = 0 and t = 1 (one-sided limits, which the server extrapolates), or null.
 */
function makeSchedule(spec) {
  if (spec.name === "custom") {
    const { alpha, beta } = spec;
    return (t) => {
      const [a, da, ada] = curveAt(alpha, t);
      const [b, db, bdb] = curveAt(beta, t);
      return scheduleValues(a, b, da, db, ada, bdb);
    };
  }
  if (!Object.hasOwn(SCHEDULES, spec.name)) throw new Error(`fmviz: unknown schedule ${spec.name}`);
  const preset = SCHEDULES[spec.name];
  return (t) => preset(t, spec.parameters);
}

function curveAt({ tree, ends }, t) {
  if (ends && t === 0) return ends[0].map(Number);
  if (ends && t === 1) return ends[1].map(Number);
  const [value, slope] = evaluateTree(tree, t);
  return [value, slope, value * slope];
}

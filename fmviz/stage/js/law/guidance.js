// Guidance by a label y at the scale w (docs/theory.md, T35 to T37, T48, T49): the path to the data of one label, the field
// (1-w) u(x) + w u(x|y), the tilted law proportional to p(x) p(y|x)^w, and the classifier p(y|x). Rows of p_data then have the
// label as their seventh number; one without is a class by itself.

const MASS_GRID = 64; // cells a side for the normalising constant of the tilted law

/** The law of the path to the data of one label, with the share of that label; null where no component has it. */
function givenLabel(law, label) {
  const rows = law.data.filter((row, k) => (row[6] ?? k) === label);
  if (!rows.length) return null;
  const share = rows.reduce((sum, [w]) => sum + w, 0);
  const data = rows.map(([w, ...rest]) => [w / share, ...rest]);
  const centred = { ...law.centred, data: data.every(([, x, y]) => x === 0 && y === 0) };
  return { ...law, data, centred, share, pairs: law.init.length * data.length };
}

/** Both paths and what mixes them: `guide` is {y, scale, interval}; null where no component has the label. */
function guidedLaw(law, guide) {
  const own = givenLabel(law, guide.y);
  return own && { plain: law, own, guide, pairs: law.pairs + own.pairs };
}

/** The scale in force at t: w on the closed interval, 1 elsewhere. */
const scaleAt = ({ scale, interval: [low, high] }, t) => (t >= low && t <= high ? scale : 1);

/** The tables of both paths at t. */
function guidedTable({ plain, own, guide }, t) {
  const tables = { plain: pairTable(plain, t), own: pairTable(own, t) };
  return { ...tables, t, scale: scaleAt(guide, t), logShare: Math.log(own.share), count: tables.plain.count + tables.own.count };
}

/** The table of either kind of law. */
const tableOf = (law, t) => (law.plain ? guidedTable(law, t) : pairTable(law, t));

/** A function (x, y, out, at) that writes a quantity of a table; "difference" is u(x|y) - u(x). */
function fieldOf(table, quantity) {
  const simple = (of, name) => {
    const maps = QUANTITY_MAPS[name](of);
    return (x, y, out, at) => average(of, maps, x, y, out, at);
  };
  if (!table.plain) return simple(table, quantity);
  const difference = quantity === "difference";
  const name = difference ? "velocity" : quantity;
  const { scale } = table;
  if (!difference && scale === 1) return simple(table.own, name);
  if (!difference && scale === 0) return simple(table.plain, name);
  const [plain, own] = [simple(table.plain, name), simple(table.own, name)];
  const [a, b] = [new Float64Array(2), new Float64Array(2)];
  const [first, second] = difference ? [-1, 1] : [1 - scale, scale];
  return (x, y, out, at) => {
    plain(x, y, a, 0);
    own(x, y, b, 0);
    out[at] = first * a[0] + second * b[0];
    out[at + 1] = first * a[1] + second * b[1];
  };
}

/** log p_t(y | x), at most 0 but for rounding. */
const logClassifier = (table, x, y) => logDensity(table.own, x, y) - logDensity(table.plain, x, y) + table.logShare;

/** log p_t(x) + w log p_t(y | x): the log density of the tilted law up to a constant of each time. */
function logTilted({ plain, own, scale, logShare }, x, y) {
  const all = logDensity(plain, x, y);
  return scale === 0 ? all : all + scale * (logDensity(own, x, y) + logShare - all);
}

/** Calls each(log value, cell) at the centres of columns x rows cells of a window, row 0 at the lowest y. */
function overGrid(value, table, [x0, x1, y0, y1], columns, rows, each) {
  for (let j = 0, n = 0; j < rows; j++) {
    const y = y0 + ((j + 0.5) * (y1 - y0)) / rows;
    for (let i = 0; i < columns; i++, n++) each(value(table, x0 + ((i + 0.5) * (x1 - x0)) / columns, y), n);
  }
}

/** The logarithm of the tilted law's mass in an extent, by the midpoint rule; kept with the table. */
function logMass(table, extent) {
  const key = extent.join();
  if (table.mass?.key === key) return table.mass.value;
  const logs = new Float64Array(MASS_GRID * MASS_GRID);
  overGrid(logTilted, table, extent, MASS_GRID, MASS_GRID, (log, n) => (logs[n] = log));
  const most = logs.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = logs.reduce((a, b) => a + Math.exp(b - most), 0);
  const cell = ((extent[1] - extent[0]) * (extent[3] - extent[2])) / (MASS_GRID * MASS_GRID);
  table.mass = { key, value: most + Math.log(sum * cell) };
  return table.mass.value;
}

/** Log density at a point of what a layer shows: of a path, of the tilted law (with mass 1 in `extent`), or of the classifier. */
function logValue(table, of, extent, x, y) {
  if (of === "classifier") return logClassifier(table, x, y);
  if (of === "tilted") return logTilted(table, x, y) - logMass(table, extent);
  return logDensity(table, x, y);
}

/** `gridCodes` of what a layer shows. */
function valueCodes(table, of, extent, window, columns, rows, top, nats, codes, sums) {
  if (!table.plain) return gridCodes(table, window, columns, rows, top, nats, codes, sums);
  const shift = of === "tilted" ? logMass(table, extent) : 0;
  const perNat = 65534 / nats;
  overGrid(of === "tilted" ? logTilted : logClassifier, table, window, columns, rows, (log, n) => {
    const code = 1.5 + (nats + log - shift - top) * perNat;
    codes[n] = code > 1 ? (code < 65535 ? code : 65535) : 0;
  });
  return codes;
}

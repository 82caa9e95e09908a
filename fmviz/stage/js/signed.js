// A signed field: diverging colours, zero in the middle. Its values are interpolated in time as they are; the height on the
// colour scale is taken in each cell, and that is what is interpolated between the cells.

const ZERO_CODE = 32768; // the middle of the table of colours
const SIGNED_DECADES = 3; // what the logarithmic scale shows on either side before it becomes linear around zero
const SIGNED_SPAN = 10 ** SIGNED_DECADES;

/** Height in -1 … 1 on the colour scale of a value that is the fraction `f` of the limit. */
function signedHeight(scale, f) {
  const size = f < 0 ? -f : f;
  if (scale === "linear" || size >= 1) return f > 1 ? 1 : f < -1 ? -1 : f;
  const height = scale === "sqrt" ? Math.sqrt(size) : Math.log1p(size * SIGNED_SPAN) / Math.log1p(SIGNED_SPAN);
  return f < 0 ? -height : height;
}

/** The fraction of the limit at a height: the inverse of signedHeight. */
function signedFraction(scale, height) {
  const size = Math.abs(height);
  if (scale === "log") return (Math.sign(height) * Math.expm1(size * Math.log1p(SIGNED_SPAN))) / SIGNED_SPAN;
  return scale === "sqrt" ? height * size : height;
}

/** Panels with equal keys have one scale; a density has its own. */
function scaleKeyOf(model) {
  const layer = model.layers?.find(isGround);
  return layer?.kind === "signed" ? [layer.limit, ...layer.limits].join() : null;
}

/** Values of the signed field at the current frame, NaN where there are none; kept until the frame changes. */
function updateSigned(S, view) {
  const layer = groundLayer(view);
  const key = `${S.clip.digest}:${S.frame}`;
  if (view.signs?.key === key && view.signs.layer === layer) return view.signs;
  const cells = layer.rows * layer.columns;
  const values = view.signs?.values.length === cells ? view.signs.values : new Float32Array(cells);
  const { codes } = layer;
  const factor = layer.hi / (32767 * 32767);
  const i = Math.floor(S.frame);
  const w = S.frame - i;
  const a = i * cells;
  const b = w === 0 ? a : a + cells;
  for (let c = 0; c < cells; c++) {
    let from = codes[a + c];
    let to = codes[b + c];
    if (from === -32768) from = to; // a gap on one side keeps the other
    else if (to === -32768) to = from;
    if (from === -32768) {
      values[c] = NaN;
      continue;
    }
    const start = from * (from < 0 ? -from : from);
    values[c] = factor * (start + (to * (to < 0 ? -to : to) - start) * w);
  }
  view.signs = { key, layer, rows: layer.rows, columns: layer.columns, values, window: view.model.ownExtent ?? view.model.extent };
  return view.signs;
}

/** The absolute value at full colour of the scale in use. */
function topOfSigned(S, view) {
  const layer = groundLayer(view);
  return S.perFrame ? sample(layer.limits, S.frame, 1, 0) : layer.limit;
}

/** The colour of each height (shifted); no value looks like zero, and zero like the page. */
function signedTable(theme) {
  if (!theme.tables.signed) {
    const table = new Int32Array(65536 >> TABLE_SHIFT);
    for (let n = 0; n < table.length; n++) {
      table[n] = pixelOf(rampColour(theme.diverging, ((n + 0.5) * (1 << TABLE_SHIFT)) / 65536));
    }
    theme.tables.signed = table;
  }
  return theme.tables.signed;
}

function drawSigned(S, view) {
  const { rows, columns, values, window } = updateSigned(S, view);
  if (view.heights?.length !== values.length) view.heights = new Uint16Array(values.length);
  const codes = view.heights;
  const top = topOfSigned(S, view);
  const { scale } = S;
  for (let c = 0; c < codes.length; c++) {
    const value = values[c];
    codes[c] = value === value ? ZERO_CODE + 32767 * signedHeight(scale, value / top) : ZERO_CODE;
  }
  drawCells(view, { rows, columns, codes, window }, 0, signedTable(S.theme));
}

/** The value at a point of the plane, NaN where there is none. */
function signedAt(S, view, x, y) {
  const field = updateSigned(S, view);
  return cellsAt(field, field.values, x, y);
}

/** Numbers on the colour bar of a signed field: [height in 0…1, text]. */
function signedMarks(S, top) {
  const fractions = S.scale === "log" ? [1, 0.1, 0.01] : [1, signedFraction(S.scale, 0.5)];
  const upper = fractions.map((f) => [0.5 + signedHeight(S.scale, f) / 2, signedText(f * top)]);
  const lower = fractions.map((f) => [0.5 - signedHeight(S.scale, f) / 2, signedText(-f * top)]);
  return [...lower, [0.5, "0"], ...upper.reverse()];
}

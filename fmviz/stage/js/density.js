// Density: log p, interpolated between two frames and between the cells, then looked up in the table of colours.

const densityLayer = (view) => view.model.layers.find((layer) => layer.kind === "density");

/** Codes of the density at the current frame, kept until the frame changes. */
function updateField(S, view) {
  const layer = densityLayer(view);
  if (!layer) return null;
  const key = `${S.clip.digest}:${S.frame}`;
  if (view.field?.key === key && view.field.layer === layer) return view.field;
  const cells = layer.rows * layer.columns;
  if (view.field?.codes.length !== cells) view.field = { codes: new Uint16Array(cells) };
  const field = view.field;
  Object.assign(field, { key, layer, rows: layer.rows, columns: layer.columns });
  const i = Math.floor(S.frame);
  const w = S.frame - i;
  const a = i * cells;
  const { codes } = field;
  let most = 0;
  if (w === 0) {
    codes.set(layer.codes.subarray(a, a + cells));
    for (let c = 0; c < cells; c++) if (codes[c] > most) most = codes[c];
  } else {
    const from = layer.codes;
    const b = a + cells;
    for (let c = 0; c < cells; c++) {
      const start = from[a + c];
      const code = (start + (from[b + c] - start) * w) | 0;
      codes[c] = code;
      if (code > most) most = code;
    }
  }
  field.most = most;
  return field;
}

const codeOfLog = (layer, log) => 1 + (log - layer.lo) * CODE_PER_NAT;
const logOfCode = (layer, code) => layer.lo + (code - 1) / CODE_PER_NAT;

/** Natural logarithm of the density at the top of the colour scale in use. */
function topOfScale(S, view) {
  const layer = densityLayer(view);
  if (!S.perFrame) return layer.log_max;
  return logOfCode(layer, updateField(S, view).most);
}

/** Log p between the cell centres is bilinear, the colour comes after: smooth at any size. */
function drawDensity(S, view) {
  const field = updateField(S, view);
  const { w, h, pixels } = view.surface;
  const { rows } = field;
  const table = colourTable(S.theme, S.scale);
  const wide = stretchRows(view, field, Math.round(65535 - codeOfLog(field.layer, topOfScale(S, view))));
  for (let y = 0, to = 0; y < h; y++) {
    const v = Math.min(Math.max(((h - y - 0.5) / h) * rows - 0.5, 0), rows - 1);
    const j = Math.min(Math.floor(v), rows - 2);
    const weight = Math.round((v - j) * 1024);
    for (let at = j * w, end = at + w; at < end; at++, to++) {
      const code = wide[at];
      pixels[to] = table[(code + (((wide[at + w] - code) * weight) >> 10)) >> TABLE_SHIFT];
    }
  }
}

/** Each row of cells as a row of pixels, codes counted from the top of the scale and kept within the table. */
function stretchRows(view, { rows, columns, codes }, shift) {
  const { w } = view.surface;
  if (view.wide?.length !== rows * w) view.wide = new Int32Array(rows * w);
  const { index, weight } = cellsBehind(view, columns, w);
  const { wide } = view;
  for (let j = 0, to = 0; j < rows; j++) {
    const row = j * columns;
    for (let x = 0; x < w; x++, to++) {
      const at = row + index[x];
      const code = codes[at];
      const value = code + shift + (((codes[at + 1] - code) * weight[x]) >> 10);
      wide[to] = value < 0 ? 0 : value > 65535 ? 65535 : value;
    }
  }
  return wide;
}

/** For each pixel of a row: the cell whose centre lies before it, and the weight of the next one in 1/1024. */
function cellsBehind(view, columns, w) {
  if (view.behind?.columns === columns && view.behind.w === w) return view.behind;
  const index = new Int32Array(w);
  const weight = new Int32Array(w);
  for (let x = 0; x < w; x++) {
    const at = Math.min(Math.max(((x + 0.5) / w) * columns - 0.5, 0), columns - 1);
    index[x] = Math.min(Math.floor(at), columns - 2);
    weight[x] = Math.round((at - index[x]) * 1024);
  }
  view.behind = { columns, w, index, weight };
  return view.behind;
}

/** Density at a point of the plane, bilinear in log p; null outside the grid or without density. */
function densityAt(S, view, x, y) {
  const field = updateField(S, view);
  if (!field) return null;
  const [x0, x1, y0, y1] = view.model.extent;
  const clamp = (value, most) => Math.min(Math.max(value, 0), most);
  const u = clamp(((x - x0) / (x1 - x0)) * field.columns - 0.5, field.columns - 1);
  const v = clamp(((y - y0) / (y1 - y0)) * field.rows - 0.5, field.rows - 1);
  const i = Math.min(Math.floor(u), field.columns - 2);
  const j = Math.min(Math.floor(v), field.rows - 2);
  const at = (row, column) => field.codes[row * field.columns + column];
  const low = at(j, i) + (at(j, i + 1) - at(j, i)) * (u - i);
  const high = at(j + 1, i) + (at(j + 1, i + 1) - at(j + 1, i)) * (u - i);
  const code = low + (high - low) * (v - j);
  return code < 1 ? 0 : Math.exp(logOfCode(field.layer, code));
}

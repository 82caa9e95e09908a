// The ground of a plane: a field of codes on a grid of cells, bilinear between their centres, looked up in a table of
// colours. At most one layer of a panel is its ground, a density or a signed field.

const isGround = (layer) => layer.kind === "density" || layer.kind === "signed";
const groundLayer = (view) => view.model.layers.find(isGround);

/** Fills the plot with a field whose codes, plus `shift`, lie in 0 … 65535. The colour comes last: smooth at any size. */
function drawCells(view, field, shift, table) {
  const { w, h, pixels } = view.surface;
  const { rows } = field;
  const wide = stretchRows(view, field, shift);
  const [, , y0, y1] = view.window;
  const [, , low, high] = field.window;
  for (let y = 0, to = 0; y < h; y++) {
    const up = y0 + ((h - y - 0.5) / h) * (y1 - y0);
    const v = Math.min(Math.max(((up - low) / (high - low)) * rows - 0.5, 0), rows - 1);
    const j = Math.min(Math.floor(v), rows - 2);
    const weight = Math.round((v - j) * 1024);
    for (let at = j * w, end = at + w; at < end; at++, to++) {
      const code = wide[at];
      pixels[to] = table[(code + (((wide[at + w] - code) * weight) >> 10)) >> TABLE_SHIFT];
    }
  }
}

/** Each row of cells as a row of pixels, the codes shifted and kept within the table. */
function stretchRows(view, field, shift) {
  const { rows, columns, codes } = field;
  const { w } = view.surface;
  if (view.wide?.length !== rows * w) view.wide = new Int32Array(rows * w);
  const { index, weight } = cellsBehind(view, field, w);
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
function cellsBehind(view, { columns, window: [left, right] }, w) {
  const [x0, x1] = view.window;
  const key = [columns, w, left, right, x0, x1].join();
  if (view.behind?.key === key) return view.behind;
  const index = new Int32Array(w);
  const weight = new Int32Array(w);
  for (let x = 0; x < w; x++) {
    const across = x0 + ((x + 0.5) / w) * (x1 - x0);
    const at = Math.min(Math.max(((across - left) / (right - left)) * columns - 0.5, 0), columns - 1);
    index[x] = Math.min(Math.floor(at), columns - 2);
    weight[x] = Math.round((at - index[x]) * 1024);
  }
  view.behind = { key, index, weight };
  return view.behind;
}

/** The value between the cells at a point of the plane, bilinear. */
function cellsAt({ rows, columns, window: [x0, x1, y0, y1] }, values, x, y) {
  const clamp = (value, most) => Math.min(Math.max(value, 0), most);
  const u = clamp(((x - x0) / (x1 - x0)) * columns - 0.5, columns - 1);
  const v = clamp(((y - y0) / (y1 - y0)) * rows - 0.5, rows - 1);
  const i = Math.min(Math.floor(u), columns - 2);
  const j = Math.min(Math.floor(v), rows - 2);
  const at = (row, column) => values[row * columns + column];
  const low = at(j, i) + (at(j, i + 1) - at(j, i)) * (u - i);
  const high = at(j + 1, i) + (at(j + 1, i + 1) - at(j + 1, i)) * (u - i);
  return low + (high - low) * (v - j);
}

/** The ground at a point of the plane in words, null without one. */
function groundText(S, view, x, y) {
  const layer = groundLayer(view);
  if (!layer) return null;
  if (layer.kind === "density") return `${layer.label || "p"} ${densityText(densityAt(S, view, x, y))}`;
  return `${layer.label || S.header.labels.signed} ${signedText(signedAt(S, view, x, y))}`;
}

// Density: log p, interpolated between two frames and between the cells, then looked up in the table of colours.

/** Codes of the density at the current frame, kept until the frame changes. */
function updateField(S, view) {
  const layer = groundLayer(view);
  if (layer.of) return lawField(S, view, layer);
  const key = `${S.clip.digest}:${S.frame}`;
  if (view.field?.key === key && view.field.layer === layer) return view.field;
  const cells = layer.rows * layer.columns;
  if (view.field?.codes.length !== cells || view.field.sums) view.field = { codes: new Uint16Array(cells), window: view.model.ownExtent ?? view.model.extent };
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
  const layer = groundLayer(view);
  if (!S.perFrame) return layer.log_max;
  return logOfCode(layer, updateField(S, view).most);
}

/** Log p between the cell centres is bilinear, the colour comes after. */
function drawDensity(S, view) {
  const field = updateField(S, view);
  drawCells(view, field, Math.round(65535 - codeOfLog(field.layer, topOfScale(S, view))), colourTable(S.theme, S.scale));
}

/** Density at a point of the plane. */
function densityAt(S, view, x, y) {
  const layer = groundLayer(view);
  if (layer.of) return Math.exp(lawLogDensity(S, view, layer, x, y));
  const field = updateField(S, view);
  const code = cellsAt(field, field.codes, x, y);
  return code < 1 ? 0 : Math.exp(logOfCode(field.layer, code));
}

// Density: interpolate log p between two frames, look the colour up, let the canvas smooth the pixels.

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

function drawDensity(S, ctx, view) {
  const field = updateField(S, view);
  const shift = Math.round(65535 - codeOfLog(field.layer, topOfScale(S, view)));
  const key = [field.key, shift, S.scale, S.theme.key].join();
  if (field.paintKey !== key || !field.image) paintField(S, field, shift, key);
  ctx.imageSmoothingEnabled = true;
  ctx.imageSmoothingQuality = "low";
  ctx.drawImage(field.image, 0, 0, view.w, view.h);
}

function paintField(S, field, shift, key) {
  const { rows, columns, codes } = field;
  if (!field.image || field.image.width !== columns || field.image.height !== rows) {
    field.image = element("canvas");
    field.image.width = columns;
    field.image.height = rows;
    field.brush = field.image.getContext("2d", { willReadFrequently: true });
    field.data = field.brush.createImageData(columns, rows);
    field.pixels = new Uint32Array(field.data.data.buffer);
  }
  const table = colourTable(S.theme, S.scale);
  const { pixels } = field;
  for (let row = 0; row < rows; row++) {
    let to = (rows - 1 - row) * columns;
    for (let from = row * columns, end = from + columns; from < end; from++, to++) {
      const code = codes[from] + shift;
      pixels[to] = table[code > 65535 ? 65535 : code < 0 ? 0 : code];
    }
  }
  field.brush.putImageData(field.data, 0, 0);
  field.paintKey = key;
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

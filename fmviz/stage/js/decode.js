// The payload of fmviz/stage/payload.py, turned back into a clip.

/** Header object of a payload and a function that reads one of its arrays. */
function openPayload(data) {
  const bytes = data.slice(); // the view we are given may start at an odd byte
  const view = new DataView(bytes.buffer);
  if (bytes.length < 8 || view.getUint32(0, false) !== 0x464d565a) throw new Error("fmviz: not a clip");
  const length = view.getUint32(4, true);
  const text = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  const start = Math.ceil((8 + length) / 8) * 8;
  return { text, header: JSON.parse(text), read: (entry) => readArray(bytes.buffer, start, entry) };
}

function readArray(buffer, start, entry) {
  const at = start + entry.offset;
  if (entry.dtype === "f64") return new Float64Array(buffer, at, entry.count);
  if (entry.dtype === "f32") return new Float32Array(buffer, at, entry.count);
  if (entry.dtype === "u16") return new Uint16Array(buffer, at, entry.count);
  if (entry.dtype === "s16") return new Int16Array(buffer, at, entry.count);
  const codes = new Int16Array(buffer, at, entry.count);
  const values = new Float32Array(entry.count);
  const step = (entry.hi - entry.lo) / 65534;
  for (let i = 0; i < codes.length; i++) {
    values[i] = codes[i] === -32768 ? NaN : entry.lo + (codes[i] + 32767) * step;
  }
  return values;
}

const NATS = 30; // depth of a log density, as in payload.py
const ABOVE_TOP = 8; // a frame may rise this many nats above the shared top, as in block.py
const CODE_PER_NAT = 65534 / NATS;

function decodeClip({ header, read }) {
  const panels = header.panels.map((panel) =>
    panel.kind === "bars"
      ? { ...panel, bars: panel.bars && { ...panel.bars, values: panel.bars.values && read(panel.bars.values) } }
      : { ...panel, layers: panel.layers.map((layer) => decodeLayer(layer, read)) },
  );
  const times = read(header.times);
  return {
    digest: header.clip,
    seconds: header.seconds,
    columns: header.columns,
    times,
    law: header.law && decodeLaw(header.law, read),
    frames: times.length,
    panels,
    readouts: header.readouts.map((entry) => ({ label: entry.label, values: read(entry.values) })),
  };
}

/** The law of a clip: components as rows [weight, mean x, mean y, cov xx, cov xy, cov yy], of a guided one with the label behind. */
function decodeLaw(law, read) {
  const rows = (entry) => {
    const numbers = read(entry);
    return Array.from({ length: numbers.length / 6 }, (_, k) => Array.from(numbers.subarray(6 * k, 6 * k + 6)));
  };
  const classes = law.guide?.classes;
  return { ...law, init: rows(law.init), data: rows(law.data).map((row, k) => (classes ? [...row, classes[k]] : row)) };
}

function decodeLayer(layer, read) {
  if (layer.way) {
    const arrays = [layer.starts, layer.ends, layer.positions, layer.weights];
    const [starts, ends, positions, weights] = arrays.map((entry) => entry && read(entry));
    return { ...layer, starts, ends, positions, weights };
  }
  switch (layer.kind) {
    case "density": {
      if (layer.of) return { ...layer, hi: layer.log_max + ABOVE_TOP, lo: layer.log_max + ABOVE_TOP - NATS };
      const codes = read(layer.codes);
      return { ...layer, codes, lo: layer.codes.lo, hi: layer.codes.hi };
    }
    case "signed":
      return { ...layer, codes: read(layer.codes), hi: layer.codes.hi, limits: read(layer.limits) };
    case "box":
      return { ...layer, mass: read(layer.mass), flux: read(layer.flux) };
    case "vectors":
      if (layer.of) return layer;
      return { ...layer, positions: read(layer.positions), vectors: read(layer.vectors) };
    case "mesh":
    case "particles":
      return { ...layer, positions: read(layer.positions), weights: layer.weights && read(layer.weights) };
    case "markers":
      return { ...layer, positions: read(layer.positions) };
    case "lines":
      return { ...layer, points: read(layer.points) };
    default:
      return layer;
  }
}

/** Fractional frame index of time t. */
function frameAt(times, t) {
  const last = times.length - 1;
  if (t <= times[0]) return 0;
  if (t >= times[last]) return last;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (times[middle] <= t) low = middle;
    else high = middle;
  }
  return low + (t - times[low]) / (times[high] - times[low]);
}

/** Time of a fractional frame index. */
function timeAt(times, frame) {
  const i = Math.min(Math.max(Math.floor(frame), 0), times.length - 1);
  const j = Math.min(i + 1, times.length - 1);
  return times[i] + (frame - i) * (times[j] - times[i]);
}

/** Values (T, K) at a fractional frame, linear in between; a gap on one side keeps the other. */
function sample(values, frame, width, index) {
  const i = Math.floor(frame);
  const w = frame - i;
  const a = values[i * width + index];
  if (w === 0) return a;
  const b = values[(i + 1) * width + index];
  if (b !== b) return a;
  return a !== a ? b : a + (b - a) * w;
}

// What is chosen once for all t: the top of the colours, and the length of the arrows (fmviz.clips.scales).

const SCALE_TIMES = 16;
const MANY_PAIRS = 64;
const MOST_CENTRES = 192;
const ARROW_QUANTILE = 0.7;
const CONDITIONAL_PEAK_TIME = 0.6; // the density given z grows without bound towards t = 1: its colours end at this peak

const evenly = (count) => Array.from({ length: count }, (_, i) => i / (count - 1));

/** The times at which a scale is looked for: those of the frames, or fewer where each costs much. */
const scaleTimes = (law, frames) => evenly(law.pairs <= MANY_PAIRS ? frames : SCALE_TIMES);

/** The largest log p_t over all t, looked for where pairs of components are centred. */
function densityTop(law, frames) {
  let top = -Infinity;
  for (const t of scaleTimes(law, frames)) {
    const table = pairTable(law, t);
    const stride = Math.ceil(table.count / MOST_CENTRES);
    for (let c = 0; c < table.count; c += stride) top = Math.max(top, logDensity(table, table.mx[c], table.my[c]));
  }
  return top;
}

/** The top of the colours of the density given z. */
function conditionalTop(law) {
  const table = pairTable(law, CONDITIONAL_PEAK_TIME);
  let top = -Infinity;
  for (let c = 0; c < table.count; c++) top = Math.max(top, logDensity(table, table.mx[c], table.my[c]));
  return top;
}

/** World length of a vector of length 1, such that most arrows on `across` squared points stay within their cell. */
function arrowScale(law, quantity, [x0, x1, y0, y1], across, frames) {
  const lengths = [];
  const vector = [0, 0];
  for (const t of scaleTimes(law, frames)) {
    const table = pairTable(law, t);
    const maps = QUANTITY_MAPS[quantity](table);
    for (let j = 0; j < across; j++) {
      for (let i = 0; i < across; i++) {
        average(table, maps, x0 + ((i + 0.5) * (x1 - x0)) / across, y0 + ((j + 0.5) * (y1 - y0)) / across, vector, 0);
        lengths.push(Math.hypot(...vector));
      }
    }
  }
  lengths.sort((a, b) => a - b);
  const typical = lengths[Math.floor(ARROW_QUANTILE * (lengths.length - 1))];
  return typical > 0 ? (0.9 * (x1 - x0)) / across / typical : 1;
}

// Contour lines of the density by marching squares, chained into polylines so that they stroke cleanly.

// Crossed edges of a cell (0 bottom, 1 right, 2 top, 3 left) for each pattern of corners above the level.
const CELL_EDGES = [
  [], [3, 0], [0, 1], [3, 1], [1, 2], [3, 0, 1, 2], [0, 2], [3, 2],
  [2, 3], [2, 0], [0, 1, 2, 3], [2, 1], [1, 3], [1, 0], [0, 3], [],
];

/** Polylines of one level as arrays of grid coordinates [u0, v0, u1, v1, …], v upwards. */
function contourLines(field, level, scratch) {
  const { codes, rows, columns } = field;
  const across = rows * columns; // horizontal edges first, then vertical ones
  const { first, second, touched } = scratch;
  touched.length = 0;
  const link = (from, to) => {
    if (first[from] < 0) {
      first[from] = to;
      touched.push(from);
    } else second[from] = to;
  };
  for (let j = 0; j < rows - 1; j++) {
    let at = j * columns;
    let left = (codes[at] > level ? 1 : 0) | (codes[at + columns] > level ? 8 : 0);
    for (let i = 0; i < columns - 1; i++, at++) {
      const right = (codes[at + 1] > level ? 2 : 0) | (codes[at + columns + 1] > level ? 4 : 0);
      const pattern = left | right;
      if (pattern !== 0 && pattern !== 15) {
        const cut = CELL_EDGES[pattern];
        for (let e = 0; e < cut.length; e += 2) {
          const a = edgeId(cut[e], at, columns, across);
          const b = edgeId(cut[e + 1], at, columns, across);
          link(a, b);
          link(b, a);
        }
      }
      left = (right & 2 ? 1 : 0) | (right & 4 ? 8 : 0);
    }
  }
  const lines = [];
  for (const edge of touched) if (first[edge] >= 0 && second[edge] < 0) lines.push(follow(field, edge, level, scratch, across));
  for (const edge of touched) if (first[edge] >= 0) lines.push(follow(field, edge, level, scratch, across));
  for (const edge of touched) first[edge] = second[edge] = -1;
  return lines;
}

function edgeId(side, at, columns, across) {
  if (side === 0) return at;
  if (side === 2) return at + columns;
  return across + (side === 3 ? at : at + 1);
}

/** Walks from one edge crossing to the next and takes the links away behind it. */
function follow(field, start, level, { first, second }, across) {
  const { codes, columns } = field;
  const line = [];
  let edge = start;
  let before = -1;
  for (;;) {
    const upright = edge >= across;
    const at = upright ? edge - across : edge;
    const other = upright ? at + columns : at + 1;
    const w = (level - codes[at]) / (codes[other] - codes[at]);
    line.push((at % columns) + (upright ? 0 : w), Math.floor(at / columns) + (upright ? w : 0));
    const next = first[edge] !== before ? first[edge] : second[edge];
    first[edge] = second[edge] = -1;
    if (next < 0) break;
    if (next === start) {
      line.push(line[0], line[1]);
      break;
    }
    before = edge;
    edge = next;
  }
  return line;
}

function drawContours(S, view, layer) {
  const field = updateField(S, view);
  const top = codeOfLog(field.layer, topOfScale(S, view));
  const key = [field.key, top, layer.levels].join();
  if (view.contourKey !== key) {
    const edges = 2 * field.rows * field.columns;
    if (view.scratch?.first.length !== edges) {
      view.scratch = { first: new Int32Array(edges).fill(-1), second: new Int32Array(edges).fill(-1), touched: [] };
    }
    view.contours = layer.levels.map((level) => contourLines(field, top + Math.log(level) * CODE_PER_NAT, view.scratch));
    view.contourKey = key;
  }
  const { surface } = view;
  const sx = surface.w / field.columns;
  const sy = surface.h / field.rows;
  const pen = makePen(surface, 1.1 * S.type * view.ratio, pixelOf(S.theme.roles[layer.role]), null);
  view.contours.forEach((lines, index) => {
    const alpha = 0.3 + (0.4 * (index + 1)) / view.contours.length;
    for (const line of lines) {
      pen.lift();
      for (let n = 0; n < line.length; n += 2) {
        pen.to((line[n] + 0.5) * sx, surface.h - (line[n + 1] + 0.5) * sy, alpha);
      }
    }
  });
}

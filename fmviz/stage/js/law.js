// The law behind a clip, as it is now: what the server sent, with what the user has under the finger in place of it. All that
// has a closed form is evaluated from it for the t on the clock, at the resolution of the screen and the window in view.

const FRAME_MS = 4; // what evaluating the law may cost of a picture that moves
const REST_MS = 12; // and of one at rest; what costs more is done by the worker
const GRIDS = [48, 64, 96, 128, 192, 256, 384, 512, 768]; // cells of a density along the longer side
const MOVING_GRID = 128; // more would not be seen while it moves
const LOGARITHM_COST = 30; // one logarithm of a sum against one of the running products of a grid
const REST_AFTER = 140; // milliseconds without motion
const FLOW_MS = 5;
const MOST_FLOW_MS = 30;
const LEAST_FLOW = 200; // particles that follow in every picture

/** The law to draw from; null where the clip has none. */
function lawOf(S) {
  const given = S.clip.law;
  if (!given) return null;
  const rows = (name) => {
    const edit = S.edits.get(name);
    return edit && (edit.held || edit.dragging) ? edit.components : given[name];
  };
  const init = rows("init");
  const data = rows("data");
  const z = S.moves.get(given.z_name)?.place ?? given.z;
  const now = S.law;
  const guide = guideOf(S, given);
  if (now?.given === given && now.init === init && now.data === data && now.z === z && now.guide === guide) return now;
  const marginal = LAW.makeLaw({ init, data, schedule: given.schedule, gamma: given.gamma });
  const guided = guide && LAW.guidedLaw(marginal, guide);
  const edited = init !== given.init || data !== given.data || guide !== given.guide;
  S.law = {
    given,
    init,
    data,
    z,
    guide,
    edited,
    marginal,
    conditional: LAW.givenPoint(marginal, z),
    label: guided && guided.own,
    guided,
    tilted: guided && guide.scale >= 0 && { ...guided, pairs: LOGARITHM_COST * guided.pairs },
    classifier: guided && { ...guided, pairs: LOGARITHM_COST * guided.pairs },
    version: (now?.version ?? 0) + 1,
    tables: {},
    ways: new Map(),
  };
  S.root.dataset.law = S.law.version;
  S.lastMotion = performance.now();
  return S.law;
}

/** The table of pairs at the t on the clock; null where that law has no density, or no component has the label. */
function lawTable(S, of) {
  const law = lawOf(S);
  const kept = law.tables[of];
  if (kept?.t === S.t) return kept.table;
  law.tables[of] = { t: S.t, table: law[of] && orNothing(() => LAW.tableOf(law[of], S.t)) };
  return law.tables[of].table;
}

/** What `make` gives, null where it has no value at this time. */
function orNothing(make) {
  try {
    return make();
  } catch (error) {
    if (error instanceof LAW.SingularTimeError) return null;
    throw error;
  }
}

/** Whether the picture is moving: it may then be coarser, and is drawn again once it rests. */
function isMoving(S) {
  return !S.exporting && (S.playing || performance.now() - (S.lastMotion ?? -1e9) < REST_AFTER);
}

/** Draws again, sharp, when nothing has moved for a while. */
function sharpenLater(S) {
  clearTimeout(S.sharpTimer);
  S.sharpTimer = setTimeout(() => {
    if (S.root.isConnected && !S.playing) invalidate(S);
  }, REST_AFTER + 10);
}

/** What a density on so many cells costs, in milliseconds, as measured till now. */
const densityCost = (S, pairs, cells) => cells * (pairs * (S.cellMs ?? 5e-7) + 2e-5);

/** Columns and rows of cells with so many along the longer side of a plot. */
function gridOf({ plot }, side) {
  const short = Math.max(2, Math.round((side * Math.min(plot.width, plot.height)) / Math.max(plot.width, plot.height)));
  return plot.width >= plot.height ? [side, short] : [short, side];
}

/** How many cells there is time for now. */
function affordableSide(S, view, pairs) {
  const moving = isMoving(S);
  const budget = S.exporting ? Infinity : moving ? FRAME_MS : REST_MS;
  const most = moving ? MOVING_GRID : sharpSide(view);
  const fits = (side) => side <= most && densityCost(S, pairs, side * gridOf(view, side).at(-1)) <= budget;
  return GRIDS.filter((side, i) => i === 0 || fits(side)).at(-1);
}

/** As many cells as the plot has pixels, or the next smaller step. */
const sharpSide = (view) => GRIDS.filter((side) => side <= Math.max(view.plot.width, view.plot.height)).at(-1) ?? GRIDS[0];

/** What tells whether a density has to be drawn again. */
function densityKey(S, view, layer) {
  const law = lawOf(S);
  const side = affordableSide(S, view, law[layer.of]?.pairs ?? 1);
  return { side, base: [S.clip.digest, law.version, S.t, view.window].join(), sharp: view.sharp?.key };
}

/** The density of the law at the t on the clock as codes, kept until something changes. */
function lawField(S, view, layer) {
  const law = lawOf(S);
  const { side, base } = densityKey(S, view, layer);
  const full = sharpSide(view);
  if (!isMoving(S) && side < full && law[layer.of]) {
    const key = `${base},${full}`;
    if (view.sharp?.key === key) return view.sharp;
    askForDensity(S, view, layer, key, full);
  }
  const [columns, rows] = gridOf(view, side);
  const key = `${base},${side}`;
  if (view.field?.key === key && view.field.layer === layer) return view.field;
  const cells = columns * rows;
  const reused = view.field?.sums && view.field.codes.length === cells;
  if (!reused) view.field = { codes: new Uint16Array(cells), sums: new Float64Array(cells) };
  const { field } = view;
  Object.assign(field, { key, layer, rows, columns, window: view.window });
  const table = lawTable(S, layer.of);
  const start = performance.now();
  if (table) {
    LAW.valueCodes(table, layer.of, view.model.extent, view.window, columns, rows, layer.hi, NATS, field.codes, field.sums);
    const spent = performance.now() - start;
    const work = cells * law[layer.of].pairs;
    if (work > 4e5) S.cellMs = mixRate(S.cellMs, Math.max(spent - cells * 2e-5, 0.05) / work);
  } else if (layer.of === "conditional") pointMass(field, law.z, layer);
  else field.codes.fill(0);
  finishField(S, field);
  return field;
}

function finishField(S, field) {
  const { codes } = field;
  let most = 0;
  for (let c = 0; c < codes.length; c++) if (codes[c] > most) most = codes[c];
  field.most = most;
  S.root.dataset.cells = field.columns;
}

/** The same as fine as the screen, from the worker: the coarse picture stands till it comes. */
function askForDensity(S, view, layer, key, side) {
  const law = lawOf(S);
  const { window } = view;
  const [columns, rows] = gridOf(view, side);
  const z = layer.of === "conditional" ? law.z : null;
  const { extent } = view.model;
  const place = { of: layer.of, extent, window, columns, rows };
  const job = { kind: "density", key, spec: sendable(law), z, t: S.t, ...place, top: layer.hi, nats: NATS };
  askWorker(S, `density of ${view.model.name}`, job, (codes) => {
    if (!codes) return;
    view.sharp = { key, layer, codes, columns, rows, window };
    finishField(S, view.sharp);
  });
}

const mixRate = (old, measured) => (old === undefined ? measured : old + 0.3 * (measured - old));

/** All mass in the cell that holds the point. */
function pointMass(field, [x, y], layer) {
  const [x0, x1, y0, y1] = field.window;
  field.codes.fill(0);
  const column = Math.floor(((x - x0) / (x1 - x0)) * field.columns);
  const row = Math.floor(((y - y0) / (y1 - y0)) * field.rows);
  if (column < 0 || column >= field.columns || row < 0 || row >= field.rows) return;
  field.codes[row * field.columns + column] = Math.min(codeOfLog(layer, layer.log_max), 65535);
}

/** Log density of the law at a point, for the number under the pointer; -Infinity around a point mass. */
function lawLogDensity(S, view, layer, x, y) {
  const table = lawTable(S, layer.of);
  return table ? LAW.logValue(table, layer.of, view.model.extent, x, y) : -Infinity;
}

/** Velocity or score on a grid of the window, as positions and vectors of one picture. */
function lawArrows(S, view, layer) {
  const law = lawOf(S);
  const key = [S.clip.digest, law.version, S.t, view.window].join();
  const kept = (view.arrows ??= new Map()).get(layer.name);
  const heavy = law[layer.of]?.pairs > 256;
  if (kept?.key === key || (kept && heavy && S.playing && S.frames % 2 && kept.version === law.version)) return kept;
  const { across } = layer;
  const [x0, x1, y0, y1] = view.window;
  const columns = Math.max(2, Math.round((across * view.w) / view.h));
  const positions = new Float32Array(2 * columns * across);
  const vectors = new Float32Array(2 * columns * across).fill(NaN);
  const table = lawTable(S, layer.of);
  const field = table && orNothing(() => LAW.fieldOf(table, layer.quantity));
  for (let j = 0, n = 0; j < across; j++) {
    const y = y0 + ((j + 0.5) * (y1 - y0)) / across;
    for (let i = 0; i < columns; i++, n += 2) {
      const x = x0 + ((i + 0.5) * (x1 - x0)) / columns;
      positions[n] = x;
      positions[n + 1] = y;
      if (field) field(x, y, vectors, n);
    }
  }
  const zoom = (y1 - y0) / (view.model.extent[3] - view.model.extent[2]);
  const arrows = { key, version: law.version, positions, vectors, scale: layer.scale * zoom, longest: (1.4 * (y1 - y0)) / across };
  view.arrows.set(layer.name, arrows);
  return arrows;
}

/** Positions (T, N, 2) of a layer of particles, and how many of them to draw. */
function placesOf(S, layer) {
  if (!layer.way) return layer;
  const law = lawOf(S);
  if (layer.way === "flow" && layer.positions && !law.edited) return layer;
  const kept = law.ways.get(layer);
  if (kept) return kept;
  const found = layer.way === "flow" ? flowPlaces(S, law, layer) : interpolants(S, law, layer);
  law.ways.set(layer, found);
  return found;
}

/** alpha_t z + beta_t x_0 at the frames. */
function interpolants(S, law, { starts, ends, items }) {
  const { times } = S.clip;
  const positions = new Float32Array(times.length * 2 * items);
  const [zx, zy] = law.z;
  for (let i = 0, at = 0; i < times.length; i++) {
    const { alpha, beta } = law.marginal.evaluate(times[i]);
    for (let n = 0; n < 2 * items; n += 2, at += 2) {
      positions[at] = alpha * (ends ? ends[n] : zx) + beta * starts[n];
      positions[at + 1] = alpha * (ends ? ends[n + 1] : zy) + beta * starts[n + 1];
    }
  }
  return { positions, items };
}

/** The flow of the law: as many particles as there is time for now; the worker finds them where that is too much. */
function flowPlaces(S, law, layer) {
  const { times } = S.clip;
  const moved = law[layer.of];
  if (!moved) return NO_PLACES;
  const each = 2 * times.length * moved.pairs * (S.flowMs ?? 8e-6);
  const wanted = S.drag || S.keyEdit || S.slider?.value != null ? Math.max(LEAST_FLOW, Math.floor(FLOW_MS / each)) : layer.items;
  const count = Math.min(layer.items, wanted);
  if (count * each > MOST_FLOW_MS) return askForFlow(S, law, layer, count);
  const start = performance.now();
  const positions = orNothing(() => LAW.heunTrajectories(moved, times, layer.starts, count));
  if (!positions) return NO_PLACES;
  S.flowMs = mixRate(S.flowMs, (performance.now() - start) / (2 * times.length * moved.pairs * count));
  return { positions, items: count };
}

const NO_PLACES = { positions: new Float32Array(0), items: 0 };

/** Particles of a law that costs much: those known till now, while the worker finds the new ones. */
function askForFlow(S, law, layer, count) {
  const job = { kind: "flow", key: law.version, spec: sendable(law), of: layer.of, times: S.clip.times, starts: layer.starts, count };
  askWorker(S, `flow of ${layer.name}, ${layer.of}`, job, (positions) => {
    const found = positions ? { positions, items: count } : NO_PLACES;
    S.lastFlow.set(`${layer.name}, ${layer.of}`, found);
    law.ways.set(layer, found);
    if (S.law !== law && S.law?.edited) S.law.ways.set(layer, found); // till its own has come
  });
  return S.lastFlow.get(`${layer.name}, ${layer.of}`) ?? NO_PLACES;
}

/** Whether a layer was simulated for a law that the user has changed since: it is not shown until the server has answered. */
const isStale = (S, layer) => Boolean(S.clip.law?.follows && !layer.way && lawOf(S).edited);

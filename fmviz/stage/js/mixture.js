// Editing a mixture: its components as rows [weight, mean x, mean y, cov xx, cov xy, cov yy], where known followed by the label,
// and how each edit changes them.

const SETTLE_MS = 2000; // how long our own version stands while the server has not confirmed it
const MOST_COMPONENTS = 64;
const LEAST_WEIGHT = 0.002;

/** The mixture an ellipses layer shows: our own version while it is being edited. */
function mixtureOf(S, layer) {
  if (!layer.edit) return { components: layer.components, selected: -1 };
  let edit = S.edits.get(layer.edit);
  if (!edit) {
    edit = { name: layer.edit, components: layer.components, undo: [], selected: -1, held: false, sentAt: 0, dragging: false };
    S.edits.set(layer.edit, edit);
  }
  return edit;
}

/** New data came: take it over unless the user's own version is still on its way. */
function syncMixtures(S) {
  const now = performance.now();
  for (const { layer } of editableLayers(S, true)) {
    const edit = mixtureOf(S, layer);
    if (edit.dragging) continue;
    const settled = !edit.held || sameComponents(edit.components, layer.components) || now - edit.sentAt > SETTLE_MS;
    if (!settled) continue;
    edit.held = false;
    edit.components = layer.components;
    if (edit.selected >= edit.components.length) edit.selected = -1;
  }
  for (const [name, move] of S.moves) {
    if (move.dragging) continue;
    const there = draggableMarkers(S, true).find((entry) => entry.layer.drag === name);
    const place = there && [there.layer.positions[0], there.layer.positions[1]];
    const near = place && Math.hypot(place[0] - move.place[0], place[1] - move.place[1]) < 1e-3;
    if (!there || near || now - move.sentAt > SETTLE_MS) S.moves.delete(name);
  }
  for (const [name, box] of S.boxes) {
    if (box.dragging) continue;
    const there = draggableBoxes(S, true).find((entry) => entry.layer.drag === name);
    const confirmed = there && sameSides(there.view, there.layer.sides, box.sides);
    if (!there || confirmed || now - box.sentAt > SETTLE_MS) S.boxes.delete(name);
  }
}

/** Asks again once a version that nobody confirmed has stood long enough. */
function settleLater(S) {
  clearTimeout(S.settleTimer);
  S.settleTimer = setTimeout(() => {
    if (!S.root.isConnected) return;
    syncMixtures(S);
    syncOverlays(S);
    invalidate(S);
  }, SETTLE_MS + 50);
}

function sameComponents(a, b) {
  return (
    a.length === b.length &&
    a.every((row, k) => row.every((value, i) => Math.abs(value - b[k][i]) <= 1e-3 * Math.max(1, Math.abs(value))))
  );
}

/** Ellipses layers that can be edited, each with its panel; hidden ones only if asked for. */
function editableLayers(S, hidden = false) {
  return S.panels.flatMap((view) =>
    (view.model.layers ?? [])
      .filter((layer) => layer.kind === "ellipses" && layer.edit && (hidden || (S.editable && S.layers.has(layer.name))))
      .map((layer) => ({ view, layer })),
  );
}

function draggableMarkers(S, hidden = false) {
  return S.panels.flatMap((view) =>
    (view.model.layers ?? [])
      .filter((layer) => layer.kind === "markers" && layer.drag && (hidden || (S.editable && S.layers.has(layer.name))))
      .map((layer) => ({ view, layer })),
  );
}

/** Remembers the present version for undo. */
function remember(edit) {
  edit.undo.push(edit.components);
  if (edit.undo.length > 50) edit.undo.shift();
}

const message = (edit) => ({ mixture: edit.name, components: edit.components.map((row) => row.map((v) => Number(v.toPrecision(7)))) });

/** Shows a new version while it is still changing. */
function editDrag(S, edit, components) {
  Object.assign(edit, { components, held: true });
  reportDrag(S, "edited", message(edit));
  syncOverlays(S);
  invalidate(S);
}

/** Ends an edit: exactly one "done". */
function editDone(S, edit, components) {
  if (S.local) {
    adoptLaw(S, { [edit.name]: components });
    return;
  }
  Object.assign(edit, { components, held: true, dragging: false, sentAt: performance.now() });
  reportDone(S, "edited", message(edit));
  settleLater(S);
  syncOverlays(S);
  invalidate(S);
}

const replaceAt = (components, k, row) => components.map((old, i) => (i === k ? row : old));

function normalised(components) {
  const total = components.reduce((sum, row) => sum + row[0], 0);
  return components.map(([w, ...rest]) => [w / total, ...rest]);
}

/** Component k moved to (x, y), kept inside the panel. */
function movedTo(view, components, k, x, y) {
  const [x0, x1, y0, y1] = view.model.extent;
  const [w, , , ...covariance] = components[k];
  return replaceAt(components, k, [w, Math.min(Math.max(x, x0), x1), Math.min(Math.max(y, y0), y1), ...covariance]);
}

/** Component k with new standard deviations along its axes and a new angle. */
function reshaped(view, components, k, long, short, angle) {
  const span = view.model.extent[1] - view.model.extent[0];
  const within = (s) => Math.min(Math.max(s, span * 0.004), span * 0.5);
  const a = within(long) ** 2;
  const b = within(short) ** 2;
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  const [w, x, y, , , , ...label] = components[k];
  return replaceAt(components, k, [w, x, y, a * c * c + b * s * s, (a - b) * c * s, a * s * s + b * c * c, ...label]);
}

function scaled(view, components, k, factor) {
  const { long, short, angle } = axesOf(components[k]);
  return reshaped(view, components, k, long * factor, short * factor, angle);
}

function turned(view, components, k, by) {
  const { long, short, angle } = axesOf(components[k]);
  return reshaped(view, components, k, long, short, angle + by);
}

function weighted(components, k, factor) {
  const [w, ...rest] = components[k];
  return normalised(replaceAt(components, k, [Math.min(Math.max(w * factor, LEAST_WEIGHT), 50), ...rest]));
}

/** A new component of average shape and weight, with the label of the nearest one. */
function added(components, x, y) {
  const distance = (row) => Math.hypot(row[1] - x, row[2] - y);
  const label = components.reduce((best, row) => (distance(row) < distance(best) ? row : best)).slice(6);
  const mean = (i) => components.reduce((sum, row) => sum + row[i], 0) / components.length;
  const spread = (mean(3) + mean(5)) / 2;
  return normalised([...components, [mean(0), x, y, spread, 0, spread, ...label]]);
}

function addComponent(S, layer, x, y) {
  const edit = mixtureOf(S, layer);
  S.adding = null;
  if (edit.components.length >= MOST_COMPONENTS) return;
  remember(edit);
  edit.selected = edit.components.length;
  editDone(S, edit, added(edit.components, x, y));
}

function deleteComponent(S, edit) {
  if (edit.selected < 0 || edit.components.length < 2) return;
  remember(edit);
  const rest = edit.components.filter((_, k) => k !== edit.selected);
  edit.selected = -1;
  editDone(S, edit, normalised(rest));
}

function changeWeight(S, edit, factor) {
  if (edit.selected < 0) return;
  remember(edit);
  editDone(S, edit, weighted(edit.components, edit.selected, factor));
}

function undoEdit(S, edit) {
  const before = edit.undo.pop();
  if (!before) return;
  if (edit.selected >= before.length) edit.selected = -1;
  editDone(S, edit, before);
}

function selectComponent(S, edit, k) {
  if (edit.selected === k) return;
  for (const other of S.edits.values()) other.selected = -1;
  edit.selected = k;
  syncOverlays(S);
  invalidate(S);
}

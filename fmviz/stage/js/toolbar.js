// What lies over a plot: one invisible stop for the Tab key per handle, and the tools of the selected component.

const MOST_STOPS = 12; // more components share one stop, Page Up and Page Down go through them

function syncOverlays(S) {
  const focused = S.root.getRootNode().activeElement;
  for (const view of S.panels) if (view.model.kind === "plane") syncOverlay(S, view);
  // the keyboard stays in the stage when what it was on has gone
  if (focused && focused !== document.body && (!focused.isConnected || focused.disabled)) S.root.focus({ preventScroll: true });
}

function syncOverlay(S, view) {
  const stops = [];
  for (const { view: at, layer } of draggableMarkers(S)) if (at === view) stops.push(markerStop(S, view, layer));
  for (const { view: at, layer } of firstBoxes(S)) if (at === view) stops.push(boxStop(S, view, layer));
  let tools = null;
  for (const { view: at, layer } of editableLayers(S)) {
    if (at !== view) continue;
    const edit = mixtureOf(S, layer);
    const shared = edit.components.length > MOST_STOPS;
    const one = Math.max(edit.selected, 0);
    edit.components.forEach((row, k) => (!shared || k === one) && stops.push(componentStop(S, view, layer, edit, row, k)));
    if (edit.selected >= 0) tools = { layer, edit };
  }
  const wanted = new Set(stops);
  for (const node of [...view.stops.children]) if (!wanted.has(node)) node.remove();
  stops.forEach((node, i) => view.stops.children[i] !== node && view.stops.insertBefore(node, view.stops.children[i] ?? null));
  syncTools(S, view, tools);
}

function stop(S, view, id, text, x, y, focus) {
  view.stopNodes ??= new Map();
  let node = view.stopNodes.get(id);
  if (!node) {
    node = element("div", { class: "stop", tabindex: "0", role: "application" });
    view.stopNodes.set(id, node);
  }
  node.onfocus = focus;
  node.onblur = () => endKeyEdit(S);
  setAttribute(node, "aria-label", text);
  node.style.left = `${toPixelX(view, x)}px`;
  node.style.top = `${toPixelY(view, y)}px`;
  return node;
}

function markerStop(S, view, layer) {
  const [x, y] = markerAt(S, layer, 0);
  const name = layer.label || S.header.labels.layers[layer.name];
  const text = fill(S.header.labels.marker, { name, x: number(x), y: number(y) });
  return stop(S, view, `marker:${layer.drag}`, text, x, y, () => {
    S.focus = { kind: "marker", view, name: layer.drag };
    invalidate(S);
  });
}

/** Boxes of one name move together: the keyboard needs one of them. */
function firstBoxes(S) {
  const boxes = draggableBoxes(S);
  return boxes.filter(({ layer }, n) => boxes.findIndex((other) => other.layer.drag === layer.drag) === n);
}

function boxStop(S, view, layer) {
  const [x0, x1, y0, y1] = boxSides(S, layer);
  return stop(S, view, `box:${layer.drag}`, boxText(S, layer), (x0 + x1) / 2, (y0 + y1) / 2, () => {
    S.focus = { kind: "box", view, name: layer.drag };
    invalidate(S);
  });
}

/** The numbers of a box change with the clock. */
function describeBoxes(S) {
  for (const { view, layer } of firstBoxes(S)) {
    const node = view.stopNodes?.get(`box:${layer.drag}`);
    if (node) setAttribute(node, "aria-label", boxText(S, layer));
  }
}

function componentStop(S, view, layer, edit, [w, x, y], k) {
  const values = { k: k + 1, n: edit.components.length, x: number(x), y: number(y), w: number(w) };
  return stop(S, view, `component:${edit.name}:${k}`, fill(S.header.labels.component, values), x, y, () => {
    S.focus = { kind: "component", view, layer, name: edit.name };
    selectComponent(S, edit, k);
    invalidate(S);
  });
}

function syncTools(S, view, tools) {
  if (!tools) {
    view.tools?.remove();
    view.tools = null;
    return;
  }
  const words = S.header.labels;
  const { layer, edit } = tools;
  if (!view.tools || view.tools.dataset.words !== words.edit_group) {
    view.tools?.remove();
    const current = () => view.toolsFor;
    const parts = {
      lighter: iconButton("minus", words.lighter, () => changeWeight(S, current().edit, 0.8)),
      weight: element("span", { class: "weight", "aria-hidden": "true" }),
      heavier: iconButton("plus", words.heavier, () => changeWeight(S, current().edit, 1.25)),
      add: iconButton("add", words.add, () => startAdding(S, view, current().layer)),
      remove: iconButton("remove", words.delete, () => deleteComponent(S, current().edit)),
      undo: iconButton("undo", words.undo, () => undoEdit(S, current().edit)),
    };
    for (const [name, node] of Object.entries(parts)) node.dataset.tool = name;
    view.toolParts = parts;
    view.tools = element("div", { class: "edit-tools", role: "toolbar", "aria-label": words.edit_group }, ...Object.values(parts));
    view.tools.dataset.words = words.edit_group;
    view.overlay.append(view.tools);
    view.toolsAt = null;
  }
  view.toolsFor = tools;
  const row = edit.components[edit.selected];
  setText(view.toolParts.weight, number(row[0]));
  view.toolParts.remove.disabled = edit.components.length < 2;
  view.toolParts.undo.disabled = edit.undo.length === 0;
  view.toolParts.add.disabled = edit.components.length >= MOST_COMPONENTS;
  setAttribute(view.toolParts.add, "aria-pressed", String(S.adding?.layer === layer));
  const at = `${edit.name}:${edit.selected}`;
  if (view.toolsAt !== at) {
    // at the far edge from the component, and still while it moves
    view.toolsAt = at;
    view.tools.classList.toggle("low", toPixelY(view, row[2]) < view.h / 2);
  }
}

function startAdding(S, view, layer) {
  S.adding = S.adding ? null : { view, layer };
  setText(view.hint, S.adding ? S.header.labels.add_hint : "");
  view.plot.classList.toggle("adding", Boolean(S.adding));
  syncOverlays(S);
}

function stopAdding(S) {
  const { adding } = S;
  S.adding = null;
  if (!adding) return;
  setText(adding.view.hint, "");
  adding.view.plot.classList.remove("adding");
  syncOverlays(S);
}

// Mouse, pen and finger on a plot: hover, click, drag.

const CLICK_PIXELS = 5;
const DOUBLE_CLICK_MS = 250;

function bindPointer(S, view) {
  const { plot } = view;
  const place = (event) => {
    const box = plot.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * view.w, ((event.clientY - box.top) / box.height) * view.h];
  };
  plot.onpointermove = (event) => pointerMove(S, view, place(event), event);
  plot.onpointerdown = (event) => pointerDown(S, view, place(event), event);
  plot.onpointerup = (event) => pointerUp(S, view, place(event), event);
  plot.onpointercancel = () => endDrag(S);
  plot.onlostpointercapture = () => endDrag(S);
  plot.onpointerleave = () => {
    view.pointer = null;
    showHover(S, view);
  };
  plot.ondblclick = (event) => doubleClick(S, view, place(event));
  // a finger on a handle drags it and two fingers zoom, elsewhere one finger scrolls the page, or moves what is zoomed
  const touched = (event) => {
    const { touches } = event;
    if (touches.length === 2) pinchTo(S, view, [place(touches[0]), place(touches[1])]);
    if (touches.length === 2 || S.pinch || S.zoom || hit(S, view, place(touches[0]), true)) event.preventDefault();
  };
  plot.addEventListener("touchstart", touched, { passive: false });
  plot.addEventListener("touchmove", touched, { passive: false });
  plot.addEventListener("touchend", () => (S.pinch = null));
  plot.addEventListener("touchcancel", () => (S.pinch = null));
  plot.addEventListener("wheel", (event) => wheelZoom(S, view, place(event), event), { passive: false });
}

/** What can be dragged at a place of the plot, the nearest first. */
function hit(S, view, [px, py], touch) {
  if (!S.editable || view.model.kind !== "plane") return null;
  const reach = (touch ? 22 : 11) * S.type;
  const found = [];
  const consider = (x, y, bonus, entry) => {
    const distance = Math.hypot(x - px, y - py);
    if (distance < reach + bonus) found.push({ ...entry, distance: distance - bonus, offset: [x - px, y - py] });
  };
  for (const { view: at, layer } of draggableMarkers(S)) {
    const [x, y] = markerAt(S, layer, 0);
    if (at === view) consider(toPixelX(view, x), toPixelY(view, y), 3, { kind: "marker", layer });
  }
  for (const { view: at, layer } of editableLayers(S)) {
    if (at !== view) continue;
    const edit = mixtureOf(S, layer);
    edit.components.forEach((row, k) => {
      consider(toPixelX(view, row[1]), toPixelY(view, row[2]), k === edit.selected ? 2 : 0, { kind: "mean", layer, edit, k });
    });
    if (edit.selected >= 0) {
      for (const handle of handlesOf(S, view, edit.components[edit.selected])) {
        consider(handle.px, handle.py, 1, { kind: "axis", layer, edit, k: edit.selected, handle });
      }
    }
  }
  if (found.length) return found.sort((a, b) => a.distance - b.distance)[0];
  for (const { view: at, layer } of draggableBoxes(S)) {
    const part = at === view && hitBox(S, view, layer, [px, py], reach);
    if (part) return part;
  }
  return null;
}

function pointerDown(S, view, at, event) {
  if (event.button !== 0 || S.drag) return;
  S.press = { view, at, id: event.pointerId };
  if (S.adding) return;
  const target = hit(S, view, at, event.pointerType === "touch");
  if (!target) {
    if (S.zoom && !S.pinch) {
      view.plot.setPointerCapture(event.pointerId);
      S.pan = { view, at };
    }
    return;
  }
  view.plot.setPointerCapture(event.pointerId);
  S.drag = { ...target, view, id: event.pointerId, moved: false };
  if (target.edit) {
    selectComponent(S, target.edit, target.k);
    Object.assign(S.drag, { start: target.edit.components, held: target.edit.held });
    S.drag.axes = axesOf(target.edit.components[target.k]);
  } else if (target.kind === "box") S.drag.start = boxSides(S, target.layer);
  else Object.assign(S.drag, { start: markerAt(S, target.layer, 0), before: S.moves.get(target.layer.drag) });
  S.root.classList.add("dragging");
}

function pointerMove(S, view, at, event) {
  view.pointer = at;
  const { drag, pan } = S;
  if (S.pinch) return;
  if (pan?.view === view) {
    panBy(S, view, at[0] - pan.at[0], at[1] - pan.at[1]);
    pan.at = at;
    view.plot.style.cursor = "grabbing";
  } else if (drag && drag.view === view) {
    if (!drag.moved && Math.hypot(at[0] - S.press.at[0], at[1] - S.press.at[1]) < 2) return;
    drag.moved = true;
    dragTo(S, drag, at);
  } else if (event.pointerType !== "touch") {
    const target = S.adding ? null : hit(S, view, at, false);
    view.plot.classList.toggle("grab", Boolean(target));
    view.plot.style.cursor = target?.cursor ?? "";
  }
  if (!S.playing) showHover(S, view);
}

function dragTo(S, drag, [px, py]) {
  const { view, edit } = drag;
  const x = toWorldX(view, Math.min(Math.max(px + drag.offset[0], 0), view.w));
  const y = toWorldY(view, Math.min(Math.max(py + drag.offset[1], 0), view.h));
  if (drag.kind === "marker") {
    S.moves.set(drag.layer.drag, { place: [x, y], dragging: true, sentAt: 0 });
    reportDrag(S, "moved", { name: drag.layer.drag, x, y });
    syncOverlays(S);
    invalidate(S);
    return;
  }
  if (drag.kind === "box") {
    const whole = !drag.part[0] && !drag.part[1];
    boxDrag(S, drag.layer.drag, whole ? movedBox(view, drag.start, x, y) : resizedBox(view, drag.start, drag.part, x, y));
    return;
  }
  edit.dragging = true;
  if (drag.kind === "mean") {
    editDrag(S, edit, movedTo(view, drag.start, drag.k, x, y));
    return;
  }
  const [, meanX, meanY] = drag.start[drag.k];
  const { handle, axes } = drag;
  const kx = view.w / (view.window[1] - view.window[0]);
  const ky = view.h / (view.window[3] - view.window[2]);
  const reach = Math.hypot(handle.px - toPixelX(view, meanX), handle.py - toPixelY(view, meanY));
  const dx = x - meanX;
  const dy = y - meanY;
  const factor = Math.hypot(dx * kx, dy * ky) / reach;
  const angle = Math.atan2(handle.side * dy, handle.side * dx) - (handle.axis ? Math.PI / 2 : 0);
  const long = handle.axis ? axes.long : axes.long * factor;
  const short = handle.axis ? axes.short * factor : axes.short;
  editDrag(S, edit, reshaped(view, drag.start, drag.k, long, short, angle));
}

/** Ends the drag in hand, however it ended: one "done" if anything moved. */
function endDrag(S) {
  const { drag } = S;
  endPan(S);
  if (!drag) return;
  S.drag = null;
  S.root.classList.remove("dragging");
  if (!drag.moved) return;
  S.lastDragEnd = performance.now();
  if (drag.kind === "marker") finishMove(S, drag.layer.drag);
  else if (drag.kind === "box") boxDone(S, drag.layer.drag);
  else {
    drag.edit.undo.push(drag.start);
    editDone(S, drag.edit, drag.edit.components);
  }
}

function finishMove(S, name) {
  const move = S.moves.get(name);
  if (S.local) {
    adoptLaw(S, { z: move.place });
    return;
  }
  Object.assign(move, { dragging: false, sentAt: performance.now() });
  reportDone(S, "moved", { name, x: move.place[0], y: move.place[1] });
  settleLater(S);
}

/** Escape: everything back to where the drag began. A server that has heard of the drag hears of its end. */
function cancelDrag(S) {
  const { drag } = S;
  if (!drag) return;
  if (drag.moved) {
    if (drag.kind === "marker") S.moves.set(drag.layer.drag, { place: drag.start, dragging: true, sentAt: 0 });
    else if (drag.kind === "box") S.boxes.set(drag.layer.drag, { sides: drag.start, dragging: true, sentAt: 0 });
    else drag.edit.components = drag.start;
  }
  const untold = S.clip.law?.follows && drag.kind !== "box";
  if (untold) forgetDrag(S, drag);
  endDrag(S);
  syncOverlays(S);
  invalidate(S);
}

function forgetDrag(S, drag) {
  drag.moved = false;
  if (drag.kind !== "marker") Object.assign(drag.edit, { dragging: false, held: drag.held });
  else if (drag.before) S.moves.set(drag.layer.drag, drag.before);
  else S.moves.delete(drag.layer.drag);
}

function pointerUp(S, view, at, event) {
  const { drag, press } = S;
  S.press = null;
  endPan(S);
  if (drag) {
    if (drag.moved) dragTo(S, drag, at);
    endDrag(S);
    if (event.pointerType === "touch") view.pointer = null;
    if (drag.kind !== "box" || drag.moved) return; // a click into a box is a click on the plane
  }
  if (!press || press.view !== view || Math.hypot(at[0] - press.at[0], at[1] - press.at[1]) > CLICK_PIXELS) return;
  const x = toWorldX(view, at[0]);
  const y = toWorldY(view, at[1]);
  if (S.adding?.view === view) {
    const { layer } = S.adding;
    stopAdding(S);
    addComponent(S, layer, x, y);
    return;
  }
  for (const edit of S.edits.values()) edit.selected = -1;
  syncOverlays(S);
  invalidate(S);
  if (S.local && view.model.clickable) clickLocally(S, x, y);
  if (!view.model.clickable || !S.setStateValue || !S.editable) return;
  const click = { x, y, t: S.t, panel: view.model.name };
  clearTimeout(S.clickTimer);
  // where a double click adds a component, a single one waits to be sure that it is one
  const wait = editableLayers(S).some((entry) => entry.view === view) ? DOUBLE_CLICK_MS : 0;
  if (wait) S.clickTimer = setTimeout(() => report(S, "clicked", { ...click, seq: nextNumber(S) }), wait);
  else report(S, "clicked", { ...click, seq: nextNumber(S) });
}

function doubleClick(S, view, at) {
  if (S.zoom && view.model.kind === "plane" && !hit(S, view, at, false)) {
    clearTimeout(S.clickTimer);
    resetZoom(S);
    return;
  }
  if (!S.editable || performance.now() - (S.lastDragEnd ?? -1e9) < 400) return;
  const target = editableLayers(S).find((entry) => entry.view === view);
  if (!target || hit(S, view, at, false)) return;
  clearTimeout(S.clickTimer);
  addComponent(S, target.layer, toWorldX(view, at[0]), toWorldY(view, at[1]));
}

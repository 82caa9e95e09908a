// The keyboard: the clock from anywhere in the stage, a handle while it has the focus, and the help that lists it all.

/** Keys that mean something here go no further: the page around has shortcuts of its own. */
function onKey(S, event) {
  if (event.defaultPrevented || event.isComposing) return;
  handleKey(S, event);
  if (event.defaultPrevented) event.stopPropagation();
}

function handleKey(S, event) {
  if (event.key === "Escape") {
    if (S.drag) cancelDrag(S);
    else if (S.keyEdit?.kind === "box") {
      S.boxes.set(S.keyEdit.name, { sides: S.keyEdit.before, dragging: true, sentAt: 0 });
      syncOverlays(S);
      invalidate(S);
    }
    else if (S.adding) stopAdding(S);
    else if (!S.dom.help.hidden) toggleHelp(S);
    else if (!wipeInk(S)) return;
    event.preventDefault();
    return;
  }
  const onStop = event.target.classList?.contains("stop");
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !event.shiftKey) {
    const edit = lastEdited(S);
    if (undoInk(S)) event.preventDefault();
    else if (edit) {
      event.preventDefault();
      undoEdit(S, edit);
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (onStop && editKey(S, event)) {
    event.preventDefault();
    return;
  }
  if (event.target.tagName === "SELECT") return;
  if (clockKey(S, event)) event.preventDefault();
}

const lastEdited = (S) => [...S.edits.values()].filter((edit) => edit.undo.length).sort((a, b) => b.sentAt - a.sentAt)[0];

function clockKey(S, event) {
  const { times } = S.clip;
  if (event.shiftKey && event.key.startsWith("Arrow")) return false; // the page's: the beats of the story
  switch (event.key) {
    case " ":
      if (event.target.tagName === "BUTTON") return false; // a button does its own work
      if (!event.repeat) toggle(S);
      return true;
    case "ArrowLeft":
      step(S, -1);
      return true;
    case "ArrowRight":
      step(S, 1);
      return true;
    case "j":
    case "J":
      step(S, -10);
      return true;
    case "l":
    case "L":
      step(S, 10);
      return true;
    case "Home":
      setTime(S, times[0]);
      reportTimeSoon(S);
      return true;
    case "End":
      setTime(S, times[times.length - 1]);
      reportTimeSoon(S);
      return true;
    case "f":
    case "F":
      toggleFullscreen(S);
      return true;
    case "v":
    case "V":
      toggleValues(S);
      return true;
    case "?":
      toggleHelp(S);
      return true;
    default: {
      if (zoomKey(S, event.key) || presentKey(S, event.key) || inkKey(S, event.key)) return true;
      const chip = /^[1-9]$/.test(event.key) && S.chips[Number(event.key) - 1];
      if (chip) toggleLayer(S, chip.name);
      return Boolean(chip);
    }
  }
}

const BOX_STEP = 0.02; // of the panel

/** Keys on a focused handle; true if the key meant something there. */
function editKey(S, event) {
  const { focus } = S;
  if (!focus) return false;
  const [x0, x1, y0, y1] = focus.view.window;
  const part = event.shiftKey ? 0.05 : 0.01;
  const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
  if (focus.kind === "box") return by ? boxKey(S, focus, by, event.shiftKey) : false;
  if (focus.kind === "marker") {
    const held = draggableMarkers(S).find(({ view, layer }) => view === focus.view && layer.drag === focus.name);
    if (!by || !held) return false;
    const [x, y] = markerAt(S, held.layer, 0);
    const place = [
      Math.min(Math.max(x + by[0] * part * (x1 - x0), x0), x1),
      Math.min(Math.max(y + by[1] * part * (y1 - y0), y0), y1),
    ];
    S.moves.set(focus.name, { place, dragging: true, sentAt: 0 });
    S.keyEdit = { kind: "marker", name: focus.name };
    reportDrag(S, "moved", { name: focus.name, x: place[0], y: place[1] });
    syncOverlays(S);
    invalidate(S);
    return true;
  }
  const edit = S.edits.get(focus.name);
  const k = edit.selected;
  if (k < 0) return false;
  const next = editedByKey(focus.view, edit.components, k, event.key, by, part);
  if (next) {
    if (!S.keyEdit) {
      remember(edit);
      S.keyEdit = { kind: "component", edit };
    }
    edit.dragging = true;
    editDrag(S, edit, next);
    return true;
  }
  if (event.key === "Delete" || event.key === "Backspace") {
    deleteComponent(S, edit);
    S.root.focus();
    return true;
  }
  if (event.key === "PageDown" || event.key === "PageUp") {
    const n = edit.components.length;
    selectComponent(S, edit, (k + (event.key === "PageDown" ? 1 : n - 1)) % n);
    focus.view.stops.querySelector(`.stop:nth-child(${focus.view.stops.children.length})`)?.focus();
    return true;
  }
  return false;
}

/** Arrows move a box; with Shift they move its right and its upper side. */
function boxKey(S, { view, name }, [dx, dy], resize) {
  const held = draggableBoxes(S).find((entry) => entry.view === view && entry.layer.drag === name);
  if (!held) return false;
  const sides = boxSides(S, held.layer);
  const [x0, x1, y0, y1] = view.window;
  const byX = dx * BOX_STEP * (x1 - x0);
  const byY = dy * BOX_STEP * (y1 - y0);
  const next = resize
    ? resizedBox(view, sides, [Math.abs(dx), Math.abs(dy)], sides[1] + byX, sides[3] + byY)
    : movedBox(view, sides, (sides[0] + sides[1]) / 2 + byX, (sides[2] + sides[3]) / 2 + byY);
  S.keyEdit = { kind: "box", name, before: S.keyEdit?.before ?? sides };
  boxDrag(S, name, next);
  return true;
}

function editedByKey(view, components, k, key, by, part) {
  const [x0, x1, y0, y1] = view.window;
  const [, x, y] = components[k];
  if (by) return movedTo(view, components, k, x + by[0] * part * (x1 - x0), y + by[1] * part * (y1 - y0));
  switch (key) {
    case "+":
    case "=":
      return weighted(components, k, 1.1);
    case "-":
    case "_":
      return weighted(components, k, 1 / 1.1);
    case "[":
      return scaled(view, components, k, 1 / 1.08);
    case "]":
      return scaled(view, components, k, 1.08);
    case ",":
      return turned(view, components, k, Math.PI / 36);
    case ".":
      return turned(view, components, k, -Math.PI / 36);
    default:
      return null;
  }
}

/** The key was released or the focus left: the edit made with it is done. */
function endKeyEdit(S) {
  const { keyEdit } = S;
  if (!keyEdit) return;
  S.keyEdit = null;
  if (keyEdit.kind === "marker") finishMove(S, keyEdit.name);
  else if (keyEdit.kind === "box") boxDone(S, keyEdit.name);
  else editDone(S, keyEdit.edit, keyEdit.edit.components);
}

function buildHelp(S) {
  const words = S.header.labels;
  const rows = [
    ["Space", words.key_play],
    ["← →", words.key_frames],
    ["J L", words.key_ten_frames],
    ["Home End", words.key_ends],
    ["1 … 9", words.key_layers],
    ["+ −", words.key_zoom],
    ["W A S D", words.key_pan],
    ["0", words.key_all],
    ["F", words.key_fullscreen],
    ["V", words.key_values],
    ["P", words.key_pen],
    ["X", words.key_laser],
    ["B", words.key_dark_room],
    ["M", words.key_controls],
  ];
  if (draggableBoxes(S, true).length) rows.push(["Tab, ← ↑ → ↓", words.key_box], ["⇧ ← ↑ → ↓", words.key_box_size]);
  if (S.editable && editableLayers(S, true).length) {
    rows.push(["2 ×", words.key_add], ["Tab, ← ↑ → ↓", words.key_move], ["+ −", words.key_weight], ["[ ]", words.key_size]);
    rows.push([", .", words.key_turn], ["Delete", words.key_delete], ["Ctrl Z", words.key_undo]);
  }
  const list = element("dl", {}, ...rows.flatMap(([keys, text]) => [element("dt", {}, keys), element("dd", {}, text)]));
  const close = element("button", { type: "button", class: "text", onclick: () => toggleHelp(S) }, words.close);
  S.dom.help.replaceChildren(element("h2", {}, words.help), list, close);
  setAttribute(S.dom.help, "aria-label", words.help);
}

function toggleHelp(S) {
  const { help, helpButton } = S.dom;
  help.hidden = !help.hidden;
  setAttribute(helpButton, "aria-expanded", String(!help.hidden));
  if (help.hidden) helpButton.focus();
  else help.querySelector("button").focus();
}

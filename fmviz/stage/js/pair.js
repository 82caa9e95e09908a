// Two states side by side: A is pinned and only shown, B is the stage itself. One clock, one zoom, the same layers, one extent
// and one scale of colours and arrows, so that what differs in the pictures differs in the states.

/** The two payloads of a pair (fmviz/stage/payload.py); null for a single one. */
function openPair(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (data.length < 8 || view.getUint32(0, false) !== 0x464d5650) return null;
  const length = view.getUint32(4, true);
  return { pinned: data.subarray(8, 8 + length), live: data.subarray(8 + length) };
}

/** Shows the pinned state beside the stage, or takes it away. */
function takePinned(S, data) {
  if (!data) {
    if (S.pinned) unpin(S);
    return;
  }
  const A = (S.pinned ??= pinned(S));
  const before = A.text;
  takePayload(A, openPayload(data));
  if (before !== A.text) shareScales(S);
}

function pinned(S) {
  S.dom.sides = element("div", { class: "sides" });
  S.dom.panels.before(S.dom.sides);
  const A = mount(S.dom.sides);
  Object.assign(A, { leader: S, readOnly: true, setStateValue: null });
  A.root.onkeydown = A.root.onkeyup = null;
  A.root.removeAttribute("tabindex");
  A.root.dataset.testid = "fmviz-stage-pinned";
  A.root.dataset.side = "A";
  A.root.classList.add("pinned");
  S.dom.live = element("div", { class: "live", "data-side": "B" }, S.dom.panels);
  S.dom.sides.append(S.dom.live);
  return A;
}

function unpin(S) {
  unmount(S.pinned, S.dom.sides);
  S.pinned = null;
  S.dom.sides.replaceWith(S.dom.panels);
  for (const panel of S.clip?.panels ?? []) restoreScale(panel);
  showScales(S);
}

/** The panels of both, left to right. */
const panelsShown = (S) => [S.pinned, S].flatMap((one) => (one ? panelsWithContent(one) : []));

/** The pinned picture at the time, in the view and with the layers of the live one. */
function drawPinned(S) {
  const A = S.pinned;
  if (!A?.clip) return;
  const { times } = A.clip;
  A.t = Math.min(Math.max(S.t, times[0]), times[times.length - 1]);
  Object.assign(A, { playing: S.playing, layers: S.layers, scale: S.scale, perFrame: S.perFrame, exporting: S.exporting });
  A.root.dataset.t = String(A.t);
  if (A.zoom !== S.zoom) {
    A.zoom = S.zoom;
    showWindows(A);
  }
  render(A);
}

const SHARED = ["log_max", "hi", "lo", "limit", "scale"];

/** One extent for the panels of one place, and one scale for the layers of one name. */
function shareScales(S) {
  const A = S.pinned;
  if (!A?.clip || !S.clip) return;
  for (const [n, mine] of S.clip.panels.entries()) {
    const other = A.clip.panels[n];
    if (mine.kind !== "plane" || other?.kind !== "plane") continue;
    restoreScale(mine);
    restoreScale(other);
    const [a, b] = [other.extent, mine.extent];
    const extent = [Math.min(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.max(a[3], b[3])];
    mine.extent = other.extent = extent;
    for (const layer of mine.layers) {
      const twin = other.layers.find(({ name, kind }) => name === layer.name && kind === layer.kind);
      if (twin) shareScale(layer, twin);
    }
  }
  showScales(A);
  showScales(S);
}

function shareScale(a, b) {
  for (const layer of [a, b]) layer.own ??= Object.fromEntries(SHARED.map((name) => [name, layer[name]]));
  if (a.kind === "density") {
    const top = Math.max(a.log_max, b.log_max);
    for (const layer of [a, b]) {
      layer.log_max = top;
      if (layer.of) Object.assign(layer, { hi: top + ABOVE_TOP, lo: top + ABOVE_TOP - NATS });
    }
  } else if (a.kind === "signed") a.limit = b.limit = Math.max(a.limit, b.limit);
  else if (a.kind === "vectors") a.scale = b.scale = Math.min(a.scale, b.scale);
}

function restoreScale(panel) {
  panel.ownExtent ??= panel.extent;
  panel.extent = panel.ownExtent;
  for (const layer of panel.layers ?? []) if (layer.own) Object.assign(layer, layer.own);
}

function showScales(S) {
  for (const view of S.panels) {
    view.frameKey = view.contourKey = "";
    view.ground = view.field = view.sharp = view.signs = null;
    view.arrows?.clear();
    view.scaleKey = scaleKeyOf(view.model);
  }
  showWindows(S);
  syncOverlays(S);
  relayout(S);
}

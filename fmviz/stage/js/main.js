// One stage per root element. The default export is called again on the same root whenever data or theme change.

const STAGES = new WeakMap();
let mounted = 0; // two stages side by side are in one tree, and an id names one element

export default function stage(component) {
  const { data, parentElement, setStateValue, readOnly } = component;
  if (!data?.slice) return undefined;
  const pair = openPair(data);
  let S = STAGES.get(parentElement);
  if (!S || !parentElement.contains(S.root)) {
    S = mount(parentElement);
    STAGES.set(parentElement, S);
  }
  S.setStateValue = setStateValue;
  S.choices = component.choices;
  S.readOnly = Boolean(readOnly);
  S.lasting = Boolean(component.lasting);
  takePinned(S, pair?.pinned);
  takeGiven(S, pair?.live ?? data);
  return () => unmount(S, parentElement);
}

function mount(parent) {
  const dom = {
    panels: element("div", { class: "panels" }),
    clockRow: element("div", { class: "row clock-row" }),
    layerRow: element("div", { class: "row layer-row" }),
    help: element("div", { class: "help", role: "dialog", hidden: true }),
    summary: element("p", { class: "summary", id: `summary-${(mounted += 1)}` }),
  };
  const root = element("div", { class: "fmviz", "data-testid": "fmviz-stage", tabindex: "0", role: "group" });
  const S = {
    root,
    dom,
    panels: [],
    layers: new Set(),
    known: new Set(),
    edits: new Map(),
    moves: new Map(),
    waiting: new Map(),
    lastFlow: new Map(),
    boxes: new Map(),
    outbox: { next: null, timer: 0, sent: -1e9, waiting: false },
    t: 0,
    frame: 0,
    frames: 0,
    cost: 0,
    held: 0,
    seq: 0,
    spoken: 0,
    loopId: 0,
    type: 1,
    slow: 0,
    playRatio: MOST_RATIO,
    playing: false,
    unseen: false,
  };
  root.append(dom.panels, buildInk(S), dom.clockRow, dom.layerRow, dom.help, dom.summary);
  setAttribute(root, "aria-describedby", dom.summary.id);
  root.onkeydown = (event) => onKey(S, event);
  root.onkeyup = () => endKeyEdit(S);
  parent.append(root);
  watch(S);
  watchSight(S);
  watchPointer(S);
  return S;
}

/** Size, theme and screen changes. */
function watch(S) {
  let width = 0;
  S.resize = new ResizeObserver(([entry]) => {
    if (Math.abs(entry.contentRect.width - width) < 1) return;
    width = entry.contentRect.width;
    relayout(S);
  });
  S.resize.observe(S.dom.panels);
  S.onWindowResize = () => relayout(S);
  S.onFullscreen = () => onFullscreenChange(S);
  window.addEventListener("resize", S.onWindowResize);
  document.addEventListener("fullscreenchange", S.onFullscreen);
  S.onTheme = () => retheme(S);
  S.scheme = matchMedia("(prefers-color-scheme: dark)");
  S.scheme.addEventListener("change", S.onTheme);
  S.onPrint = () => {
    retheme(S);
    if (S.dirty) render(S); // paper waits for no animation frame
  };
  S.paper = matchMedia("print");
  S.paper.addEventListener("change", S.onPrint);
  S.themes = new MutationObserver(S.onTheme);
  for (const node of [document.documentElement, document.body]) {
    S.themes.observe(node, { attributes: true, attributeFilter: ["class", "style", "data-theme"] });
  }
  S.onFeed = ({ detail }) => {
    if (detail.picture?.length && !S.leader && S.header?.view.feed === detail.name) takePayload(S, openPayload(detail.picture));
  };
  window.addEventListener("fmviz-feed", S.onFeed);
  // One that lasts is put back into the page later on, or ended by whoever shows it.
  S.watchId = setInterval(() => (S.root.isConnected ? retheme(S) : S.lasting || unmount(S)), 1000);
}

function unmount(S, parent) {
  if (S.pinned) unmount(S.pinned, S.dom.sides);
  S.playing = false;
  cancelAnimationFrame(S.loopId);
  S.loopId = 0;
  endWorker(S);
  for (const timer of [S.timeTimer, S.sharpTimer, S.zoomTimer, S.clickTimer, S.settleTimer, S.outbox.timer]) clearTimeout(timer);
  clearInterval(S.watchId);
  S.resize.disconnect();
  S.sight.disconnect();
  S.themes.disconnect();
  unwatchSlider(S);
  S.scheme.removeEventListener("change", S.onTheme);
  S.paper.removeEventListener("change", S.onPrint);
  window.removeEventListener("resize", S.onWindowResize);
  window.removeEventListener("fmviz-feed", S.onFeed);
  document.removeEventListener("fullscreenchange", S.onFullscreen);
  if (S.recorder) stopRecording(S);
  S.root.remove();
  if (parent && STAGES.get(parent) === S) STAGES.delete(parent);
}

function relayout(S) {
  if (!S.clip) return;
  S.needsLayout = true;
  invalidate(S);
}

function retheme(S) {
  if (!S.clip || S.theme.key === themeKey(S)) return;
  S.theme = readTheme(S);
  buildChips(S);
  invalidate(S);
}

/** What the page gives. The same once more must not undo a picture that has come through a feed since. */
function takeGiven(S, data) {
  const payload = openPayload(data);
  if (S.given === payload.text && S.clip) retheme(S);
  else takePayload(S, payload);
  S.given = payload.text;
}

/** Takes over new data; what the user set here (clock, layers, scale) stays unless the view has a new revision. */
function takePayload(S, payload) {
  if (S.text === payload.text && S.clip) {
    retheme(S);
    return;
  }
  const first = !S.clip;
  const before = S.header;
  S.text = payload.text;
  S.header = payload.header;
  S.theme = readTheme(S);
  if (first || JSON.stringify(before.labels) !== JSON.stringify(S.header.labels)) {
    setAttribute(S.root, "aria-label", S.header.labels.stage);
    buildControls(S);
    S.chipKey = S.readoutKey = "";
  }
  const changed = first || S.clip.digest !== payload.header.clip;
  S.clip = decodeClip(payload);
  S.local = !S.setStateValue && !S.readOnly && Boolean(S.clip.law?.follows);
  S.editable = !S.readOnly && !S.leader && (Boolean(S.setStateValue) || S.local);
  buildChoices(S);
  S.root.dataset.clip = S.clip.digest;
  syncPanels(S);
  if (first || before.view.revision !== S.header.view.revision) takeView(S, first);
  else keepView(S);
  if (S.pinned) shareScales(S);
  buildChips(S);
  buildHelp(S);
  buildReadouts(S);
  showOptions(S);
  showPlaying(S);
  syncMixtures(S);
  watchSlider(S);
  S.root.classList.toggle("present", S.header.view.present);
  showRoom(S);
  S.needsLayout = !layout(S);
  syncOverlays(S);
  answered(S);
  S.dirty = true;
  if (S.needsLayout || (!first && playsUnseen(S))) invalidate(S);
  else {
    render(S);
    S.dirty = false;
    if (S.playing) invalidate(S);
  }
  if (first) showPage(S);
  if (changed && !S.drag && !S.leader && S.header.view.acknowledge) whenCalm(() => reportShown(S));
}

const CALM_FRAMES = 2;
const LONGEST_RUN = 120_000;

/** Once Streamlit's script has ended and its page is on screen: a message sent before would carry the widgets' old values,
 * and the server would take them for the user's. */
function whenCalm(then) {
  const start = performance.now();
  let calm = 0;
  const look = () => {
    const state = document.querySelector("[data-testid=stApp]")?.dataset.testScriptState ?? "notRunning";
    calm = state === "notRunning" ? calm + 1 : 0;
    if (calm >= CALM_FRAMES || performance.now() - start > LONGEST_RUN) then();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

/** The page around shows itself with its first picture and in its own style, and all of itself once it rests (fmviz/app/css). */
function showPage(S) {
  const { classList } = document.documentElement;
  const end = performance.now() + LONGEST_STYLE;
  const styled = () => !S.header.view.present || getComputedStyle(document.documentElement).getPropertyValue("--fmviz-present");
  const look = () => {
    if (styled() || performance.now() > end) classList.add("fmviz-drawn");
    else requestAnimationFrame(look);
  };
  look();
  whenCalm(() => {
    classList.add("fmviz-calm");
    relayout(S); // what is above it has its final height
  });
}

const LONGEST_STYLE = 2000; // milliseconds

function takeView(S, first) {
  const { view } = S.header;
  const [x, y, factor] = view.zoom ?? [0.5, 0.5, 1];
  const { times } = S.clip;
  // A playing clock, or one of another range, is somewhere else at once.
  const near = !first && !view.playing && S.t >= times[0] && S.t <= times[times.length - 1];
  if (!near) S.t = view.t;
  S.layers = new Set(view.layers_on);
  S.known = new Set(chipList(S.clip).map((chip) => chip.name));
  S.scale = view.density_scale;
  S.perFrame = view.per_frame;
  S.speed = view.speed;
  S.loop = view.loop;
  if (near) glideTo(S, view.t, { x, y, factor });
  else setZoom(S, x, y, factor, { quiet: true });
  S.playing = view.playing && !matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (first) return;
  wipeInk(S);
  for (const edit of S.edits.values()) edit.undo.length = 0;
}

function keepView(S) {
  const { times } = S.clip;
  if (S.glide && S.glide.toT > times[times.length - 1]) S.glide = null;
  S.t = Math.min(Math.max(S.t, times[0]), times[times.length - 1]);
  for (const { name } of chipList(S.clip)) {
    if (!S.known.has(name) && S.header.view.layers_on.includes(name)) S.layers.add(name);
    S.known.add(name);
  }
}

/** Panels keep their canvases as long as their names and kinds stay. */
function syncPanels(S) {
  const { panels } = S.clip;
  const same = S.panels.length === panels.length && S.panels.every((v, i) => v.model.name === panels[i].name && v.model.kind === panels[i].kind);
  if (!same) {
    S.panels = panels.map((model) => buildPanel(S, model));
    S.dom.panels.replaceChildren(...S.panels.flatMap((view) => [view.lineBreak, view.box]));
  }
  S.panels.forEach((view, i) => {
    view.model = panels[i];
    view.window = panels[i].kind === "plane" ? windowOf(S, view) : null;
    setSymbols(view.title, panels[i].title);
    showFormula(view, panels[i].formula ?? "", panels.some((panel) => panel.formula));
    view.frameKey = view.contourKey = "";
    view.scaleKey = scaleKeyOf(panels[i]);
    if (panels[i].kind === "plane") {
      const [x0, x1, y0, y1] = panels[i].extent;
      const [x, y] = axisNames(panels[i]);
      const values = { title: panels[i].title, x, y, x0: number(x0), x1: number(x1), y0: number(y0), y1: number(y1) };
      setAttribute(view.plot, "aria-label", fill(S.header.labels.panel, values));
      view.plot.classList.toggle("clickable", panels[i].clickable && S.editable);
    } else {
      setAttribute(view.plot, "aria-label", panels[i].title);
      setText(view.hint, panels[i].bars ? "" : panels[i].hint);
    }
  });
  showWindows(S);
}

function buildPanel(S, model) {
  const title = element("button", { type: "button", class: "title", "aria-pressed": "false" });
  const hover = element("span", { class: "hover", "aria-hidden": "true" });
  const head = element("div", { class: "head" }, title, hover);
  const frame = element("canvas", { class: "frame", "aria-hidden": "true" });
  const plot = element("canvas", { class: `plot ${model.kind}`, role: "img", "data-panel": model.name });
  const stops = element("div", { class: "stops" });
  const hint = element("div", { class: "hint", "aria-live": "polite" });
  const overlay = element("div", { class: `overlay ${model.kind}` }, stops, hint);
  const area = element("div", { class: "area" }, frame, plot, overlay);
  const formula = element("div", { class: "formula", hidden: true });
  const box = element("div", { class: `panel ${model.kind}` }, head, formula, area);
  const lineBreak = element("div", { class: "line-break", hidden: true });
  const view = { model, box, lineBreak, head, formula, title, hover, area, frame, plot, overlay, stops, hint };
  view.frameContext = frame.getContext("2d");
  view.context = plot.getContext("2d", model.kind === "bars" ? {} : { alpha: false, willReadFrequently: true });
  title.onclick = () => toggleEnlarged(S, view);
  if (model.kind === "plane") bindPointer(S, view);
  return view;
}

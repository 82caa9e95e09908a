// The stage as a widget of a notebook. It shares the scope of the player's script, which comes before it.

const DARK = 0.2; // a ground less luminous than this is dark, as for the player

/** The colour of the page behind a node: of the nearest ancestor that has one. */
function groundBehind(node) {
  for (let at = node; at; at = at.parentElement ?? at.getRootNode().host) {
    const colour = getComputedStyle(at).backgroundColor;
    if (colour && colour !== "transparent" && !/,\s*0\)$/.test(colour)) return colour;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "#0f1420" : "#ffffff";
}

function takeGround(el, host) {
  if (!el.isConnected) return;
  const ground = groundBehind(el);
  const dark = luminance(parseColour(ground) ?? [255, 255, 255]) < DARK;
  host.classList.toggle("dark", dark);
  if (host.style.getPropertyValue("--st-background-color") !== ground) host.style.setProperty("--st-background-color", ground);
}

/** A copy of its own: the player wants an array that starts where it likes. */
const bytesOf = (view) => new Uint8Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));

function renderWidget({ model, el }) {
  const host = element("div", { class: "fmviz-host" });
  // The shortcuts of a notebook would take the keys that play, step and zoom, and some that delete cells. Those with Ctrl stay.
  const keep = (event) => {
    if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
  };
  for (const kind of ["keydown", "keyup", "keypress"]) host.addEventListener(kind, keep);
  el.append(host);
  const shadow = host.attachShadow({ mode: "open" });
  const css = document.createElement("style");
  css.textContent = STYLE;
  shadow.append(css);
  let S = null;
  let close = null;
  let alive = false;
  let told = 0;

  /** From the player to Python. */
  const tell = (name, value) => {
    if (name === "t") model.set("t", value);
    else model.set("event", { name, value, number: (told += 1) });
    model.save_changes();
  };

  const show = () => {
    const payload = model.get("payload");
    if (!payload?.byteLength) return;
    // A notebook takes the output of a folded cell out of the page and puts the same back when it unfolds.
    const given = { data: bytesOf(payload), parentElement: shadow, readOnly: model.get("read_only"), lasting: true };
    close = stage({ ...given, setStateValue: alive ? tell : undefined });
    S = STAGES.get(shadow);
  };
  const seek = () => {
    if (S && Math.abs(S.t - model.get("t")) > 1e-6) setTime(S, model.get("t"));
  };
  const run = () => {
    if (!S || S.playing === model.get("playing")) return;
    if (model.get("playing")) play(S);
    else pause(S);
  };
  /** Python is there. Until it says so the picture works out what it can by itself, as a page of its own does. */
  const greet = (message) => {
    if (message?.kind !== "here") return;
    alive = true;
    if (!S) return;
    S.setStateValue = tell;
    S.local = false;
    S.editable = !S.readOnly;
    syncPanels(S);
    syncOverlays(S);
    if (!S.playing) report(S, "t", S.t);
  };
  const look = () => {
    takeGround(el, host);
    if (S) retheme(S);
  };
  // Whether it is in the page by now depends on the notebook; when it has a size, it is, and nothing has been painted yet.
  const placed = new ResizeObserver(look);
  placed.observe(host);
  const timer = setInterval(look, 1000);
  model.on("change:payload", show);
  model.on("change:t", seek);
  model.on("change:playing", run);
  model.on("msg:custom", greet);
  takeGround(el, host);
  show();
  if (S && !S.playing) seek();
  model.send({ kind: "hello" });
  const heard = new MutationObserver(() => {
    if (model.get("playing") === S.playing) return;
    model.set("playing", S.playing);
    model.save_changes();
  });
  if (S) heard.observe(S.root, { attributes: true, attributeFilter: ["data-playing"] });
  return () => {
    clearInterval(timer);
    placed.disconnect();
    heard.disconnect();
    model.off("change:payload", show);
    model.off("change:t", seek);
    model.off("change:playing", run);
    model.off("msg:custom", greet);
    close?.();
    host.remove();
  };
}

export default { render: renderWidget };

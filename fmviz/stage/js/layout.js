// Where the panels go: side by side if that gives a good size, else below one another.

const NARROW = 560;
const GAP = 16;
const MOST_RATIO = 2;
const LEAST_PLANE = 180;

/** Space around the plot, in CSS pixels. */
function marginsOf(S, model, narrow) {
  const k = S.type;
  const top = Math.round(8 * k);
  if (model.kind === "bars") return { left: 0, right: 0, top, bottom: narrow ? 0 : 22 * k };
  const ground = model.layers.find(isGround);
  const bar = Boolean(ground);
  const beside = bar && !narrow;
  const left = Math.round((model.y_label ? 44 : 30) * k);
  const right = beside ? (ground.kind === "signed" ? 74 : 66) * k : 8;
  const bottom = ((bar && narrow ? 62 : 22) + (model.x_label ? 14 : 0)) * k;
  return { left, right, top, bottom, bar, beside };
}

const aspectOf = (model) => model.aspect ?? (model.extent[1] - model.extent[0]) / (model.extent[3] - model.extent[2]);

function layout(S) {
  const width = Math.floor(S.dom.panels.getBoundingClientRect().width); // clientWidth may round up, and a row would break
  if (width < 40) return false;
  const full = isFullscreen(S);
  S.type = (S.header.view.present ? 1.35 : 1) * (full && window.innerHeight > 900 ? 1.2 : 1);
  const narrow = width < NARROW;
  setAttribute(S.root, "data-narrow", String(narrow));
  S.root.style.setProperty("--k", String(S.type));
  const rowsBelow = S.dom.clockRow.offsetHeight + S.dom.layerRow.offsetHeight;
  const around = rowsBelow + 48 + 56 * S.type + (full ? 0 : above(S));
  const tallest = Math.max(LEAST_PLANE, (full ? S.root.clientHeight : window.innerHeight) - around);
  const rows = arrange(S, width, tallest, narrow);
  for (const { view, w, h, margins } of rows) resizePanel(S, view, w, h, margins);
  return true;
}

/** CSS pixels between the top of the window and the stage, the page being scrolled to its top; bounded, so that a stage far
 * down a page still gets most of a window. */
function above(S) {
  let scrolled = window.scrollY;
  for (let node = S.root.getRootNode().host ?? S.root.parentElement; node; node = node.parentElement) scrolled += node.scrollTop;
  const top = S.root.getBoundingClientRect().top + scrolled;
  return Math.min(Math.max(top, 0), 0.32 * window.innerHeight);
}

/** Device pixels per CSS pixel; while the clock runs, fewer if the machine cannot keep up. */
const ratioOf = (S) => Math.min(window.devicePixelRatio || 1, S.playing ? S.playRatio : MOST_RATIO);

/** The first of: one row, two columns, one column, that gives planes of a good size. */
function arrange(S, width, tallest, narrow) {
  const views = S.panels;
  const counts = narrow ? [1] : [views.length, Math.ceil(views.length / 2), 1];
  let best = null;
  for (const columns of counts) {
    const groups = [];
    for (let i = 0; i < views.length; i += columns) groups.push(views.slice(i, i + columns));
    const placed = groups.flatMap((group) => placeRow(S, group, width, tallest, narrow));
    const least = Math.min(...placed.map((p) => p.h));
    if (!best || least > best.least * 1.25) best = { placed, least };
    if (least >= LEAST_PLANE + 40) break;
  }
  return best.placed;
}

function placeRow(S, group, width, tallest, narrow) {
  const margins = group.map((view) => marginsOf(S, view.model, narrow));
  const planes = group.map((view) => view.model.kind === "plane");
  const barWidth = narrow ? width : Math.min(Math.max(148 * S.type, width * 0.14), 240);
  const gaps = GAP * (group.length - 1);
  const sides = margins.reduce((sum, m, i) => sum + (planes[i] ? m.left + m.right : barWidth), gaps);
  const aspects = group.reduce((sum, view, i) => sum + (planes[i] ? aspectOf(view.model) : 0), 0);
  let h = aspects ? (width - sides) / aspects : tallest;
  h = Math.floor(narrow && aspects ? h : Math.min(h, tallest));
  return group.map((view, i) => {
    const rows = view.model.bars ? view.model.bars.labels.length : 3;
    if (planes[i]) return { view, w: Math.floor(h * aspectOf(view.model)), h, margins: margins[i] };
    return { view, w: Math.floor(barWidth), h: narrow ? Math.min(28 * rows + 12, 260) : h, margins: margins[i] };
  });
}

/** Sizes of the canvases of one panel; the plot canvas covers exactly the plot area. */
function resizePanel(S, view, w, h, margins) {
  const ratio = ratioOf(S);
  const outerW = Math.round(w + margins.left + margins.right);
  const outerH = Math.round(h + margins.top + margins.bottom);
  const key = [w, h, outerW, outerH, ratio, margins.left, margins.beside].join();
  view.frameKey = "";
  if (view.sizeKey === key) {
    fitFormula(S, view);
    return;
  }
  Object.assign(view, { sizeKey: key, w, h, margins, ratio, outerW, outerH });
  sizeCanvas(view.frame, outerW, outerH, ratio);
  sizeCanvas(view.plot, w, h, ratio);
  Object.assign(view.plot.style, { left: `${margins.left}px`, top: `${margins.top}px` });
  Object.assign(view.overlay.style, { left: `${margins.left}px`, top: `${margins.top}px`, width: `${w}px`, height: `${h}px` });
  Object.assign(view.area.style, { width: `${outerW}px`, height: `${outerH}px` });
  view.head.style.paddingLeft = `${margins.left}px`;
  view.head.style.paddingRight = `${margins.right}px`;
  view.head.style.maxWidth = `${outerW}px`;
  fitFormula(S, view);
  view.contourKey = "";
}

function sizeCanvas(canvas, w, h, ratio) {
  canvas.width = Math.round(w * ratio);
  canvas.height = Math.round(h * ratio);
  canvas.style.width = `${w}px`;
  canvas.style.height = `${h}px`;
}

const toPixelX = (view, x) => ((x - view.model.extent[0]) / (view.model.extent[1] - view.model.extent[0])) * view.w;
const toPixelY = (view, y) => ((view.model.extent[3] - y) / (view.model.extent[3] - view.model.extent[2])) * view.h;
const toWorldX = (view, px) => view.model.extent[0] + (px / view.w) * (view.model.extent[1] - view.model.extent[0]);
const toWorldY = (view, py) => view.model.extent[3] - (py / view.h) * (view.model.extent[3] - view.model.extent[2]);

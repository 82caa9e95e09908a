// Where the panels go: in as many rows as give them the best size within the window, else below one another.

const NARROW = 560;
const GAP = 8;
const ROW_GAP = 4;
const MOST_RATIO = 2;
const LEAST_PLANE = 180;
const FEW_PANELS = 3; // more are small multiples: they share axes and may be smaller
const LEAST_MULTIPLE = 110;
const LEAST_CELL = 100; // of a table, whose panels may be enlarged
const CELL_STRETCH = 2.8; // the same of a cell of a table: its title has more room
const NARROW_CELLS = 4; // in a row on a phone, and how much higher than its extent such a cell is
const NARROW_STRETCH = 1.8;
const MOST_IN_STRIP = 7;
const TITLE = 14; // size of its type, and the height of one line or two
const HEAD = 20;
const TALL_HEAD = 36;
const FORMULA = 36;
const SIGN = 16; // width of an = or + before a panel
const MOST_STRETCH = 2.4; // how much wider than its extent a panel may be

/**
 * Space around the plot, in CSS pixels. Neighbours (`left`, `right`, `below`) with the same axes share their numbers in small
 * multiples; signed fields on one scale share a colour bar, at the right end of their row.
 */
function marginsOf(S, view, barBelow, { left, right, below } = {}) {
  const k = S.type;
  const { model } = view;
  const top = Math.round(4 * k);
  if (model.kind === "bars") return { left: 0, right: 0, top, bottom: barBelow ? 0 : 22 * k };
  const ground = model.layers.find(isGround);
  const shared = Boolean(ground && view.scaleKey && right?.scaleKey === view.scaleKey);
  const inside = S.header.view.present && !model.x_label; // presented, the picture has the room and its numbers stand in it
  const bar = Boolean(ground) && !shared && !inside;
  const beside = bar && !barBelow;
  const numbersX = !inside && !sameAxes(model, below?.model);
  const numbersY = !inside && !sameAxes(model, left?.model);
  if (inside) {
    const sign = model.sign ? SIGN * k : 0;
    return { left: Math.round(2 + sign), right: 2, top: 2, bottom: 2, bar: false, beside: false, numbersX, numbersY, inside };
  }
  return {
    left: Math.round(((numbersY ? (model.y_label ? 40 : 24) : 4) + (model.sign ? SIGN : 0)) * k),
    right: beside ? (ground.kind === "signed" ? 52 : 46) * k : 4,
    top,
    bottom: (bar && barBelow ? 44 : numbersX ? 20 : 4) * k + (model.x_label && numbersX ? 14 * k : 0),
    bar,
    beside,
    numbersX,
    numbersY,
  };
}

const axesKey = ({ extent, aspect, x_label, y_label }) => [extent, aspect, x_label, y_label].join();
const sameAxes = (model, other) => other?.kind === "plane" && axesKey(model) === axesKey(other);

const aspectOf = (model) => model.aspect ?? (model.extent[1] - model.extent[0]) / (model.extent[3] - model.extent[2]);

function layout(S) {
  const width = Math.floor(S.dom.panels.getBoundingClientRect().width); // clientWidth may round up, and a row would break
  if (width < 40) return false;
  const whole = S.leader ?? S;
  const full = isFullscreen(whole);
  const { present } = S.header.view;
  S.type = present ? Math.min(Math.max(window.innerHeight / 630, 1.2), 2.4) : full && window.innerHeight > 900 ? 1.2 : 1;
  const narrow = (whole.pinned ? whole.root.clientWidth : width) < NARROW;
  setAttribute(S.root, "data-narrow", String(narrow));
  S.root.style.setProperty("--k", String(S.type));
  const rowsBelow = whole.dom.clockRow.offsetHeight + (present || narrow ? 0 : whole.dom.layerRow.offsetHeight);
  const around = rowsBelow + (present ? 8 : 18) + (full ? 0 : above(whole));
  const room = (full ? whole.root.clientHeight : window.innerHeight) - around;
  const big = narrow ? null : enlargedPanel(S);
  const place = S.clip.columns ? arrangeTable : arrange;
  const rows = big ? arrangeAround(S, big, width, room) : place(S, width, room, narrow);
  S.dom.panels.classList.toggle("enlarged", Boolean(big));
  for (const { view, w, h, margins, newRow, tall } of rows) {
    view.lineBreak.hidden = !newRow;
    view.head.classList.toggle("tall", tall);
    setAttribute(view.title, "aria-pressed", String(view === big));
    view.title.disabled = narrow || S.panels.length < 2;
    resizePanel(S, view, w, h, margins);
    stretchTo(view, w / h);
  }
  if (rows.some(({ view }) => view.stretched)) {
    for (const view of S.panels) view.stretched = false;
    showWindows(S);
    syncOverlays(S);
  }
  return true;
}

/**
 * Whether a panel may be wider or higher than its extent: where its axes are of two kinds, or the law says what lies outside.
 * Panels with equal axes are all of one shape.
 */
const isFlexible = (S, { model }) => model.kind === "plane" && (Boolean(model.aspect) || S.panels.every(hasFreeShape));
const hasFreeShape = ({ model }) => model.kind !== "plane" || Boolean(model.aspect) || model.layers.some(isGroundOfLaw);
const isGroundOfLaw = (layer) => layer.kind === "density" && Boolean(layer.of);

/** A panel whose axes are equal shows more of the plane where it is wider or higher than its extent. */
function stretchTo(view, shape) {
  const stretch = view.model.kind === "plane" && !view.model.aspect ? shape / aspectOf(view.model) : 1;
  if (Math.abs(stretch - (view.stretch ?? 1)) < 1e-3) return;
  view.stretch = stretch;
  view.stretched = true;
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

/**
 * The number of columns that gives the largest planes with everything in the window; where that is too small, the first
 * whose planes have a good size, and the page scrolls.
 */
function arrange(S, width, room, narrow) {
  const views = panelsWithContent(S);
  for (const view of S.panels) view.box.hidden = !views.includes(view);
  const few = views.length <= FEW_PANELS;
  const half = Math.ceil(views.length / 2);
  const counts = narrow ? [1] : [...new Set([views.length, half, 3, 2, 1])].filter((count) => count <= views.length);
  const [fitting, loose] = [true, false].map((fit) => counts.map((columns) => placeAll(S, columns, width, room, narrow, fit)));
  const best = fitting.reduce((a, b) => (b.least > 1.1 * a.least ? b : a));
  const alone = few && !(S.leader ?? S).pinned; // side by side, all of both pictures is worth more than their size
  if (!narrow && best.least >= (alone ? LEAST_PLANE + 40 : LEAST_MULTIPLE)) return best.placed;
  const good = loose.find(({ least }) => least >= LEAST_PLANE + 40);
  return (good ?? loose.reduce((a, b) => (b.least > 1.25 * a.least ? b : a))).placed;
}

/** A table of panels has its own columns, on a phone four at most, and no numbers: a panel is read when it is enlarged. */
function arrangeTable(S, width, room, narrow) {
  const views = S.panels;
  for (const view of views) view.box.hidden = false;
  const columns = narrow ? Math.min(S.clip.columns, NARROW_CELLS) : S.clip.columns;
  const most = Math.floor((width - GAP * (columns - 1)) / columns) - BARE.left - BARE.right;
  const aspect = Math.max(...views.map(({ model }) => aspectOf(model)));
  const share = room / Math.ceil(views.length / columns) - (HEAD + 2) * S.type - ROW_GAP - BARE.top - BARE.bottom;
  const free = views.every(({ model }) => model.layers.every((layer) => !isGround(layer) || isGroundOfLaw(layer)));
  const h = Math.floor(narrow ? (free ? NARROW_STRETCH : 1) * (most / aspect) : Math.min(Math.max(share, LEAST_CELL * S.type), most / aspect));
  const w = Math.floor(Math.min(most, (free ? CELL_STRETCH : 1) * h * aspect));
  return views.map((view, i) => ({ view, w, h, margins: BARE, tall: false, newRow: i > 0 && i % columns === 0 }));
}

/** The panel that was enlarged by a click on its title, if it is there and has others beside it. */
function enlargedPanel(S) {
  const views = panelsWithContent(S);
  return (views.length > 1 && views.find((view) => view.model.name === (S.leader ?? S).enlarged)) || null;
}

const STRIP = { share: 0.16, least: 100, most: 260 };
const BARE = { left: 2, right: 2, top: 2, bottom: 2, bar: false, beside: false, numbersX: false, numbersY: false };

/** One panel as large as it can be, the others in a strip beside it, or in several where they are many. */
function arrangeAround(S, big, width, room) {
  const others = panelsWithContent(S).filter((view) => view !== big);
  for (const view of S.panels) view.box.hidden = view !== big && !others.includes(view);
  const strips = Math.ceil(others.length / MOST_IN_STRIP);
  const inOne = Math.ceil(others.length / strips);
  const strip = Math.min(Math.max(width * STRIP.share, STRIP.least), STRIP.most) / (strips > 1 ? 2 : 1);
  const [first] = placeRow(S, [big], [], width - strips * (strip + GAP), room, false, true, false);
  const high = Math.floor(Math.min(room / inOne - (HEAD + 2) * S.type - ROW_GAP - 4, strip));
  S.dom.panels.style.setProperty("--rows", String(inOne));
  big.box.classList.add("big");
  for (const view of others) view.box.classList.remove("big");
  return [first, ...others.map((view) => ({ view, w: Math.floor(Math.min(high * (view.model.kind === "plane" ? aspectOf(view.model) : 1), strip)), h: high, margins: BARE, tall: false, newRow: false }))];
}

/** A click on the title of a panel, or the same on the keyboard. */
function toggleEnlarged(S, view) {
  const whole = S.leader ?? S;
  whole.enlarged = whole.enlarged === view.model.name ? null : view.model.name;
  for (const one of [whole.pinned, whole]) if (one) relayout(one);
}

/** A panel of bars appears with its bars. */
const panelsWithContent = (S) => S.panels.filter(({ model }) => model.kind === "plane" || model.bars);

/**
 * All panels in so many columns. A colour bar costs width beside its plot and height below it: all stand where they leave the
 * larger pictures.
 */
function placeAll(S, columns, width, room, narrow, fit) {
  const below = placeAllWith(S, columns, width, room, narrow, fit, true);
  if (narrow) return below;
  const beside = placeAllWith(S, columns, width, room, narrow, fit, false);
  const area = ({ placed }) => placed.reduce((sum, { view, w, h }) => sum + (view.model.kind === "plane" ? w * h : 0), 0);
  return area(below) > 1.02 * area(beside) ? below : beside;
}

/** All panels in so many columns, and the least height among them; with `fit` the rows share the room. */
function placeAllWith(S, columns, width, room, narrow, fit, barBelow) {
  const groups = [];
  const views = panelsWithContent(S);
  for (let i = 0; i < views.length; i += columns) groups.push(views.slice(i, i + columns));
  const each = fit ? (room - ROW_GAP * (groups.length - 1)) / groups.length : room;
  const placed = groups.flatMap((group, n) => placeRow(S, group, groups[n + 1] ?? [], width, each, narrow, fit, barBelow));
  const least = Math.min(...placed.map((p) => p.h));
  // small multiples are of one size, so that their columns are level
  const level = fit && S.panels.length > FEW_PANELS && placed.every(({ view }) => view.model.kind === "plane");
  if (level) for (const p of placed) Object.assign(p, { w: Math.floor(least * aspectOf(p.view.model)), h: least });
  return { placed: placed.map((p, i) => ({ ...p, newRow: i > 0 && i % columns === 0 })), least };
}

/** One row, at most as high as its room; on a phone it is as high as its width asks. */
function placeRow(S, group, next, width, room, narrow, fit, barBelow) {
  const few = S.panels.length <= FEW_PANELS || narrow;
  const level = next.length === group.length; // a shorter row stands in the middle, below nobody's axes
  const margins = group.map((view, i) => {
    const right = narrow ? undefined : group[i + 1];
    const left = narrow ? undefined : group[i - 1];
    return marginsOf(S, view, barBelow, { left, right, below: !few && level ? next[i] : undefined });
  });
  const planes = group.map((view) => view.model.kind === "plane");
  const barWidth = narrow ? width : Math.min(Math.max(148 * S.type, width * 0.14), 240);
  const gaps = GAP * (group.length - 1);
  const sides = margins.reduce((sum, m, i) => sum + (planes[i] ? m.left + m.right : barWidth), gaps);
  const aspects = group.reduce((sum, view, i) => sum + (planes[i] ? aspectOf(view.model) : 0), 0);
  const underTitle = 2 + (S.panels.some((view) => view.model.formula) ? FORMULA : 0);
  const around = Math.max(...margins.map((m) => m.top + m.bottom));
  const heightBelow = (head) => {
    const tallest = Math.max(room - (head + underTitle) * S.type - around, fit ? 1 : LEAST_PLANE);
    const widest = aspects ? (width - sides) / aspects : tallest;
    return Math.floor(narrow && aspects ? widest : Math.min(widest, tallest));
  };
  let h = heightBelow(HEAD);
  const tall = !few && group.some((view) => titleWidth(S, view) > h * aspectOf(view.model));
  if (tall) h = heightBelow(TALL_HEAD);
  const flexible = group.filter((view) => isFlexible(S, view));
  const spare = flexible.length ? Math.max(0, width - sides - h * aspects) / flexible.length : 0;
  const alone = narrow && S.panels.length === 1 && flexible.length === 1;
  return group.map((view, i) => {
    const rows = view.model.bars ? view.model.bars.labels.length : 3;
    if (planes[i]) {
      const own = h * aspectOf(view.model);
      const w = Math.floor(isFlexible(S, view) ? Math.min(own + spare, MOST_STRETCH * own) : own);
      return { view, w, h: alone ? Math.floor(Math.min(Math.max(h, room - around - HEAD * S.type), 1.75 * h)) : h, margins: margins[i], tall };
    }
    return { view, w: Math.floor(barWidth), h: narrow ? Math.min(28 * rows + 12, 260) : h, margins: margins[i], tall };
  });
}

/** CSS pixels of a title on one line. */
function titleWidth(S, view) {
  const ctx = view.frame.getContext("2d");
  ctx.font = `600 ${TITLE * S.type}px ${S.theme.font}`;
  return ctx.measureText(view.model.title).width;
}

/** Sizes of the canvases of one panel; the plot canvas covers exactly the plot area. */
function resizePanel(S, view, w, h, margins) {
  const ratio = ratioOf(S);
  const outerW = Math.round(w + margins.left + margins.right);
  const outerH = Math.round(h + margins.top + margins.bottom);
  const key = [w, h, outerW, outerH, ratio, margins.left, margins.bar, margins.beside, margins.numbersX, margins.numbersY].join();
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

const toPixelX = (view, x) => ((x - view.window[0]) / (view.window[1] - view.window[0])) * view.w;
const toPixelY = (view, y) => ((view.window[3] - y) / (view.window[3] - view.window[2])) * view.h;
const toWorldX = (view, px) => view.window[0] + (px / view.w) * (view.window[1] - view.window[0]);
const toWorldY = (view, py) => view.window[3] - (py / view.h) * (view.window[3] - view.window[2]);

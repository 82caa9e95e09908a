// What stands around a plot: ticks, numbers and the colour bar, in one canvas that is drawn only when it changes.

function niceStep(span, count) {
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999) * power;
  return { step, decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

/** Ticks inside [from, to], about `count` and at least two: values and how many decimals they need. */
function ticks(from, to, count) {
  const { step, decimals } = niceStep(to - from, count);
  const values = [];
  for (let i = Math.ceil(from / step - 1e-6); i * step <= to + step * 1e-6; i++) values.push(i * step);
  return values.length > 1 ? { values, decimals } : ticks(from, to, count + 1);
}

/** What the two axes are called. */
const axisNames = (model) => [model.x_label || "x", model.y_label || "y"];

const LEAST_PRESENTED = 14; // nothing that is projected is written smaller
const fontOf = (S, size, weight = 400) => `${weight} ${(S.header.view.present ? Math.max(size, LEAST_PRESENTED) : size) * S.type}px ${S.theme.font}`;

/** Draws the surroundings of a plane panel if anything in them changed. */
function drawFrame(S, view) {
  const { x_label, y_label } = view.model;
  const bar = view.margins.bar && sharers(S, view).some((other) => S.layers.has(groundLayer(other).name)) ? barOf(S, view) : null;
  const key = [view.sizeKey, view.window, S.theme.key, S.type, x_label, y_label, bar?.kind, bar?.words, bar?.marks].join();
  if (view.frameKey === key) return;
  view.frameKey = key;
  const ctx = view.frameContext;
  ctx.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
  ctx.clearRect(0, 0, view.outerW, view.outerH);
  drawAxes(S, ctx, view);
  if (bar) view.margins.beside ? drawBarBeside(S, ctx, view, bar) : drawBarBelow(S, ctx, view, bar);
}

function drawAxes(S, ctx, view) {
  const { left, top } = view.margins;
  const [x0, x1, y0, y1] = view.window;
  const k = S.type;
  ctx.font = fontOf(S, 11);
  ctx.fillStyle = rgb(S.theme.muted);
  ctx.strokeStyle = rgb(S.theme.faint);
  ctx.lineWidth = 1;
  ctx.strokeRect(Math.round(left) - 0.5, Math.round(top) - 0.5, view.w + 1, view.h + 1);
  ctx.beginPath();
  const across = ticks(x0, x1, Math.max(2, Math.min(6, view.w / (64 * k))));
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  for (const x of across.values) {
    const px = left + toPixelX(view, x);
    ctx.moveTo(Math.round(px) - 0.5, top + view.h + 1);
    ctx.lineTo(Math.round(px) - 0.5, top + view.h + 5);
    if (view.margins.numbersX) ctx.fillText(number(x, across.decimals), px, top + view.h + 7 * k);
  }
  const up = ticks(y0, y1, Math.max(2, Math.min(6, view.h / (64 * k))));
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  for (const y of up.values) {
    const py = top + toPixelY(view, y);
    ctx.moveTo(left - 1, Math.round(py) - 0.5);
    ctx.lineTo(left - 5, Math.round(py) - 0.5);
    if (view.margins.numbersY) ctx.fillText(number(y, up.decimals), left - 7 * k, py);
  }
  ctx.stroke();
  if (view.model.sign) {
    ctx.font = fontOf(S, 18, 600);
    ctx.fillStyle = rgb(S.theme.text);
    ctx.textAlign = "left";
    ctx.fillText(view.model.sign, 0, top + view.h / 2);
  }
  drawAxisNames(S, ctx, view);
}

/** The numbers of the axes within the plot, where there is no room around it; none in its corners. */
function drawInnerNumbers(S, ctx, view) {
  const [x0, x1, y0, y1] = view.window;
  const k = S.type;
  ctx.font = fontOf(S, 11);
  ctx.fillStyle = rgb(S.theme.muted);
  ctx.strokeStyle = rgba(S.theme.ground, 0.75);
  ctx.lineWidth = 3;
  ctx.lineJoin = "round";
  const write = (text, x, y) => {
    ctx.strokeText(text, x, y);
    ctx.fillText(text, x, y);
  };
  const across = ticks(x0, x1, Math.max(2, Math.min(5, view.w / (90 * k))));
  ctx.textAlign = "center";
  ctx.textBaseline = "bottom";
  for (const x of across.values) {
    const px = toPixelX(view, x);
    if (px > 40 * k && px < view.w - 20 * k) write(number(x, across.decimals), px, view.h - 3);
  }
  const up = ticks(y0, y1, Math.max(2, Math.min(5, view.h / (90 * k))));
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  for (const y of up.values) {
    const py = toPixelY(view, y);
    if (py > 14 * k && py < view.h - 30 * k) write(number(y, up.decimals), 5, py);
  }
}

function drawAxisNames(S, ctx, view) {
  const { x_label, y_label } = view.model;
  const { left, top, numbersX, numbersY } = view.margins;
  const k = S.type;
  ctx.font = fontOf(S, 12, 500);
  ctx.fillStyle = rgb(S.theme.text);
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  if (x_label && numbersX) ctx.fillText(x_label, left + view.w / 2, top + view.h + 20 * k, view.w);
  if (!y_label || !numbersY) return;
  ctx.save();
  ctx.translate(1, top + view.h / 2);
  ctx.rotate(-Math.PI / 2);
  ctx.fillText(y_label, 0, 0, view.h);
  ctx.restore();
}

/** The panels that a panel's colour bar speaks for. */
const sharers = (S, view) => (view.scaleKey ? S.panels.filter((other) => other.scaleKey === view.scaleKey) : [view]);

/** What the colour bar of a ground says: its ramp, its numbers and its words. */
function barOf(S, view) {
  const words = S.header.labels;
  const { kind } = groundLayer(view);
  const labels = new Set(sharers(S, view).map((other) => groundLayer(other).label));
  const signed = kind === "signed";
  const scale = {
    linear: words.scale_linear,
    sqrt: signed ? words.signed_sqrt : words.scale_sqrt,
    log: signed ? words.signed_log : words.scale_log,
  }[S.scale];
  const name = (labels.size === 1 && [...labels][0]) || (signed ? words.signed : words.density);
  return {
    kind,
    ramp: signed ? S.theme.diverging : S.theme.ramp,
    marks: signed ? signedMarks(S, topOfSigned(S, view)) : barMarks(S, Math.exp(topOfScale(S, view))),
    words: [name, scale, S.perFrame ? words.scale_frame : words.scale_all],
  };
}

/** As many words as can be read in the room there is; the controls say the rest. */
function fittingWords(ctx, words, room) {
  const texts = words.map((_, n) => words.slice(0, words.length - n).join(" · "));
  return texts.find((text) => 0.85 * ctx.measureText(text).width <= room) ?? words[0];
}

/** The colours of a bar along a gradient. */
function fillBar(gradient, ramp) {
  const steps = 4 * (ramp.length - 1);
  for (let i = 0; i <= steps; i++) gradient.addColorStop(i / steps, rgb(rampColour(ramp, i / steps)));
  return gradient;
}

/** Numbers on the colour bar: [height in 0…1, text]. */
function barMarks(S, top) {
  const heights = S.scale === "log" ? [0, 0.2, 0.4, 0.6, 0.8, 1] : [0, 0.5, 1];
  return heights.map((v) => [v, densityText(scaleFraction(S.scale, v) * top)]);
}

function drawBarBeside(S, ctx, view, bar) {
  const k = S.type;
  const x = view.margins.left + view.w + 8;
  const wide = 6 * k;
  const { h } = view;
  const y = view.margins.top;
  ctx.fillStyle = fillBar(ctx.createLinearGradient(0, y + h, 0, y), bar.ramp);
  ctx.fillRect(x, y, wide, h);
  ctx.strokeStyle = rgb(S.theme.faint);
  ctx.strokeRect(Math.round(x) - 0.5, y - 0.5, Math.round(wide) + 1, h + 1);
  ctx.fillStyle = rgb(S.theme.muted);
  ctx.font = fontOf(S, 10);
  ctx.textAlign = "left";
  for (const [v, text] of bar.marks) {
    ctx.textBaseline = v === 1 ? "top" : v === 0 ? "bottom" : "middle";
    ctx.fillText(text, x + wide + 3, y + h * (1 - v));
  }
}

function drawBarBelow(S, ctx, view, bar) {
  const k = S.type;
  const x = view.margins.left;
  const y = view.margins.top + view.h + (view.model.x_label ? 36 : 22) * k;
  const high = 5 * k;
  ctx.fillStyle = fillBar(ctx.createLinearGradient(x, 0, x + view.w, 0), bar.ramp);
  ctx.fillRect(x, y, view.w, high);
  ctx.strokeStyle = rgb(S.theme.faint);
  ctx.strokeRect(Math.round(x) - 0.5, Math.round(y) - 0.5, view.w + 1, Math.round(high) + 1);
  ctx.fillStyle = rgb(S.theme.muted);
  ctx.font = fontOf(S, 10);
  ctx.textBaseline = "top";
  for (const [v, text] of [bar.marks[0], bar.marks[bar.marks.length - 1]]) {
    ctx.textAlign = v === 0 ? "left" : "right";
    ctx.fillText(text, x + view.w * v, y + high + 3 * k);
  }
  ctx.textAlign = "center";
  const room = view.w - 96 * k;
  fillSymbols(ctx, fittingWords(ctx, bar.words, room), x + view.w / 2, y + high + 3 * k, room);
}

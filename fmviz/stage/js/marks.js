// Resting things: lines, markers, and the ellipses of a mixture with the handles to edit it.

const DOT_RADIUS = 3.1; // CSS pixels

function drawLines(S, view, layer) {
  if (isStale(S, layer)) return;
  const { surface } = view;
  const dash = layer.dashed ? [5, 4].map((d) => d * S.type * view.ratio) : null;
  const pen = makePen(surface, 1.5 * S.type * view.ratio, pixelOf(S.theme.roles[layer.role]), dash);
  let at = 0;
  for (const length of layer.lengths) {
    pen.lift();
    for (const end = at + 2 * length; at < end; at += 2) {
      const x = toPixelX(view, layer.points[at]) * view.ratio;
      pen.to(x, toPixelY(view, layer.points[at + 1]) * view.ratio, layer.opacity);
    }
  }
  if (layer.dots) drawDots(S, view, layer);
}

/** The mark of the role at every vertex. */
function drawDots(S, view, layer) {
  const stamp = stampOf(S, view, roleMark(layer.role), layer.role, DOT_RADIUS * S.type);
  for (let at = 0; at < layer.points.length; at += 2) {
    const x = toPixelX(view, layer.points[at]) * view.ratio;
    putStamp(view.surface, stamp, x, toPixelY(view, layer.points[at + 1]) * view.ratio);
  }
}

/**
 * Draws polylines, dashed or not; a NaN lifts the pen. Where a line turns through 45 degrees its stroke changes from going
 * by columns to going by rows: the new part begins a little early, or a gap would show.
 */
function makePen(surface, width, pixel, dash) {
  let x = NaN;
  let y = NaN;
  let way = 0;
  let steep = null;
  const stroke = (fromX, fromY, toX, toY, alpha) => {
    const dx = toX - fromX;
    const dy = toY - fromY;
    const isSteep = Math.abs(dy) > Math.abs(dx);
    const back = steep !== null && steep !== isSteep ? 0.6 / Math.max(Math.hypot(dx, dy), 0.6) : 0;
    steep = isSteep;
    strokeLine(surface, fromX - dx * back, fromY - dy * back, toX, toY, width, pixel, alpha);
  };
  const segment = (fromX, fromY, toX, toY, alpha) => {
    if (!dash) {
      stroke(fromX, fromY, toX, toY, alpha);
      return;
    }
    const length = Math.hypot(toX - fromX, toY - fromY);
    const period = dash[0] + dash[1];
    for (let start = -(way % period); start < length; start += period) {
      const a = Math.max(start, 0) / length;
      const b = Math.min(start + dash[0], length) / length;
      const at = (w) => [fromX + (toX - fromX) * w, fromY + (toY - fromY) * w];
      if (b > a) strokeLine(surface, ...at(a), ...at(b), width, pixel, alpha);
    }
    way += length;
  };
  return {
    lift() {
      x = NaN;
      steep = null;
      way = 0;
    },
    to(nextX, nextY, alpha) {
      if (x === x && nextX === nextX) segment(x, y, nextX, nextY, alpha);
      x = nextX;
      y = nextY;
    },
  };
}

/** Where marker n of a layer stands now, in world coordinates. */
function markerAt(S, layer, n) {
  const held = layer.drag && S.moves.get(layer.drag);
  if (held) return held.place;
  if (!layer.moving) return [layer.positions[2 * n], layer.positions[2 * n + 1]];
  const width = layer.items * 2;
  return [sample(layer.positions, S.frame, width, 2 * n), sample(layer.positions, S.frame, width, 2 * n + 1)];
}

function drawMarkers(S, view, layer) {
  if (layer.moving && isStale(S, layer)) return;
  const colour = S.theme.roles[layer.role];
  const k = S.type;
  const stamp = stampOf(S, view, layer.shape, layer.role, 5 * k);
  for (let n = 0; n < layer.items; n++) {
    const [x, y] = markerAt(S, layer, n);
    if (x !== x) continue;
    const px = toPixelX(view, x);
    const py = toPixelY(view, y);
    putStamp(view.surface, stamp, px * view.ratio, py * view.ratio);
    if (layer.drag && S.editable && !S.exporting) {
      const held = S.focus?.kind === "marker" && S.focus.name === layer.drag;
      view.onTop.push((ctx) => {
        drawGrip(S, ctx, px, py, 11 * k, colour, held);
        drawMark(ctx, layer.shape, px, py, 5 * k, colour, S.theme.ground);
      });
    }
    if (layer.label && n === 0) view.onTop.push((ctx) => labelAt(S, ctx, view, layer.label, px, py, colour));
  }
}

function labelAt(S, ctx, view, text, px, py, colour) {
  ctx.font = `italic ${fontOf(S, 15, 600)}`;
  const left = px > view.w - 40;
  ctx.textAlign = left ? "right" : "left";
  ctx.textBaseline = "alphabetic";
  const at = [px + (left ? -12 : 12) * S.type, py - 8 * S.type];
  ctx.lineWidth = 3.5 * S.type;
  ctx.lineJoin = "round";
  ctx.strokeStyle = rgba(S.theme.ground, 0.85);
  ctx.strokeText(text, ...at);
  ctx.fillStyle = rgb(colour);
  ctx.fillText(text, ...at);
}

/** The circle that says: this can be dragged. */
function drawGrip(S, ctx, px, py, r, colour, strong) {
  ctx.beginPath();
  ctx.arc(px, py, r, 0, 2 * Math.PI);
  ctx.fillStyle = rgba(S.theme.ground, strong ? 0.75 : 0.45);
  ctx.fill();
  ctx.strokeStyle = rgba(colour, strong ? 1 : 0.55);
  ctx.lineWidth = (strong ? 2 : 1.25) * S.type;
  ctx.stroke();
}

/** Axes of a covariance: standard deviations along them and the angle of the first, in world coordinates. */
function axesOf([, , , xx, xy, yy]) {
  const middle = (xx + yy) / 2;
  const spread = Math.hypot((xx - yy) / 2, xy);
  const angle = spread < 1e-12 ? 0 : 0.5 * Math.atan2(2 * xy, xx - yy);
  return { long: Math.sqrt(middle + spread), short: Math.sqrt(Math.max(middle - spread, 0)), angle };
}

/** Calls visit(x, y) along an ellipse in plot pixels. */
function walkEllipse(view, component, deviations, corners, visit) {
  const { long, short, angle } = axesOf(component);
  const kx = view.w / (view.window[1] - view.window[0]);
  const ky = view.h / (view.window[3] - view.window[2]);
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  const px = toPixelX(view, component[1]);
  const py = toPixelY(view, component[2]);
  const count = Math.min(720, Math.max(corners, Math.ceil(4 * Math.sqrt(deviations * long * Math.max(kx, ky))))); // round at any zoom
  for (let n = 0; n <= count; n++) {
    const u = deviations * long * Math.cos((2 * Math.PI * n) / count);
    const v = deviations * short * Math.sin((2 * Math.PI * n) / count);
    visit(px + (u * c - v * s) * kx, py - (u * s + v * c) * ky);
  }
}

function drawEllipses(S, view, layer) {
  const { components, selected } = mixtureOf(S, layer);
  const colour = S.theme.roles[layer.role];
  const crowded = components.length > 12;
  const strongest = Math.max(...components.map((c) => c[0]), 1e-9);
  const { surface, ratio } = view;
  for (const [deviations, alpha, width] of [[2, crowded ? 0.25 : 0.42, 1], [1, crowded ? 0.55 : 0.9, 1.5]]) {
    const pen = makePen(surface, width * S.type * ratio, pixelOf(colour), null);
    for (const component of components) {
      pen.lift();
      walkEllipse(view, component, deviations, crowded ? 28 : 56, (x, y) => pen.to(x * ratio, y * ratio, alpha));
    }
  }
  for (const [k, component] of components.entries()) {
    // the dot's area is the weight
    const r = (crowded ? 1.5 : 2) * S.type * (0.75 + Math.round(4 * Math.sqrt(component[0] / strongest)) / 4);
    const stamp = stampOf(S, view, "dot", layer.role, r);
    putStamp(surface, stamp, toPixelX(view, component[1]) * ratio, toPixelY(view, component[2]) * ratio);
    if (S.editable && layer.edit && k === selected && !S.exporting) view.onTop.push((ctx) => drawHandles(S, ctx, view, component, colour));
  }
}

function drawHandles(S, ctx, view, component, colour) {
  const k = S.type;
  const px = toPixelX(view, component[1]);
  const py = toPixelY(view, component[2]);
  ctx.strokeStyle = rgb(colour);
  ctx.lineWidth = 2 * k;
  ctx.beginPath();
  walkEllipse(view, component, 1, 56, (x, y) => ctx.lineTo(x, y));
  ctx.stroke();
  drawGrip(S, ctx, px, py, 9 * k, colour, true);
  drawMark(ctx, "dot", px, py, 3 * k, colour, S.theme.ground);
  for (const handle of handlesOf(S, view, component)) {
    ctx.strokeStyle = rgba(colour, 0.6);
    ctx.lineWidth = k;
    ctx.beginPath();
    ctx.moveTo(px, py);
    ctx.lineTo(handle.px, handle.py);
    ctx.stroke();
    const side = 5 * k;
    ctx.fillStyle = rgb(S.theme.ground);
    ctx.fillRect(handle.px - side, handle.py - side, 2 * side, 2 * side);
    ctx.strokeStyle = rgb(colour);
    ctx.lineWidth = 2 * k;
    ctx.strokeRect(handle.px - side, handle.py - side, 2 * side, 2 * side);
  }
}

/** The two axis handles in plot pixels: on the ellipse of two deviations, pulled in where that lies too far out. */
function handlesOf(S, view, component) {
  const { long, short, angle } = axesOf(component);
  const kx = view.w / (view.window[1] - view.window[0]);
  const ky = view.h / (view.window[3] - view.window[2]);
  const px = toPixelX(view, component[1]);
  const py = toPixelY(view, component[2]);
  return [[long, angle], [short, angle + Math.PI / 2]].map(([deviation, direction], axis) => {
    const ex = Math.cos(direction) * kx;
    const ey = -Math.sin(direction) * ky;
    const unit = Math.hypot(ex, ey) * deviation;
    let reach = 2 * unit;
    if (reach > 0.4 * Math.min(view.w, view.h)) reach = unit;
    reach = Math.min(Math.max(reach, 20 * S.type), 0.45 * Math.min(view.w, view.h));
    const factor = reach / Math.hypot(ex, ey);
    let side = 1;
    const inside = (sign) => {
      const x = px + sign * ex * factor;
      const y = py + sign * ey * factor;
      return x > 6 && y > 6 && x < view.w - 6 && y < view.h - 6;
    };
    if (!inside(1) && inside(-1)) side = -1;
    return { axis, side, px: px + side * ex * factor, py: py + side * ey * factor };
  });
}

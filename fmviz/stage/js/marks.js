// Resting things: lines, markers, and the ellipses of a mixture with the handles to edit it.

function drawLines(S, ctx, view, layer) {
  ctx.strokeStyle = rgba(S.theme.roles[layer.role], layer.opacity);
  ctx.lineWidth = 1.5 * S.type;
  ctx.lineJoin = "round";
  ctx.setLineDash(layer.dashed ? [5 * S.type, 4 * S.type] : []);
  ctx.beginPath();
  let at = 0;
  for (const length of layer.lengths) {
    let pen = false;
    for (const end = at + 2 * length; at < end; at += 2) {
      const x = layer.points[at];
      if (x !== x) pen = false;
      else if (pen) ctx.lineTo(toPixelX(view, x), toPixelY(view, layer.points[at + 1]));
      else {
        ctx.moveTo(toPixelX(view, x), toPixelY(view, layer.points[at + 1]));
        pen = true;
      }
    }
  }
  ctx.stroke();
  ctx.setLineDash([]);
}

/** Where marker n of a layer stands now, in world coordinates. */
function markerAt(S, layer, n) {
  const held = layer.drag && S.moves.get(layer.drag);
  if (held) return held.place;
  if (!layer.moving) return [layer.positions[2 * n], layer.positions[2 * n + 1]];
  const width = layer.items * 2;
  return [sample(layer.positions, S.frame, width, 2 * n), sample(layer.positions, S.frame, width, 2 * n + 1)];
}

function drawMarkers(S, ctx, view, layer) {
  const colour = S.theme.roles[layer.role];
  const k = S.type;
  for (let n = 0; n < layer.items; n++) {
    const [x, y] = markerAt(S, layer, n);
    if (x !== x) continue;
    const px = toPixelX(view, x);
    const py = toPixelY(view, y);
    const held = layer.drag && S.focus?.kind === "marker" && S.focus.name === layer.drag;
    if (layer.drag && S.editable) drawGrip(S, ctx, px, py, 11 * k, colour, held);
    drawMark(ctx, layer.shape, px, py, 5 * k, colour, S.theme.ground);
    if (layer.label && n === 0) labelAt(S, ctx, view, layer.label, px, py, colour);
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

function traceEllipse(ctx, view, component, deviations) {
  const { long, short, angle } = axesOf(component);
  const kx = view.w / (view.model.extent[1] - view.model.extent[0]);
  const ky = view.h / (view.model.extent[3] - view.model.extent[2]);
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  const px = toPixelX(view, component[1]);
  const py = toPixelY(view, component[2]);
  const corners = 48;
  for (let n = 0; n <= corners; n++) {
    const u = deviations * long * Math.cos((2 * Math.PI * n) / corners);
    const v = deviations * short * Math.sin((2 * Math.PI * n) / corners);
    const x = px + (u * c - v * s) * kx;
    const y = py - (u * s + v * c) * ky;
    if (n === 0) ctx.moveTo(x, y);
    else ctx.lineTo(x, y);
  }
}

function drawEllipses(S, ctx, view, layer) {
  const { components, selected } = mixtureOf(S, layer);
  const editing = S.editable && layer.edit;
  const colour = S.theme.roles[layer.role];
  const crowded = components.length > 12;
  const strongest = Math.max(...components.map((c) => c[0]));
  ctx.lineJoin = "round";
  for (const [deviations, alpha] of [[2, crowded ? 0.25 : 0.4], [1, crowded ? 0.55 : 0.85]]) {
    ctx.strokeStyle = rgba(colour, alpha);
    ctx.lineWidth = (deviations === 1 ? 1.5 : 1) * S.type;
    ctx.beginPath();
    for (const component of components) traceEllipse(ctx, view, component, deviations);
    ctx.stroke();
  }
  components.forEach((component, k) => {
    // the dot's area is the weight
    const r = (crowded ? 1.5 : 2) * S.type * (0.75 + Math.sqrt(component[0] / strongest));
    drawMark(ctx, "dot", toPixelX(view, component[1]), toPixelY(view, component[2]), r, colour, S.theme.ground);
    if (editing && k === selected) drawHandles(S, ctx, view, component, colour);
  });
}

function drawHandles(S, ctx, view, component, colour) {
  const k = S.type;
  const px = toPixelX(view, component[1]);
  const py = toPixelY(view, component[2]);
  ctx.strokeStyle = rgb(colour);
  ctx.lineWidth = 2 * k;
  ctx.beginPath();
  traceEllipse(ctx, view, component, 1);
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
  const kx = view.w / (view.model.extent[1] - view.model.extent[0]);
  const ky = view.h / (view.model.extent[3] - view.model.extent[2]);
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

// A rectangle with what is in it and what flows out of it. Its sides are [x0, x1, y0, y1]; a part of it is [dx, dy], the
// direction of a handle seen from its middle, and [0, 0] is the whole.

const SMALL_PLOT = 200; // CSS pixels: below it numbers and handles are smaller
const LEAST_SIDE = 0.03; // of the panel
const BOX_ARROW = 56; // the longest flux arrow, CSS pixels
const BOX_CURSORS = { "0,0": "grab", "1,1": "nesw-resize", "1,-1": "nwse-resize", "1,0": "ew-resize", "0,1": "ns-resize" };

/** The sides as they are shown: our own while they are being dragged or on their way. */
const boxSides = (S, layer) => (layer.drag && S.boxes.get(layer.drag)?.sides) || layer.sides;

const sameSides = (view, a, b) => {
  const [x0, x1, y0, y1] = view.model.extent;
  return a.every((side, i) => Math.abs(side - b[i]) < 1e-4 * (i < 2 ? x1 - x0 : y1 - y0));
};

function draggableBoxes(S, hidden = false) {
  return S.panels.flatMap((view) =>
    (view.model.layers ?? [])
      .filter((layer) => layer.kind === "box" && layer.drag && (hidden || (S.editable && S.layers.has(layer.name))))
      .map((layer) => ({ view, layer })),
  );
}

/** Corner and side handles in plot pixels. */
function boxHandles(view, [x0, x1, y0, y1]) {
  const across = [x0, (x0 + x1) / 2, x1].map((x) => toPixelX(view, x));
  const up = [y0, (y0 + y1) / 2, y1].map((y) => toPixelY(view, y));
  const parts = [-1, 0, 1].flatMap((dx) => [-1, 0, 1].map((dy) => [dx, dy])).filter(([dx, dy]) => dx || dy);
  return parts.map(([dx, dy]) => ({ part: [dx, dy], px: across[dx + 1], py: up[dy + 1] }));
}

/** What of a box can be dragged at a place of the plot: a handle, or all of it by its inside and its edge. */
function hitBox(S, view, layer, [px, py], reach) {
  const sides = boxSides(S, layer);
  const [left, right] = [toPixelX(view, sides[0]), toPixelX(view, sides[1])];
  const [bottom, top] = [toPixelY(view, sides[2]), toPixelY(view, sides[3])];
  const middle = { part: [0, 0], px: (left + right) / 2, py: (top + bottom) / 2 };
  const far = (entry) => Math.hypot(entry.px - px, entry.py - py);
  const handles = boxHandles(view, sides).filter((entry) => far(entry) < reach);
  const edge = 6 * S.type;
  const inside = px > left - edge && px < right + edge && py > top - edge && py < bottom + edge;
  const nearest = (inside ? [...handles, middle] : handles).sort((a, b) => far(a) - far(b))[0];
  if (!nearest) return null;
  // a handle within reach comes before the middle, unless the box is so small that the middle is nearer
  const { part } = nearest;
  const cursor = BOX_CURSORS[part] ?? BOX_CURSORS[part.map((d) => -d || 0)];
  return { kind: "box", layer, part, cursor, offset: [nearest.px - px, nearest.py - py] };
}

/** The box around another middle, kept inside the panel. */
function movedBox(view, [x0, x1, y0, y1], x, y) {
  const [left, right, bottom, top] = view.model.extent;
  const shift = (from, to, at, low, high) => Math.max(Math.min(at - (from + to) / 2, high - to), low - from);
  const dx = shift(x0, x1, x, left, right);
  const dy = shift(y0, y1, y, bottom, top);
  return [x0 + dx, x1 + dx, y0 + dy, y1 + dy];
}

/** The box with the sides of one handle at (x, y), never turned inside out. */
function resizedBox(view, [x0, x1, y0, y1], [dx, dy], x, y) {
  const [left, right, bottom, top] = view.model.extent;
  const leastX = LEAST_SIDE * (right - left);
  const leastY = LEAST_SIDE * (top - bottom);
  return [
    dx < 0 ? Math.max(left, Math.min(x, x1 - leastX)) : x0,
    dx > 0 ? Math.min(right, Math.max(x, x0 + leastX)) : x1,
    dy < 0 ? Math.max(bottom, Math.min(y, y1 - leastY)) : y0,
    dy > 0 ? Math.min(top, Math.max(y, y0 + leastY)) : y1,
  ];
}

const boxMessage = (name, [x0, x1, y0, y1]) => ({ name, x0, x1, y0, y1 });

/** Shows new sides while they are still changing. */
function boxDrag(S, name, sides) {
  S.boxes.set(name, { sides, dragging: true, sentAt: 0 });
  reportDrag(S, "boxed", boxMessage(name, sides));
  syncOverlays(S);
  invalidate(S);
}

/** Ends a move or resize: exactly one "done". */
function boxDone(S, name) {
  const box = S.boxes.get(name);
  Object.assign(box, { dragging: false, sentAt: performance.now() });
  reportDone(S, "boxed", boxMessage(name, box.sides));
  settleLater(S);
}

/** Mass and fluxes at the current time. */
const boxNumbers = (S, layer) => ({
  mass: sample(layer.mass, S.frame, 1, 0),
  flux: [0, 1, 2, 3].map((side) => sample(layer.flux, S.frame, 4, side)),
});

const fluxText = (value) => (Number(value.toFixed(3)) > 0 ? "+" : "") + number(value, 3);

/** The sentence that a screen reader says. */
function boxText(S, layer) {
  const [x0, x1, y0, y1] = boxSides(S, layer).map((side) => number(side));
  const { mass, flux } = boxNumbers(S, layer);
  const [left, right, bottom, top] = flux.map(fluxText);
  const name = S.header.labels.layers[layer.name];
  return fill(S.header.labels.box, { name, x0, x1, y0, y1, mass: number(mass, 3), left, right, bottom, top });
}

function drawBox(S, view, layer) {
  const sides = boxSides(S, layer);
  const [left, right] = [toPixelX(view, sides[0]), toPixelX(view, sides[1])];
  const [bottom, top] = [toPixelY(view, sides[2]), toPixelY(view, sides[3])];
  const { surface, ratio } = view;
  const k = S.type;
  const colour = S.theme.roles[layer.role];
  const outline = (width, pixel, alpha) => {
    const half = width / 2; // the sides meet at full corners
    for (const y of [top, bottom]) {
      strokeLine(surface, (left - half) * ratio, y * ratio, (right + half) * ratio, y * ratio, width * ratio, pixel, alpha);
    }
    for (const x of [left, right]) {
      strokeLine(surface, x * ratio, (top + half) * ratio, x * ratio, (bottom - half) * ratio, width * ratio, pixel, alpha);
    }
  };
  const ground = pixelOf(S.theme.ground); // a halo, as the field below may be of any colour
  outline(4.5 * k, ground, 0.7);
  outline(2 * k, pixelOf(colour), 1);
  const { mass, flux } = boxNumbers(S, layer);
  const fresh = sameSides(view, sides, layer.sides); // else the numbers are those of where it was
  const [x0, x1, y0, y1] = view.window;
  const arrows = fluxArrows(view, layer, flux, [left, right, bottom, top], [view.w / (x1 - x0), view.h / (y1 - y0)], k);
  for (const { x, y, dx, dy } of arrows) {
    strokeLine(surface, x * ratio, y * ratio, (x + dx) * ratio, (y + dy) * ratio, 5 * k * ratio, ground, fresh ? 0.7 : 0.25);
    drawArrow(surface, x * ratio, y * ratio, dx * ratio, dy * ratio, 1.5 * k * ratio, pixelOf(colour), fresh ? 1 : 0.35);
  }
  const focused = S.focus?.kind === "box" && S.focus.name === layer.drag;
  view.onTop.push((ctx) => {
    if (layer.drag && S.editable && !S.exporting) drawBoxHandles(S, ctx, view, sides, colour, focused);
    ctx.globalAlpha = fresh ? 1 : 0.35;
    drawBoxNumbers(S, ctx, view, arrows, [left, right, bottom, top], mass, flux);
    ctx.globalAlpha = 1;
  });
}

/** An arrow through the middle of each side, outwards where the flux is positive, cut and moved so that it stays visible. */
function fluxArrows(view, layer, flux, [left, right, bottom, top], [kx, ky], k) {
  const outwards = [[-1, 0], [1, 0], [0, 1], [0, -1]]; // left, right, bottom, top in plot pixels
  const middles = [[left, (top + bottom) / 2], [right, (top + bottom) / 2], [(left + right) / 2, bottom], [(left + right) / 2, top]];
  const within = (from, length, most) => Math.max(Math.max(0, -length) + 1, Math.min(from, most - Math.max(0, length) - 1));
  return outwards.map(([ex, ey], side) => {
    const value = Number.isFinite(flux[side]) ? flux[side] : 0;
    const wanted = Math.abs(value) * layer.flux_scale * (ex ? kx : ky);
    const length = Math.sign(value) * Math.min(wanted, BOX_ARROW * k, 0.25 * Math.min(view.w, view.h));
    const [dx, dy] = [ex * length, ey * length];
    const [mx, my] = middles[side];
    return { x: within(mx - dx / 2, dx, view.w), y: within(my - dy / 2, dy, view.h), dx, dy };
  });
}

function drawBoxHandles(S, ctx, view, sides, colour, strong) {
  ctx.lineWidth = (strong ? 2 : 1.25) * S.type;
  ctx.strokeStyle = rgb(colour);
  ctx.fillStyle = rgb(S.theme.ground);
  for (const { part, px, py } of boxHandles(view, sides)) {
    const half = (part[0] && part[1] ? 4 : 3) * S.type * (view.w < SMALL_PLOT ? 0.75 : 1);
    ctx.fillRect(px - half, py - half, 2 * half, 2 * half);
    ctx.strokeRect(px - half, py - half, 2 * half, 2 * half);
  }
}

/** The mass in the middle; each flux beyond the outer end of its arrow, or beside it where the plot ends. */
function drawBoxNumbers(S, ctx, view, arrows, [left, right, bottom, top], mass, flux) {
  const k = S.type * (view.w < SMALL_PLOT ? 0.85 : 1);
  const write = (text, x, y, align) => {
    const wide = ctx.measureText(text).width;
    const from = align === "left" ? x : align === "right" ? x - wide : x - wide / 2;
    const at = [Math.min(Math.max(from, 3), view.w - wide - 3), Math.min(Math.max(y, 9 * k), view.h - 9 * k)];
    ctx.strokeText(text, ...at);
    ctx.fillText(text, ...at);
  };
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.lineJoin = "round";
  ctx.lineWidth = 3.5 * k;
  ctx.strokeStyle = rgba(S.theme.ground, 0.85);
  ctx.fillStyle = rgb(S.theme.text);
  ctx.font = fontOf(S, (13 * k) / S.type, 700);
  write(number(mass, 3), (left + right) / 2, (top + bottom) / 2, "center");
  ctx.font = fontOf(S, (11 * k) / S.type, 600);
  const gap = 7 * k;
  const ends = arrows.map(({ x, y, dx, dy }) => [Math.min(x, x + dx), Math.max(x, x + dx), Math.min(y, y + dy), Math.max(y, y + dy)]);
  const across = (side) => (side === 0 ? ends[0][0] > 46 * k : view.w - ends[1][1] > 46 * k);
  const above = arrows[0].y - (across(0) ? 0 : 13 * k);
  write(fluxText(flux[0]), Math.min(ends[0][0], left) - gap, above, "right");
  write(fluxText(flux[1]), Math.max(ends[1][1], right) + gap, arrows[1].y - (across(1) ? 0 : 13 * k), "left");
  const below = view.h - ends[2][3] > 18 * k;
  const beyond = ends[3][2] > 18 * k;
  const middle = (left + right) / 2;
  write(fluxText(flux[2]), below ? middle : middle + 12 * k, below ? ends[2][3] + 9 * k : ends[2][2], below ? "center" : "left");
  write(fluxText(flux[3]), beyond ? middle : middle + 12 * k, beyond ? ends[3][2] - 9 * k : ends[3][3], beyond ? "center" : "left");
}

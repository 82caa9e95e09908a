// Pointing: a pen that draws over the picture and a laser whose trail fades. Both lie over the whole stage, take the pointer
// while they are on, and are gone with Escape and with the next state of the page.

const INK_TOOLS = ["pen", "laser"];
const LASER_MS = 450;
const MOST_POINTS = 20_000;
const INK = { pen: "#e0218a", laser: "#ff3b30" };

function buildInk(S) {
  const canvas = element("canvas", { class: "ink", "aria-hidden": "true" });
  S.ink = { canvas, tool: null, strokes: [], points: 0, trail: [], at: null, loop: 0 };
  canvas.onpointerdown = (event) => inkDown(S, event);
  canvas.onpointermove = (event) => inkMove(S, event);
  canvas.onpointerup = canvas.onpointercancel = () => (S.ink.at = null);
  return canvas;
}

/** Takes a tool in hand, or lays it down; what the pen has drawn stays until it is wiped. */
function takeInk(S, tool) {
  const { ink } = S;
  ink.tool = ink.tool === tool ? null : tool;
  if (ink.tool) S.root.dataset.ink = ink.tool;
  else delete S.root.dataset.ink;
  for (const name of INK_TOOLS) setAttribute(S.dom[name], "aria-pressed", String(ink.tool === name));
  drawInk(S);
}

/** Wipes what is drawn and lays the tool down; true if there was either. */
function wipeInk(S) {
  const { ink } = S;
  const some = Boolean(ink.tool || ink.strokes.length);
  Object.assign(ink, { strokes: [], points: 0, trail: [], at: null });
  if (ink.tool) takeInk(S, ink.tool);
  else drawInk(S);
  return some;
}

/** Takes back the last stroke; true if there was one. */
function undoInk(S) {
  const stroke = S.ink.tool === "pen" && S.ink.strokes.pop();
  if (!stroke) return false;
  S.ink.points -= stroke.points.length;
  drawInk(S);
  return true;
}

function inkKey(S, key) {
  const tool = { p: "pen", x: "laser" }[key.toLowerCase()];
  if (!tool) return false;
  takeInk(S, tool);
  return true;
}

/** A place as parts of the stage's width and height, so that it stays where it is when the window changes. */
function inkPlace({ canvas }, event) {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

function inkDown(S, event) {
  const { ink } = S;
  if (event.button !== 0) return;
  event.preventDefault();
  ink.canvas.setPointerCapture(event.pointerId);
  const place = inkPlace(ink, event);
  ink.at = place;
  if (ink.tool === "pen") {
    ink.strokes.push({ width: event.pointerType === "pen" ? 1.5 + 4 * event.pressure : 3.5, points: [place] });
    drawInk(S);
  } else aimLaser(S, place);
}

function inkMove(S, event) {
  const { ink } = S;
  if (ink.tool === "laser") aimLaser(S, inkPlace(ink, event));
  if (ink.tool !== "pen" || !ink.at || ink.points > MOST_POINTS) return;
  // A fast stroke has more places than the screen has frames.
  const events = event.getCoalescedEvents?.() ?? [];
  for (const one of events.length ? events : [event]) {
    ink.at = inkPlace(ink, one);
    ink.strokes.at(-1).points.push(ink.at);
    ink.points += 1;
  }
  drawInk(S);
}

function aimLaser(S, place) {
  S.ink.trail.push({ place, at: performance.now() });
  S.ink.loop ||= requestAnimationFrame(() => fadeLaser(S));
}

/** The trail fades; its head stays as long as the laser is in hand. */
function fadeLaser(S) {
  const { ink } = S;
  const oldest = performance.now() - LASER_MS;
  const head = ink.trail.at(-1);
  ink.trail = ink.trail.filter((one) => one === head || one.at > oldest);
  drawInk(S);
  ink.loop = ink.trail.length > 1 && S.root.isConnected ? requestAnimationFrame(() => fadeLaser(S)) : 0;
}

function drawInk(S) {
  const { canvas, strokes, tool, trail } = S.ink;
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = Math.round(w * ratio);
  canvas.height = Math.round(h * ratio);
  canvas.dataset.strokes = strokes.length;
  canvas.dataset.trail = trail.length;
  const ctx = canvas.getContext("2d");
  ctx.scale(ratio, ratio);
  ctx.lineCap = ctx.lineJoin = "round";
  ctx.strokeStyle = INK.pen;
  for (const { width, points } of strokes) {
    ctx.lineWidth = width * S.type;
    ctx.beginPath();
    ctx.moveTo(points[0][0] * w, points[0][1] * h);
    // Through the middles of the segments, bent at the places: a smooth line.
    for (let i = 1; i < points.length; i++) {
      const [[x, y], [x1, y1]] = [points[i - 1], points[i]];
      ctx.quadraticCurveTo(x * w, y * h, ((x + x1) / 2) * w, ((y + y1) / 2) * h);
    }
    const [x, y] = points.at(-1);
    ctx.lineTo(x * w, y * h);
    ctx.stroke();
  }
  if (tool === "laser") drawLaser(S, ctx, w, h);
}

function drawLaser(S, ctx, w, h) {
  const { trail } = S.ink;
  const now = performance.now();
  ctx.strokeStyle = ctx.fillStyle = INK.laser;
  for (let i = 1; i < trail.length; i++) {
    const left = Math.max(0, 1 - (now - trail[i].at) / LASER_MS);
    ctx.globalAlpha = 0.6 * left;
    ctx.lineWidth = 8 * S.type * left;
    ctx.beginPath();
    ctx.moveTo(trail[i - 1].place[0] * w, trail[i - 1].place[1] * h);
    ctx.lineTo(trail[i].place[0] * w, trail[i].place[1] * h);
    ctx.stroke();
  }
  if (!trail.length) return;
  const [x, y] = trail.at(-1).place;
  for (const [radius, alpha] of [[14, 0.25], [6, 1]]) {
    ctx.globalAlpha = alpha;
    ctx.beginPath();
    ctx.arc(x * w, y * h, radius * S.type, 0, 2 * Math.PI);
    ctx.fill();
  }
}

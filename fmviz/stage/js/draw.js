// One picture: every panel at the current frame.

const PAINTERS = {
  density: drawDensity,
  signed: drawSigned,
  contours: drawContours,
  vectors: drawVectors,
  particles: drawParticles,
  lines: drawLines,
  mesh: drawMesh,
  markers: drawMarkers,
  ellipses: drawEllipses,
  box: drawBox,
  absent: () => {}, // switched on, and on its way
};

function drawPlot(S, view) {
  const ctx = view.context;
  ctx.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
  if (view.model.kind === "bars") {
    drawBars(S, ctx, view);
    return;
  }
  const { width, height } = view.plot;
  if (view.surface?.w !== width || view.surface?.h !== height) view.surface = makeSurface(ctx, width, height);
  view.onTop = [];
  for (const layer of drawGround(S, view)) {
    // particles decide for themselves: their trails may be shown without them
    if (layer.kind === "particles" || S.layers.has(layer.name)) PAINTERS[layer.kind](S, view, layer);
  }
  ctx.putImageData(view.surface.image, 0, 0);
  for (const draw of view.onTop) draw(ctx);
  if (view.margins.inside) drawInnerNumbers(S, ctx, view);
}

/**
 * Draws the ground, a density or signed field and contours below all else, and returns the layers that remain. A picture of it is kept:
 * nothing that merely moves above it draws it again, and while the clock runs the panels take turns, so that each ground
 * is renewed with every other picture, and down to every fourth where drawing is slow. Signed fields have their turn together:
 * they are there to be compared.
 */
function drawGround(S, view) {
  const { layers } = view.model;
  let count = 0;
  while (count < layers.length && (isGround(layers[count]) || layers[count].kind === "contours")) count++;
  const on = layers.slice(0, count).filter((layer) => S.layers.has(layer.name));
  const { pixels } = view.surface;
  const look = [pixels.length, S.clip.digest, S.theme.key, S.type, S.scale, S.perFrame, view.window, ...on.map((layer) => layer.name)].join();
  const law = on[0]?.of ? lawOf(S) : null;
  const version = law && Object.values(densityKey(S, view, on[0])).join();
  const kept = view.ground;
  const turns = Math.min(Math.max(Math.round(S.cost / 2.5), 2), 4);
  const place = layers.some((layer) => layer.kind === "signed") ? 0 : S.panels.indexOf(view);
  const turn = S.playing && !S.recorder && (S.frames + place) % turns > 0;
  if (kept && kept.look === look && kept.version === version && (kept.frame === (law ? S.t : S.frame) || turn)) {
    pixels.set(kept.pixels);
    return layers.slice(count);
  }
  if (!on[0] || !isGround(on[0])) pixels.fill(pixelOf(S.theme.ground));
  for (const layer of on) PAINTERS[layer.kind](S, view, layer);
  if (on.length) {
    const copy = kept?.pixels.length === pixels.length ? kept.pixels : new Int32Array(pixels.length);
    copy.set(pixels);
    view.ground = { look, version, frame: law ? S.t : S.frame, pixels: copy };
  }
  return layers.slice(count);
}

/** Draws everything that depends on the clock and measures what it cost. */
function render(S) {
  const start = performance.now();
  S.frame = frameAt(S.clip.times, S.t);
  if (S.clip.law) {
    lawOf(S);
    if (S.t !== S.drawnAt) S.lastMotion = start;
    S.drawnAt = S.t;
    if (isMoving(S)) sharpenLater(S);
  }
  for (const view of S.panels) {
    if (!view.w) continue;
    if (view.model.kind === "plane") drawFrame(S, view);
    drawPlot(S, view);
    showHover(S, view);
  }
  if (!S.leader) showClock(S);
  drawPinned(S);
  if (S.recorder) drawComposite(S, S.recorder.context, S.recorder.ratio);
  const cost = performance.now() - start;
  S.frames += 1;
  S.cost = S.frames === 1 ? cost : S.cost + (cost - S.cost) * Math.max(0.02, 1 / S.frames);
  S.root.dataset.frames = S.frames;
  if (!S.playing || S.frames % 10 === 0) S.root.dataset.frameMs = S.cost.toFixed(2);
}

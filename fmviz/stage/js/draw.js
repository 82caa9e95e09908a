// One picture: every panel at the current frame.

const PAINTERS = {
  density: drawDensity,
  contours: drawContours,
  vectors: drawVectors,
  particles: drawParticles,
  lines: drawLines,
  markers: drawMarkers,
  ellipses: drawEllipses,
};

function drawPlot(S, view) {
  const ctx = view.context;
  ctx.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
  if (view.model.kind === "bars") {
    drawBars(S, ctx, view);
    return;
  }
  ctx.fillStyle = rgb(S.theme.ground);
  ctx.fillRect(0, 0, view.w, view.h);
  for (const layer of view.model.layers) {
    // particles decide for themselves: their trails may be shown without them
    if (layer.kind === "particles" || S.layers.has(layer.name)) PAINTERS[layer.kind](S, ctx, view, layer);
  }
}

/** Draws everything that depends on the clock and measures what it cost. */
function render(S) {
  const start = performance.now();
  S.frame = frameAt(S.clip.times, S.t);
  for (const view of S.panels) {
    if (!view.w) continue;
    if (view.model.kind === "plane") drawFrame(S, view);
    drawPlot(S, view);
    showHover(S, view);
  }
  showClock(S);
  if (S.recorder) drawComposite(S, S.recorder.context, S.recorder.ratio);
  const cost = performance.now() - start;
  S.frames += 1;
  S.cost = S.frames === 1 ? cost : S.cost + (cost - S.cost) * Math.max(0.02, 1 / S.frames);
  S.root.dataset.frames = S.frames;
  if (!S.playing || S.frames % 10 === 0) S.root.dataset.frameMs = S.cost.toFixed(2);
}

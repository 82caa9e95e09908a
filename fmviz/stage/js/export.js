// Pictures and films of the whole stage, and full screen.

const isFullscreen = (S) => document.fullscreenElement !== null && (S.root.matches?.(":fullscreen") ?? false);

function toggleFullscreen(S) {
  if (S.setStateValue && document.querySelector("[data-testid=stApp]")) window.dispatchEvent(new Event("fmviz-present"));
  else if (isFullscreen(S)) document.exitFullscreen();
  else if (document.fullscreenEnabled) S.root.requestFullscreen().catch(() => {});
}

function onFullscreenChange(S) {
  const words = S.header.labels;
  const text = isFullscreen(S) ? words.exit_fullscreen : words.fullscreen;
  setAttribute(S.dom.full, "aria-label", text);
  setAttribute(S.dom.full, "title", text);
  S.root.classList.toggle("full", isFullscreen(S));
  relayout(S);
}

const COMPOSITE = { edge: 16, head: 26, foot: 30 };

/** Places of the panels in the composite picture, in CSS pixels, as on the page. */
function compositeLayout(S) {
  const origin = (S.dom.sides ?? S.dom.panels).getBoundingClientRect();
  const places = panelsShown(S).map((view) => {
    const box = view.area.getBoundingClientRect();
    return { view, x: box.left - origin.left, y: box.top - origin.top };
  });
  const least = Math.min(...places.map((p) => p.x));
  const width = Math.max(...places.map((p) => p.x + p.view.outerW)) - least + 2 * COMPOSITE.edge;
  const height = Math.max(...places.map((p) => p.y + p.view.outerH)) + COMPOSITE.edge + COMPOSITE.foot * S.type;
  return { places: places.map((p) => ({ ...p, x: p.x - least + COMPOSITE.edge, y: p.y + COMPOSITE.edge })), width, height };
}

function compositeCanvas(S, ratio) {
  const { width, height } = compositeLayout(S);
  const canvas = element("canvas");
  // an even number of pixels: video encoders insist
  canvas.width = 2 * Math.ceil((width * ratio) / 2);
  canvas.height = 2 * Math.ceil((height * ratio) / 2);
  return canvas;
}

/** All panels, their titles, the clock and the readouts in one picture. */
function drawComposite(S, ctx, ratio) {
  const { places, height } = compositeLayout(S);
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.fillStyle = rgb(S.theme.ground);
  ctx.fillRect(0, 0, ctx.canvas.width, ctx.canvas.height);
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  for (const { view, x, y } of places) {
    const { left, top } = view.margins;
    ctx.drawImage(view.frame, x, y, view.outerW, view.outerH);
    ctx.drawImage(view.plot, x + left, y + top, view.w, view.h);
    ctx.fillStyle = rgb(S.theme.text);
    ctx.font = fontOf(S, 13, 600);
    ctx.textAlign = "left";
    ctx.textBaseline = "bottom";
    fillSymbols(ctx, view.model.title, x + left, y - 4, view.outerW - left);
    if (view.model.kind === "bars" && !view.model.bars && view.model.hint) {
      ctx.font = fontOf(S, 12);
      ctx.textAlign = "center";
      ctx.fillText(view.model.hint, x + left + view.w / 2, y + view.h / 2, view.w);
    }
  }
  const values = S.clip.readouts.map((entry) => `${entry.label} = ${number(sample(entry.values, S.frame, 1, 0))}`);
  ctx.fillStyle = rgb(S.theme.text);
  ctx.font = fontOf(S, 13, 600);
  ctx.textAlign = "left";
  ctx.textBaseline = "bottom";
  fillSymbols(ctx, [fill(S.header.labels.clock, { t: number(S.t) }), ...values].join("    "), places[0].x + places[0].view.margins.left, height - 10);
}

function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = element("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

const fileName = (S, extension) => `fmviz-t${S.t.toFixed(2)}.${extension}`;

/** A picture at twice the page's resolution, drawn anew so that type and lines stay sharp. */
function savePicture(S) {
  const ratio = 2;
  const before = S.panels.map((view) => view.ratio);
  for (const view of S.panels) setRatio(view, ratio);
  S.exporting = true; // without the handles of an edit
  render(S);
  S.exporting = false;
  const canvas = compositeCanvas(S, ratio);
  drawComposite(S, canvas.getContext("2d"), ratio);
  S.panels.forEach((view, i) => setRatio(view, before[i]));
  render(S);
  canvas.toBlob((blob) => blob && save(blob, fileName(S, "png")), "image/png");
}

function setRatio(view, ratio) {
  if (view.ratio === ratio) return;
  view.ratio = ratio;
  view.frameKey = "";
  sizeCanvas(view.frame, view.outerW, view.outerH, ratio);
  sizeCanvas(view.plot, view.w, view.h, ratio);
}

const FILM_TYPES = ["video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm", "video/mp4"];
const filmType = () => FILM_TYPES.find((type) => window.MediaRecorder?.isTypeSupported(type));
const canRecord = () => Boolean(filmType() && HTMLCanvasElement.prototype.captureStream);

function toggleRecording(S) {
  if (S.recorder) stopRecording(S);
  else startRecording(S);
}

/** Films one pass from the start; it ends by itself, or when stopped. */
function startRecording(S) {
  const type = filmType();
  const ratio = Math.max(S.panels[0].ratio, 1);
  const canvas = compositeCanvas(S, ratio);
  const context = canvas.getContext("2d", { alpha: false });
  const media = new MediaRecorder(canvas.captureStream(60), { mimeType: type, videoBitsPerSecond: 12_000_000 });
  const chunks = [];
  delete S.root.dataset.filmed;
  media.ondataavailable = (event) => {
    if (event.data.size) chunks.push(event.data);
    S.root.dataset.filmed = chunks.length;
  };
  media.onstop = () => {
    const plain = type.split(";")[0];
    if (chunks.length) save(new Blob(chunks, { type: plain }), `fmviz.${plain.split("/")[1]}`);
  };
  S.recorder = { media, context, ratio };
  S.t = S.clip.times[0];
  drawComposite(S, context, ratio);
  media.start(500);
  showRecording(S);
  play(S);
}

function stopRecording(S) {
  const { recorder } = S;
  S.recorder = null;
  if (recorder && recorder.media.state !== "inactive") recorder.media.stop();
  showRecording(S);
}

function showRecording(S) {
  const words = S.header.labels;
  const text = S.recorder ? words.stop : words.record;
  setIcon(S.dom.record, S.recorder ? "stop" : "record");
  setAttribute(S.dom.record, "aria-label", text);
  setAttribute(S.dom.record, "title", text);
  S.dom.record.classList.toggle("on", Boolean(S.recorder));
  S.root.dataset.recording = String(Boolean(S.recorder));
}

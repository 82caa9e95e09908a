// The control bar: built once per set of texts, shown anew when something changes.

const SPEEDS = [0.25, 0.5, 1, 2, 4];

function buildControls(S) {
  const words = S.header.labels;
  const dom = S.dom;
  dom.play = iconButton("play", words.play, () => toggle(S), { class: "icon main", "data-role": "play" });
  dom.back = iconButton("back", words.back, () => step(S, -1), { "data-role": "back" });
  dom.forward = iconButton("forward", words.forward, () => step(S, 1), { "data-role": "forward" });
  dom.slider = element("input", { type: "range", min: 0, max: 1, step: "any", "aria-label": words.time, "data-role": "time" });
  dom.slider.oninput = () => {
    S.scrubbing = true;
    setTime(S, Number(dom.slider.value));
  };
  dom.slider.onchange = () => {
    S.scrubbing = false;
    report(S, "t", S.t);
  };
  dom.clock = element("output", { class: "clock", "aria-hidden": "true" });
  dom.readouts = element("div", { class: "readouts" });
  dom.speed = select(words.speed, "speed", SPEEDS.map((speed) => [String(speed), `${speed}×`]), (value) => {
    S.speed = Number(value);
  });
  dom.loop = iconButton("loop", words.loop, () => {
    S.loop = !S.loop;
    showOptions(S);
  }, { "data-role": "loop" });
  dom.png = iconButton("image", words.png, () => savePicture(S), { "data-role": "png" });
  dom.record = iconButton("record", words.record, () => toggleRecording(S), { "data-role": "record" });
  for (const tool of INK_TOOLS) {
    dom[tool] = iconButton(tool, words[tool], () => takeInk(S, tool), { "data-role": tool, "aria-pressed": "false" });
  }
  dom.full = iconButton("full", words.fullscreen, () => toggleFullscreen(S), { "data-role": "fullscreen" });
  dom.helpButton = iconButton("help", words.help, () => toggleHelp(S), { "data-role": "help", "aria-expanded": "false" });
  dom.full.hidden = !document.fullscreenEnabled;
  if (!canRecord()) {
    dom.record.disabled = true;
    setAttribute(dom.record, "aria-label", words.no_recording);
    setAttribute(dom.record, "title", words.no_recording);
  }
  const tools = element("div", { class: "tools" }, dom.speed, dom.loop, dom.pen, dom.laser, dom.png, dom.record, dom.full, dom.helpButton);
  const transport = element("div", { class: "transport" }, dom.play, dom.back, dom.forward, dom.slider, dom.clock);
  dom.clockRow.replaceChildren(transport, dom.readouts, tools);

  dom.chips = element("div", { class: "chips", role: "group", "aria-label": words.layers_group });
  dom.scale = select(words.density_group, "scale", [
    ["linear", words.scale_linear],
    ["sqrt", words.scale_sqrt],
    ["log", words.scale_log],
  ], (value) => setDensityView(S, value, S.perFrame));
  dom.range = select(words.density_group, "range", [
    ["all", words.scale_all],
    ["frame", words.scale_frame],
  ], (value) => setDensityView(S, S.scale, value === "frame"));
  dom.densityGroup = element("div", { class: "density", role: "group", "aria-label": words.density_group }, dom.scale, dom.range);
  dom.layerRow.replaceChildren(dom.chips, dom.densityGroup);
}

function select(label, role, options, onpick) {
  const node = element("select", { "aria-label": label, title: label, "data-role": role });
  for (const [value, text] of options) node.append(element("option", { value }, text));
  node.onchange = () => onpick(node.value);
  return node;
}

function setDensityView(S, scale, perFrame) {
  S.scale = scale;
  S.perFrame = perFrame;
  report(S, "density", { scale, per_frame: perFrame });
  showOptions(S);
  invalidate(S);
}

/** Name, role and mark of each layer that has a chip, in order. */
function chipList(clip) {
  const chips = new Map();
  for (const panel of clip.panels) {
    for (const layer of panel.layers ?? []) {
      const mark = layer.kind === "particles" || layer.kind === "absent" ? roleMark(layer.role) : layer.kind === "markers" ? layer.shape : layer.kind;
      if (!chips.has(layer.name)) chips.set(layer.name, { name: layer.name, role: layer.role, mark, dots: layer.dots ?? false });
      if ((layer.trail > 0 || layer.kind === "absent") && layer.trail_name && !chips.has(layer.trail_name)) {
        chips.set(layer.trail_name, { name: layer.trail_name, role: layer.role, mark: "trail" });
      }
    }
  }
  return [...chips.values()];
}

function buildChips(S) {
  const list = chipList(S.clip);
  const key = JSON.stringify([list, S.header.labels.layers]);
  if (S.chipKey !== key) {
    S.chipKey = key;
    S.chips = list.map((chip, index) => {
      const glyph = element("canvas", { class: "glyph", "aria-hidden": "true" });
      const button = element("button", { type: "button", class: "chip", "data-layer": chip.name }, glyph, element("span", {}, ...symbols(S.header.labels.layers[chip.name])));
      button.onclick = () => toggleLayer(S, chip.name);
      if (index < 9) button.setAttribute("aria-keyshortcuts", String(index + 1));
      return { ...chip, button, glyph };
    });
    S.dom.chips.replaceChildren(...S.chips.map((chip) => chip.button));
  }
  for (const chip of S.chips) drawGlyph(S, chip);
  showLayers(S);
}

function toggleLayer(S, name) {
  if (S.layers.has(name)) S.layers.delete(name);
  else S.layers.add(name);
  report(S, "layers", S.chips.map((chip) => chip.name).filter((other) => S.layers.has(other)));
  showLayers(S);
  syncOverlays(S);
  invalidate(S);
}

/** The mark of a layer on its chip: colour is never the only carrier. */
function drawGlyph(S, { glyph, role, mark, dots }) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const side = 16;
  glyph.width = glyph.height = side * ratio;
  const ctx = glyph.getContext("2d");
  ctx.scale(ratio, ratio);
  const colour = S.theme.roles[role];
  ctx.strokeStyle = ctx.fillStyle = rgb(colour);
  ctx.lineWidth = 1.6;
  ctx.lineCap = "round";
  const clear = S.theme.ground;
  if (mark === "density") {
    for (const [i, v] of [0.35, 0.7, 1].entries()) {
      ctx.fillStyle = rgb(rampColour(S.theme.ramp, v));
      ctx.beginPath();
      ctx.arc(8, 8, 7 - 2.3 * i, 0, 2 * Math.PI);
      ctx.fill();
    }
  } else if (mark === "signed") {
    for (const [v, from] of [[0.1, 0.5], [0.9, -0.5]]) {
      ctx.fillStyle = rgb(rampColour(S.theme.diverging, v));
      ctx.beginPath();
      ctx.arc(8, 8, 7, from * Math.PI, (from + 1) * Math.PI);
      ctx.fill();
    }
  } else if (mark === "mesh") {
    ctx.lineWidth = 1.2;
    ctx.beginPath();
    for (const at of [3, 8, 13]) {
      ctx.moveTo(1.5, at);
      ctx.lineTo(14.5, at);
      ctx.moveTo(at, 1.5);
      ctx.lineTo(at, 14.5);
    }
    ctx.stroke();
  } else if (mark === "box") {
    ctx.strokeRect(1.5, 4.5, 9, 9);
    ctx.beginPath();
    ctx.moveTo(6, 9);
    ctx.lineTo(14.5, 9);
    ctx.moveTo(12, 6.5);
    ctx.lineTo(14.5, 9);
    ctx.lineTo(12, 11.5);
    ctx.stroke();
  } else if (mark === "contours" || mark === "ellipses") {
    ctx.lineWidth = 1.3;
    for (const r of mark === "contours" ? [2.5, 6] : [6]) {
      ctx.beginPath();
      ctx.ellipse(8, 8, r + 0.5, mark === "ellipses" ? 4 : r, -0.5, 0, 2 * Math.PI);
      ctx.stroke();
    }
    if (mark === "ellipses") drawMark(ctx, "dot", 8, 8, 1.3, colour, clear);
  } else if (mark === "vectors") {
    ctx.beginPath();
    ctx.moveTo(1.5, 12.5);
    ctx.lineTo(9.5, 6.8);
    ctx.stroke();
    ctx.beginPath();
    for (const corner of [[15, 3], [11.5, 10], [7.2, 4]]) ctx.lineTo(...corner);
    ctx.fill();
  } else if (mark === "lines" || mark === "trail") {
    ctx.beginPath();
    ctx.moveTo(1.5, 12);
    ctx.bezierCurveTo(6, 13, 7, 4, mark === "trail" ? 11 : 14.5, 4);
    ctx.stroke();
    if (mark === "trail") drawMark(ctx, "dot", 12, 4, 2.2, colour, clear);
    if (dots) drawMark(ctx, roleMark(role), 7.5, 8.5, 2.6, colour, clear);
  } else drawMark(ctx, mark, 8, 8, mark === "cross" ? 5 : 4, colour, clear);
}

function showLayers(S) {
  for (const chip of S.chips) setAttribute(chip.button, "aria-pressed", String(S.layers.has(chip.name)));
  S.root.dataset.layers = S.chips.map((chip) => chip.name).filter((name) => S.layers.has(name)).join(",");
  showSummary(S);
  const grounds = S.chips.filter((chip) => chip.mark === "density" || chip.mark === "signed");
  S.dom.densityGroup.hidden = grounds.length === 0;
  S.dom.densityGroup.style.visibility = grounds.some((chip) => S.layers.has(chip.name)) ? "" : "hidden";
  nameScales(S, grounds);
}

/** What the picture is of and how it moves, for those who do not see it. */
function showSummary(S) {
  const words = S.header.labels;
  const { times, panels } = S.clip;
  const names = S.chips.filter(({ name }) => S.layers.has(name)).map(({ name }) => words.layers[name]);
  const values = {
    panels: panels.map((panel) => panel.title).join("; "),
    layers: names.join(", ") || "–",
    start: number(times[0]),
    end: number(times[times.length - 1]),
    seconds: number(S.clip.seconds, 0),
  };
  setText(S.dom.summary, fill(words.summary, values).replace(/[_^{}]/g, ""));
}

/** The scale control speaks of what there is: densities, or fields with a sign. */
function nameScales(S, grounds) {
  const words = S.header.labels;
  const densities = grounds.some((chip) => chip.mark === "density");
  const signed = grounds.some((chip) => chip.mark === "signed");
  const group = signed ? words.signed_group : words.density_group;
  const [, sqrt, log] = S.dom.scale.options;
  setText(sqrt, densities ? words.scale_sqrt : words.signed_sqrt);
  setText(log, densities ? words.scale_log : words.signed_log);
  setAttribute(S.dom.densityGroup, "aria-label", group);
  for (const node of [S.dom.scale, S.dom.range]) {
    setAttribute(node, "aria-label", group);
    setAttribute(node, "title", group);
  }
}

function showPlaying(S) {
  const words = S.header.labels;
  setIcon(S.dom.play, S.playing ? "pause" : "play");
  setAttribute(S.dom.play, "aria-label", S.playing ? words.pause : words.play);
  setAttribute(S.dom.play, "title", S.playing ? words.pause : words.play);
  S.root.dataset.playing = String(S.playing);
  if (!S.playing) S.root.dataset.frameMs = (S.cost || 0).toFixed(2);
}

function showOptions(S) {
  S.dom.speed.value = String(SPEEDS.reduce((a, b) => (Math.abs(b - S.speed) < Math.abs(a - S.speed) ? b : a)));
  setAttribute(S.dom.loop, "aria-pressed", String(S.loop));
  S.dom.scale.value = S.scale;
  S.dom.range.value = S.perFrame ? "frame" : "all";
}

/** Clock, slider and readouts at the current time. */
function showClock(S) {
  const { dom } = S;
  const text = fill(S.header.labels.clock, { t: number(S.t) });
  setText(dom.clock, text);
  S.root.dataset.t = String(Math.round(S.t * 1e6) / 1e6);
  if (!S.scrubbing) dom.slider.value = S.t;
  const { times } = S.clip;
  dom.slider.style.setProperty("--part", `${(100 * (S.t - times[0])) / (times[times.length - 1] - times[0])}%`);
  // a screen reader must not be flooded while the clock runs
  const now = performance.now();
  if (!S.playing || now - S.spoken > 1000) {
    S.spoken = now;
    setAttribute(dom.slider, "aria-valuetext", text);
    describeBoxes(S);
  }
  S.clip.readouts.forEach((readout, i) => setText(dom.numbers[i], number(sample(readout.values, S.frame, 1, 0))));
}

function buildReadouts(S) {
  const { times, readouts } = S.clip;
  S.dom.slider.min = times[0];
  S.dom.slider.max = times[times.length - 1];
  const key = readouts.map((entry) => entry.label).join("|");
  if (S.readoutKey === key && S.dom.numbers) return;
  S.readoutKey = key;
  S.dom.numbers = readouts.map(() => element("b"));
  const items = readouts.map((entry, i) => element("span", {}, element("i", {}, ...symbols(entry.label)), " = ", S.dom.numbers[i]));
  S.dom.readouts.replaceChildren(...items);
}

/** Where the pointer is and what the ground is there, in the head of the panel. */
function showHover(S, view) {
  if (view.model.kind !== "plane") return;
  if (!view.pointer) {
    setText(view.hover, "");
    return;
  }
  const x = toWorldX(view, view.pointer[0]);
  const y = toWorldY(view, view.pointer[1]);
  const [nameX, nameY] = axisNames(view.model);
  const ground = groundText(S, view, x, y);
  const values = S.values ? valuesText(S, view, x, y) : "";
  setText(view.hover, `${nameX} ${number(x)}  ${nameY} ${number(y)}${ground === null ? "" : `  ${ground}`}${values}`);
}

/** Lengths of the velocity and the score of the panel's law at a point. */
function valuesText(S, view, x, y) {
  const of = groundLayer(view)?.of;
  const table = of && lawTable(S, of);
  if (!table) return "";
  const vector = [0, 0];
  const length = (quantity) => {
    const field = orNothing(() => LAW.fieldOf(table, quantity));
    if (!field) return NaN;
    field(x, y, vector, 0);
    return Math.hypot(...vector);
  };
  return `  |u| ${number(length("velocity"))}  |s| ${number(length("score"))}`;
}

function toggleValues(S) {
  S.values = !S.values;
  for (const view of S.panels) showHover(S, view);
}

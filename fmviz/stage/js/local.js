// A picture without a server (the standalone page): the law is edited here, and everything about it worked out anew.

const VIEW_HALVES = [3, 4.5, 6, 9, 13, 20]; // half widths that the view snaps to, as in fmviz.clips.extents
const VIEW_DEVIATIONS = 2.5;

/** Takes over what the user has changed: `changes` replaces parts of the clip's law. */
function adoptLaw(S, changes) {
  const { clip } = S;
  const scheduled = "schedule" in changes;
  clip.law = { ...clip.law, ...changes };
  for (const edit of S.edits.values()) Object.assign(edit, { held: false, dragging: false });
  S.moves.clear();
  clip.panels = clip.panels.map((panel) => (panel.kind === "plane" ? { ...panel, layers: panel.layers.map((layer) => renewed(S, layer)) } : panel));
  const law = lawOf(S);
  const extent = extentOf(clip.law);
  for (const panel of clip.panels) if (panel.kind === "plane") rescale(S, law, panel, extent);
  if (scheduled) clip.readouts = clip.readouts.filter(({ label }) => ["α", "β"].includes(label)).map((entry) => scheduleReadout(S, law, entry));
  clip.digest = `${S.header.clip}-${law.version}`;
  S.root.dataset.clip = clip.digest;
  syncPanels(S);
  syncMixtures(S);
  buildReadouts(S);
  S.needsLayout = true;
  syncOverlays(S);
  invalidate(S);
}

/** A layer that holds components or the z of the law, with the present ones; exact samples are drawn anew. */
function renewed(S, layer) {
  const { law } = S.clip;
  if (layer.kind === "ellipses" && layer.edit) {
    const edit = S.edits.get(layer.edit);
    if (edit) edit.components = law[layer.edit];
    return { ...layer, components: law[layer.edit] };
  }
  if (layer.kind === "markers" && layer.drag === law.z_name) return { ...layer, positions: Float32Array.from(law.z) };
  if (layer.way === "interpolant" && layer.ends) return { ...layer, ends: drawSamples(law.data, layer.items) };
  return layer;
}

/** A square that shows both mixtures. */
function extentOf({ init, data }) {
  let reach = 0;
  for (const [, x, y, xx, , yy] of [...init, ...data]) {
    reach = Math.max(reach, Math.abs(x) + VIEW_DEVIATIONS * Math.sqrt(xx), Math.abs(y) + VIEW_DEVIATIONS * Math.sqrt(yy));
  }
  const half = VIEW_HALVES.find((side) => side >= reach) ?? VIEW_HALVES.at(-1);
  return [-half, half, -half, half];
}

function rescale(S, law, panel, extent) {
  const { frames } = S.clip;
  panel.extent = extent;
  for (const layer of panel.layers) {
    if (layer.kind === "density" && layer.of) {
      if (layer.of === "conditional") layer.log_max = LAW.conditionalTop(law.conditional);
      else if (["marginal", "label"].includes(layer.of) && law[layer.of]) layer.log_max = LAW.densityTop(law[layer.of], frames);
      layer.hi = layer.log_max + ABOVE_TOP;
      layer.lo = layer.hi - NATS;
    }
    if (layer.kind === "vectors" && ["marginal", "conditional"].includes(layer.of)) {
      layer.scale = orNothing(() => LAW.arrowScale(law.marginal, layer.quantity, extent, layer.across, frames)) ?? layer.scale;
    }
  }
}

function scheduleReadout(S, law, entry) {
  const name = entry.label === "α" ? "alpha" : "beta";
  return { ...entry, values: Float32Array.from(S.clip.times, (t) => law.marginal.evaluate(t)[name]) };
}

/** Draws from a mixture, the same ones each time: a small congruential generator and Box and Muller's transform. */
function drawSamples(rows, count) {
  let seed = 1;
  const uniform = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed + 0.5) / 4294967296;
  };
  const points = new Float32Array(2 * count);
  for (let n = 0; n < count; n++) {
    let rest = uniform();
    const row = rows.find(([w]) => (rest -= w) < 0) ?? rows.at(-1);
    const [, x, y, xx, xy, yy] = row;
    const r = Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    const first = Math.sqrt(xx);
    points[2 * n] = x + first * r * Math.cos(angle);
    points[2 * n + 1] = y + (xy / first) * r * Math.cos(angle) + Math.sqrt(yy - (xy * xy) / xx) * r * Math.sin(angle);
  }
  return points;
}

/** The posterior bars at a clicked point. */
function clickLocally(S, x, y) {
  const panel = S.clip.panels.find(({ kind }) => kind === "bars");
  if (!panel) return;
  panel.bars = { labels: S.clip.law.data.map((_, k) => String(k + 1)), role: "data", values: null, at: [x, y] };
  syncPanels(S);
  relayout(S);
}

/** Drop-down lists of data and schedules, for a page that has no others. */
function buildChoices(S) {
  const { choices } = S;
  if (!choices || !S.local || S.dom.choices) return;
  const pick = (label, role, list, take) => {
    const options = [["", "…"], ...list.map(({ label: text }, n) => [String(n), text])];
    const node = select(label, role, options, (value) => value !== "" && take(list[Number(value)]));
    return element("label", { class: "choice" }, label, node);
  };
  S.dom.choices = element(
    "div",
    { class: "row choices" },
    pick(choices.data_label, "data", choices.data, ({ rows }) => adoptLaw(S, { data: rows, z: rows[0].slice(1, 3) })),
    pick(choices.schedule_label, "schedule", choices.schedules, ({ schedule }) => adoptLaw(S, { schedule })),
  );
  S.root.insertBefore(S.dom.choices, S.dom.panels);
}

// Colours and type of the page around us, and the table that turns a log density into a colour.

const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

/** [r, g, b] of any CSS colour, or null. */
function parseColour(text) {
  if (!text || text === "unset") return null;
  probe.fillStyle = "#010203";
  probe.fillStyle = text;
  if (probe.fillStyle === "#010203" && text.replace(/\s/g, "") !== "#010203") return null;
  probe.clearRect(0, 0, 1, 1);
  probe.fillRect(0, 0, 1, 1);
  const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
  return [r, g, b];
}

const rgb = ([r, g, b]) => `rgb(${Math.round(r)},${Math.round(g)},${Math.round(b)})`;
const rgba = ([r, g, b], alpha) => `rgba(${Math.round(r)},${Math.round(g)},${Math.round(b)},${alpha})`;
const mix = (a, b, w) => a.map((value, i) => value + (b[i] - value) * w);

function luminance([r, g, b]) {
  const linear = (c) => (c <= 10.31 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

const THEME_NAMES = ["background-color", "text-color", "border-color", "primary-color", "font"];

/** The raw values a theme is made of; a changed key means a changed theme. */
function themeKey(S) {
  const style = getComputedStyle(S.root);
  const names = [...THEME_NAMES, ...Object.values(S.header.roles).map((role) => `${role.name}-color`)];
  return names.map((name) => style.getPropertyValue(`--st-${name}`).trim()).join("|") + style.color + inDarkRoom(S);
}

/** Whether the stage is dark in a page that may be light: then the page's colours are not meant for it. */
const inDarkRoom = (S) => S.root.classList.contains("dark-room");

function readTheme(S) {
  const style = getComputedStyle(S.root);
  const read = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const ground = parseColour(read("background-color")) ?? [255, 255, 255];
  const dark = luminance(ground) < 0.2;
  const text = parseColour(read("text-color")) ?? (dark ? [230, 234, 242] : [31, 42, 68]);
  const roles = {};
  for (const [role, entry] of Object.entries(S.header.roles)) {
    roles[role] = (!inDarkRoom(S) && parseColour(read(`${entry.name}-color`))) || parseColour(dark ? entry.dark : entry.light);
  }
  const ramp = S.header.ramps[dark ? "dark" : "light"].map(parseColour);
  ramp[0] = ground; // no density looks like the page
  const diverging = S.header.diverging[dark ? "dark" : "light"].map(parseColour);
  diverging[(diverging.length - 1) / 2] = ground; // and so does zero
  const font = read("font");
  return {
    key: themeKey(S),
    dark,
    ground,
    text,
    muted: mix(ground, text, 0.72),
    faint: mix(ground, text, 0.22),
    primary: parseColour(read("primary-color")) ?? roles.velocity,
    roles,
    ramp,
    diverging,
    font: font && font !== "unset" ? font : "system-ui, sans-serif",
    tables: {},
  };
}

/** Colour at v in [0, 1] on a ramp. */
function rampColour(ramp, v) {
  const x = Math.min(Math.max(v, 0), 1) * (ramp.length - 1);
  const i = Math.min(Math.floor(x), ramp.length - 2);
  return mix(ramp[i], ramp[i + 1], x - i);
}

const LOG_DECADES = 5; // what the logarithmic scale shows below its top

/** Height in [0, 1] on the colour scale of a density that lies `nats` (<= 0) below the top. */
function scaleHeight(scale, nats) {
  if (scale === "log") return Math.max(0, 1 + nats / (LOG_DECADES * Math.LN10));
  return Math.exp(scale === "sqrt" ? nats / 2 : nats);
}

/** Density as a fraction of the top at height v: the inverse of scaleHeight. */
function scaleFraction(scale, v) {
  if (scale === "log") return 10 ** ((v - 1) * LOG_DECADES);
  return scale === "sqrt" ? v * v : v;
}

const TABLE_SHIFT = 4; // a table of 4096 colours stays in the processor's nearest cache

/** The colour of each density code (shifted), the last being the top of the scale. */
function colourTable(theme, scale) {
  if (!theme.tables[scale]) {
    const table = new Int32Array(65536 >> TABLE_SHIFT);
    for (let n = 0; n < table.length; n++) {
      const below = ((n + 0.5) * (1 << TABLE_SHIFT) - 65535) / CODE_PER_NAT;
      table[n] = pixelOf(rampColour(theme.ramp, n === 0 ? 0 : scaleHeight(scale, Math.min(below, 0))));
    }
    theme.tables[scale] = table;
  }
  return theme.tables[scale];
}

// Small helpers that build the page. Texts only ever go in as text.

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** "mean {x}" and {x: 1} give "mean 1". */
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? values[name] : all));

const ICONS = {
  play: "M7 4.5v15l12-7.5z",
  pause: "M6.5 5h4v14h-4zM13.5 5h4v14h-4z",
  back: "M5 5h2.5v14H5zM19 5v14l-10-7z",
  forward: "M16.5 5H19v14h-2.5zM5 5v14l10-7z",
  loop: "M7 7h9.2l-2-2L15.600 3.600 20 8l-4.400 4.400-1.400-1.400 2-2H7v3H5V9a2 2 0 0 1 2-2zm10 10H7.800l2 2-1.400 1.400L4 16l4.400-4.400 1.400 1.400-2 2H17v-3h2v3a2 2 0 0 1-2 2z",
  image: "M4 5h16v14H4zM6 7v8.500l3.500-3.500 2.500 2.500 4-4.500 2 2V7zM8.500 8a1.500 1.500 0 1 1 0 3 1.500 1.500 0 0 1 0-3z",
  record: "M12 5a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM12 8.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7z",
  stop: "M6 6h12v12H6z",
  full: "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z",
  help: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zm0 2a7 7 0 1 0 0 14 7 7 0 0 0 0-14zm-1 10.500h2v2h-2zM12 7c2 0 3.500 1.200 3.500 3 0 1.300-.8 2-1.600 2.600-.7.500-.9.800-.9 1.400h-2c0-1.700.8-2.400 1.600-3 .6-.4.9-.7.900-1.100 0-.6-.6-1-1.500-1s-1.500.500-1.500 1.300h-2C8.500 8.200 10 7 12 7z",
  pen: "M4 20l1-4.500L16 4.500 19.500 8 8.500 19zM6.700 16.400l-.4 1.300 1.300-.4 9-9-.9-.9z",
  laser: "M12 9.500a2.500 2.500 0 1 1 0 5 2.500 2.500 0 0 1 0-5zM11 3h2v4h-2zM11 17h2v4h-2zM3 11h4v2H3zM17 11h4v2h-4z",
  minus: "M5 11h14v2H5z",
  plus: "M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z",
  add: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zm0 2a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM11 8h2v3h3v2h-3v3h-2v-3H8v-2h3z",
  remove: "M9 4h6l1 2h4v2H4V6h4zM6 9.500h12L17 20H7zM8.200 11.500l.6 6.500h6.400l.6-6.500z",
  undo: "M9 5v3h5.500a5.500 5.500 0 0 1 0 11H8v-2h6.500a3.500 3.500 0 0 0 0-7H9v3L4 9z",
};

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  path.setAttribute("fill-rule", "evenodd");
  svg.append(path);
  return svg;
}

function setIcon(button, name) {
  if (button.dataset.icon === name) return;
  button.dataset.icon = name;
  button.replaceChildren(icon(name));
}

function iconButton(name, label, onclick, extra = {}) {
  const button = element("button", { type: "button", class: "icon", "aria-label": label, title: label, onclick, ...extra });
  setIcon(button, name);
  return button;
}

/** A number for people: few digits, a true minus, a fixed count of decimals where it must not jump. */
function number(value, decimals = 2) {
  if (!Number.isFinite(value)) return "–";
  const text = value.toFixed(decimals);
  return (Number(text) === 0 ? (0).toFixed(decimals) : text).replace("-", "−");
}

/** A signed value for people: the same with its sign, "–" for none. */
function signedText(value) {
  if (value !== value) return "–";
  const size = densityText(Math.abs(value));
  return size === "0" ? size : (value < 0 ? "−" : "+") + size;
}

/** A density for people: three digits, powers of ten when small. */
function densityText(value) {
  if (!(value > 0)) return "0";
  if (value >= 1000 || value < 0.001) {
    const [mantissa, exponent] = value.toExponential(1).split("e");
    const digits = String(Math.abs(Number(exponent))).replace(/\d/g, (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]);
    const power = `10${Number(exponent) < 0 ? "⁻" : ""}${digits}`;
    return mantissa === "1.0" ? power : `${mantissa}·${power}`;
  }
  return String(Number(value.toPrecision(value < 0.01 ? 1 : 2)));
}

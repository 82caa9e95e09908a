// Symbols with an index in running text: what follows an underscore stands lower, as in u_θ; so does a subscript t.

/** The text in turns: plain, lowered, plain, … */
const symbolParts = (text) => text.replaceAll("ₜ", "_t").split(/_(\p{L})/u);

/** `text` for `node.append`. */
const symbols = (text) => symbolParts(text).map((part, i) => (i % 2 ? element("sub", {}, part) : part));

function setSymbols(node, text) {
  if (node.dataset.symbols === text) return;
  node.dataset.symbols = text;
  node.replaceChildren(...symbols(text));
}

/** `ctx.fillText` of such a text; made narrower where it needs more than `room`. */
function fillSymbols(ctx, text, x, y, room = Infinity) {
  const parts = symbolParts(text);
  if (parts.length === 1) {
    ctx.fillText(text, x, y, ...(room < Infinity ? [room] : []));
    return;
  }
  const { font, textAlign } = ctx;
  const size = Number(/([\d.]+)px/.exec(font)[1]);
  const fonts = [font, font.replace(/[\d.]+px/, `${0.74 * size}px`)];
  const widths = parts.map((part, i) => {
    ctx.font = fonts[i % 2];
    return ctx.measureText(part).width;
  });
  const whole = widths.reduce((sum, width) => sum + width, 0);
  const squeeze = Math.min(1, room / whole);
  ctx.save();
  ctx.translate(x - squeeze * whole * ({ center: 0.5, right: 1 }[textAlign] ?? 0), y);
  ctx.scale(squeeze, 1);
  ctx.textAlign = "left";
  let at = 0;
  parts.forEach((part, i) => {
    ctx.font = fonts[i % 2];
    ctx.fillText(part, at, i % 2 ? 0.12 * size : 0);
    at += widths[i];
  });
  ctx.restore();
}

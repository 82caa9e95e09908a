// The formula under a title: MathML built anew from what fmviz/stage/mathml.py lets through; anything else is left out.

const MATHML = "http://www.w3.org/1998/Math/MathML";
const MATHML_TAGS = new Set(
  (
    "math mi mn mo ms mtext mspace mrow mfrac msqrt mroot mstyle mpadded mphantom msub msup msubsup munder mover " +
    "munderover mmultiscripts mprescripts mtable mtr mtd"
  ).split(" "),
);
const MATHML_ATTRIBUTES = new Set(
  (
    "accent accentunder columnalign columnspacing depth dir display displaystyle fence form height largeop linethickness " +
    "lspace mathsize mathvariant maxsize minsize movablelimits rowspacing rspace scriptlevel separator stretchy symmetric " +
    "voffset width"
  ).split(" "),
);

/** A <math> element, or null if the text is none. */
function mathElement(text) {
  const parsed = new DOMParser().parseFromString(text, "application/xml");
  const wrong = parsed.documentElement.localName !== "math" || parsed.querySelector("parsererror");
  return wrong ? null : adoptMath(parsed.documentElement);
}

function adoptMath(node) {
  if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.data);
  if (node.nodeType !== Node.ELEMENT_NODE || !MATHML_TAGS.has(node.localName)) return null;
  const copy = document.createElementNS(MATHML, node.localName);
  for (const { name, value } of node.attributes) if (MATHML_ATTRIBUTES.has(name)) copy.setAttribute(name, value);
  copy.append(...[...node.childNodes].map(adoptMath).filter(Boolean));
  return copy;
}

const FORMULA_PIXELS = [16, 9]; // wanted size of type, and the least

/** Shows the formula of a panel; where another panel has one its place stays free, so that the plots of a row are level. */
function showFormula(view, text, others) {
  view.formula.hidden = !others;
  if (view.formulaText === text) return;
  view.formulaText = text;
  const math = text ? mathElement(text) : null;
  view.formula.replaceChildren(...(math ? [math] : []));
}

/** Smaller type where the formula would be wider than its panel. */
function fitFormula(S, view) {
  if (!view.formula.firstChild) return;
  view.formula.style.paddingLeft = `${view.margins.left}px`;
  const [wanted, least] = FORMULA_PIXELS.map((size) => size * S.type);
  view.formula.style.fontSize = `${wanted}px`;
  const wide = view.formula.firstChild.getBoundingClientRect().width;
  const room = view.outerW - view.margins.left;
  if (wide > room) view.formula.style.fontSize = `${Math.max(least, Math.floor((wanted * room) / wide))}px`;
}

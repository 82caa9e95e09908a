// A typed schedule: a tree of numbers, "t" and the functions below, evaluated with its derivative by forward differentiation.
// The tree is what fmviz.theory.expressions has read and found harmless; nothing here is ever executed as code.

/** Each takes values and derivatives of its arguments and gives [value, derivative]; kinks as in torch's autograd. */
const RULES = {
  "+": (a, da, b, db) => [a + b, da + db],
  "-": (a, da, b, db) => [a - b, da - db],
  "*": (a, da, b, db) => [a * b, da * b + a * db],
  "/": (a, da, b, db) => [a / b, (da - (a / b) * db) / b],
  "**": power,
  neg: (a, da) => [-a, -da],
  sin: (a, da) => [Math.sin(a), da * Math.cos(a)],
  cos: (a, da) => [Math.cos(a), -da * Math.sin(a)],
  tan: (a, da) => [Math.tan(a), da * (1 + Math.tan(a) ** 2)],
  asin: (a, da) => [Math.asin(a), da / Math.sqrt(1 - a * a)],
  acos: (a, da) => [Math.acos(a), -da / Math.sqrt(1 - a * a)],
  atan: (a, da) => [Math.atan(a), da / (1 + a * a)],
  sinh: (a, da) => [Math.sinh(a), da * Math.cosh(a)],
  cosh: (a, da) => [Math.cosh(a), da * Math.sinh(a)],
  tanh: (a, da) => [Math.tanh(a), da * (1 - Math.tanh(a) ** 2)],
  exp: (a, da) => [Math.exp(a), da * Math.exp(a)],
  log: (a, da) => [Math.log(a), da / a],
  sqrt: (a, da) => [Math.sqrt(a), (0.5 * da) / Math.sqrt(a)],
  abs: (a, da) => [Math.abs(a), da * Math.sign(a)],
  min: (a, da, b, db) => [Math.min(a, b), a === b ? (da + db) / 2 : a < b ? da : db],
  max: (a, da, b, db) => [Math.max(a, b), a === b ? (da + db) / 2 : a > b ? da : db],
};

function power(a, da, b, db) {
  const value = a ** b;
  const fromBase = da === 0 || b === 0 ? 0 : da * b * a ** (b - 1);
  const fromExponent = db === 0 || (a === 0 && b >= 0) ? 0 : db * value * Math.log(a);
  return [value, fromBase + fromExponent];
}

/** Value and derivative of a tree at t. */
function evaluateTree(tree, t) {
  if (typeof tree === "number") return [tree, 0];
  if (tree === "t") return [t, 1];
  const rule = Array.isArray(tree) && Object.hasOwn(RULES, tree[0]) ? RULES[tree[0]] : null;
  if (!rule || tree.length - 1 > 2) throw new Error("fmviz: not a formula");
  const [a, da] = evaluateTree(tree[1], t);
  if (tree.length === 2) return rule(a, da);
  const [b, db] = evaluateTree(tree[2], t);
  return rule(a, da, b, db);
}

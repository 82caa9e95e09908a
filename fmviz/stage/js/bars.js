// A narrow panel of bars that move with t.

function drawBars(S, ctx, view) {
  ctx.clearRect(0, 0, view.w, view.h);
  const { bars } = view.model;
  if (!bars) return;
  const k = S.type;
  const count = bars.labels.length;
  const valueOf = bars.at ? posteriorValues(S, bars.at) : (n) => sample(bars.values, S.frame, count, n);
  const pitch = Math.min(view.h / Math.max(count, 1), 34 * k);
  const thick = Math.max(2, Math.min(pitch * 0.62, 16 * k));
  const size = Math.min(12, Math.max(7, pitch / k - 2));
  const words = pitch >= 9 * k;
  ctx.font = fontOf(S, size);
  ctx.textBaseline = "middle";
  const left = words ? Math.min(Math.max(...bars.labels.map((text) => ctx.measureText(text).width)), view.w * 0.4) + 8 : 2;
  const right = words ? ctx.measureText("0.00").width + 8 : 2;
  const room = Math.max(10, view.w - left - right);
  for (let n = 0; n < count; n++) {
    const y = n * pitch + pitch / 2;
    const value = valueOf(n);
    ctx.fillStyle = rgba(S.theme.text, 0.08);
    ctx.fillRect(left, y - thick / 2, room, thick);
    ctx.fillStyle = rgb(S.theme.roles[bars.role]);
    if (value > 0) ctx.fillRect(left, y - thick / 2, room * Math.min(value, 1), thick);
    if (!words) continue;
    ctx.fillStyle = rgb(S.theme.text);
    ctx.textAlign = "right";
    ctx.fillText(bars.labels[n], left - 6, y, left - 6);
    ctx.textAlign = "left";
    ctx.fillText(number(value), left + room + 6, y);
  }
}

/** The weight of each component of p_data given that X_t is at a point, at the t on the clock. */
function posteriorValues(S, [x, y]) {
  const table = lawTable(S, "marginal");
  const weights = table && LAW.posterior(table, x, y);
  return (n) => (weights ? weights[n] : NaN);
}

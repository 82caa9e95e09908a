// Trajectories at the frames of a clip: Heun's method on the velocity, one step a frame, and the interpolants.

/** Positions (T, N, 2) of N points of `starts` (N, 2), from the first of `times` on; the method of fmviz.clips.particles. */
function heunTrajectories(law, times, starts, count) {
  const stride = 2 * count;
  const positions = new Float32Array(times.length * stride);
  const here = Float64Array.from(starts.subarray(0, stride));
  const slope = [0, 0];
  const ahead = [0, 0];
  positions.set(here);
  let now = fieldOf(tableOf(law, times[0]), "velocity");
  for (let i = 1; i < times.length; i++) {
    const next = fieldOf(tableOf(law, times[i]), "velocity");
    const h = times[i] - times[i - 1];
    for (let n = 0; n < stride; n += 2) {
      now(here[n], here[n + 1], slope, 0);
      next(here[n] + h * slope[0], here[n + 1] + h * slope[1], ahead, 0);
      here[n] += (h / 2) * (slope[0] + ahead[0]);
      here[n + 1] += (h / 2) * (slope[1] + ahead[1]);
    }
    positions.set(here, i * stride);
    now = next;
  }
  return positions;
}

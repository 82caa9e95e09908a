// Time: one animation loop per stage, asleep while nothing changes.

const HOLD_SECONDS = 0.6; // a looping clip rests on its last frame before it starts over

function invalidate(S) {
  S.dirty = true;
  if (S.leader) {
    invalidate(S.leader);
    return;
  }
  if (!S.loopId && S.root.isConnected) {
    S.lastTick = 0;
    S.loopId = requestAnimationFrame((now) => tick(S, now));
  }
}

function tick(S, now) {
  S.loopId = 0;
  if (!S.root.isConnected) return;
  if (S.glide) glide(S);
  else if (S.playing) advance(S, S.lastTick ? Math.min((now - S.lastTick) / 1000, 0.1) : 0);
  S.lastTick = now;
  for (const one of [S.pinned, S]) if (one?.needsLayout && layout(one)) one.needsLayout = false;
  if (playsUnseen(S)) S.dirty = true;
  else if (S.dirty || S.playing) {
    S.dirty = false;
    render(S);
    if (S.playing) keepPace(S);
  }
  if (S.playing || S.dirty || S.glide) S.loopId = requestAnimationFrame((next) => tick(S, next));
}

/** The clock of a playing stage goes on out of sight, and nothing is drawn until it comes back or stops. A film needs its pictures. */
const playsUnseen = (S) => S.playing && S.unseen && !S.recorder;

const NEARBY = "100px"; // so near the window a stage is drawn already

function watchSight(S) {
  S.sight = new IntersectionObserver((entries) => (S.unseen = !entries.at(-1).isIntersecting), { rootMargin: NEARBY });
  S.sight.observe(S.root);
}

const SLOW_MS = 11; // a picture that costs more than this leaves no room for 60 a second
const PATIENCE = 20;

/** On a fine screen and a slow machine: fewer pixels while it moves, all of them again when it rests. */
function keepPace(S) {
  S.slow = S.cost > SLOW_MS && S.panels[0].ratio > 1 ? S.slow + 1 : 0;
  if (S.slow < PATIENCE) return;
  S.slow = 0;
  S.playRatio = Math.max(1, S.panels[0].ratio * 0.7);
  S.needsLayout = true;
}

function advance(S, seconds) {
  const { times } = S.clip;
  const start = times[0];
  const end = times[times.length - 1];
  S.t += ((end - start) / S.clip.seconds) * S.speed * seconds;
  if (S.t < end) {
    S.held = 0;
    return;
  }
  S.t = end;
  if (S.recorder) {
    S.held += seconds;
    if (S.held < HOLD_SECONDS) return;
    stopRecording(S);
    pause(S);
  } else if (S.loop) {
    S.held += seconds;
    if (S.held >= HOLD_SECONDS) {
      S.held = 0;
      S.t = start;
    }
  } else pause(S);
}

function play(S) {
  S.glide = null;
  const { times } = S.clip;
  if (S.t >= times[times.length - 1] - 1e-9) S.t = times[0];
  S.held = 0;
  S.playing = true;
  S.needsLayout ||= S.playRatio < MOST_RATIO;
  showPlaying(S);
  invalidate(S);
}

function pause(S) {
  if (!S.playing) return;
  rest(S);
  report(S, "t", S.t);
  invalidate(S);
}

function rest(S) {
  S.playing = false;
  S.needsLayout ||= S.playRatio < MOST_RATIO;
  showPlaying(S);
}

const toggle = (S) => (S.playing ? pause(S) : play(S));

/** Moves the clock by hand; playing stops. */
function setTime(S, t) {
  S.glide = null;
  const { times } = S.clip;
  if (S.playing) rest(S);
  S.t = Math.min(Math.max(t, times[0]), times[times.length - 1]);
  invalidate(S);
}

/** Whole frames forwards or backwards; reported once the key or button rests. */
function step(S, frames) {
  const now = frameAt(S.clip.times, S.t);
  const nearest = Math.round(now);
  const whole = Math.abs(now - nearest) < 1e-3 ? nearest : frames > 0 ? Math.floor(now) : Math.ceil(now);
  setTime(S, timeAt(S.clip.times, Math.min(Math.max(whole + frames, 0), S.clip.frames - 1)));
  reportTimeSoon(S);
}

function reportTimeSoon(S) {
  clearTimeout(S.timeTimer);
  S.timeTimer = setTimeout(() => S.root.isConnected && !S.playing && report(S, "t", S.t), 250);
}

// What goes back to Python. A drag never floods the server: at most 8 messages a second, and the next one only after the
// picture of the last one has come (or 400 ms have passed); the release always sends exactly one "done".

const LEAST_PAUSE = 125;
const LONGEST_WAIT = 400;

function report(S, name, value) {
  S.setStateValue?.(name, value);
}

/** Numbers that grow with the wall clock, so that no event ever looks like an older one. */
function nextNumber(S) {
  S.seq = Math.max(S.seq + 1, Date.now());
  return S.seq;
}

/** The clip is on screen; numbered, since one that comes back is news as well. */
function reportShown(S) {
  if (S.root.isConnected) report(S, "shown", `${S.clip.digest}-${nextNumber(S)}`);
}

/** Queues the latest state of a drag; earlier ones that were not sent are forgotten. A law that follows needs no answer. */
function reportDrag(S, name, value) {
  if (S.clip.law?.follows) return; // the picture follows without the server, which hears of the end
  S.outbox.next = { name, value };
  pump(S);
}

function pump(S) {
  const box = S.outbox;
  if (!box.next || box.timer) return;
  const since = performance.now() - box.sent;
  const wait = box.waiting ? LONGEST_WAIT - since : LEAST_PAUSE - since;
  if (wait > 0) {
    box.timer = setTimeout(() => {
      box.timer = 0;
      pump(S);
    }, wait);
    return;
  }
  const { name, value } = box.next;
  Object.assign(box, { next: null, sent: performance.now(), waiting: true });
  report(S, name, { ...value, phase: "drag", seq: nextNumber(S) });
}

function reportDone(S, name, value) {
  const box = S.outbox;
  clearTimeout(box.timer);
  Object.assign(box, { next: null, timer: 0, sent: performance.now(), waiting: false });
  report(S, name, { ...value, phase: "done", seq: nextNumber(S) });
}

/** New data came: the server has answered. */
function answered(S) {
  const box = S.outbox;
  box.waiting = false;
  clearTimeout(box.timer);
  box.timer = 0;
  pump(S);
}

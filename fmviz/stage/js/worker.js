// A second thread for what of the law costs more than a picture may. Of each kind of work only the latest request counts, and
// one is under way at a time.

/** The worker's own code, sent as text after that of the law. */
function workerMain() {
  const work = {
    flow: ({ spec, of, times, starts, count }) => LAW.heunTrajectories(lawNamed(spec, of), times, starts, count),
    density: ({ spec, of, z, t, extent, window, columns, rows, top, nats }) => {
      const table = LAW.tableOf(lawNamed(spec, of, z), t);
      const cells = columns * rows;
      return LAW.valueCodes(table, of, extent, window, columns, rows, top, nats, new Uint16Array(cells), new Float64Array(cells));
    },
  };
  const lawNamed = (spec, of, z) => {
    const law = LAW.makeLaw(spec);
    if (of === "marginal") return law;
    if (of === "conditional") return LAW.givenPoint(law, z);
    const guided = LAW.guidedLaw(law, spec.guide);
    return of === "label" ? guided.own : guided;
  };
  onmessage = ({ data }) => {
    let found = null;
    try {
      found = work[data.kind](data);
    } catch (error) {
      if (!(error instanceof LAW.SingularTimeError)) throw error;
    }
    postMessage(found, found ? [found.buffer] : []);
  };
}

/** The stage's worker, made when it is first needed; null where the page allows none. */
function workerOf(S) {
  if (S.worker !== undefined) return S.worker;
  try {
    const text = `${lawModules}\nconst LAW = lawModules();\n(${workerMain})();`;
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    S.worker = new Worker(url);
    URL.revokeObjectURL(url);
    S.worker.onmessage = ({ data }) => workerAnswered(S, data);
  } catch {
    S.worker = null;
  }
  return S.worker;
}

function endWorker(S) {
  S.worker?.terminate();
  S.worker = undefined;
  S.asked = null;
  S.waiting.clear();
}

/**
 * Asks the worker for `job` and calls `then` with what it found, null where that has no value; false without a worker.
 * A later request under the same name takes the place of one that still waits.
 */
function askWorker(S, name, job, then) {
  if (!workerOf(S)) return false;
  if (S.asked?.name === name && S.asked.key === job.key) return true;
  S.waiting.set(name, { name, key: job.key, job, then });
  if (!S.asked) sendNext(S);
  return true;
}

function sendNext(S) {
  const [next] = S.waiting.values();
  if (!next) return;
  S.waiting.delete(next.name);
  S.asked = next;
  S.worker.postMessage(next.job);
}

function workerAnswered(S, found) {
  const { then } = S.asked;
  S.asked = null;
  if (!S.root.isConnected || !S.clip) return;
  then(found);
  sendNext(S);
  invalidate(S);
}

/** A law as a worker can be sent it. */
const sendable = (law) => ({ init: law.init, data: law.data, schedule: law.given.schedule, gamma: law.given.gamma, guide: law.guide });

// A second thread for what of the law costs more than a picture may: one request of a kind at a time, the latest only.

/** The worker's own code, sent as text after that of the law. */
function workerMain() {
  onmessage = ({ data: { kind, id, spec, times, starts, count } }) => {
    let positions = null;
    try {
      if (kind === "flow") positions = LAW.heunTrajectories(LAW.makeLaw(spec), times, starts, count);
    } catch (error) {
      if (!(error instanceof LAW.SingularTimeError)) throw error;
    }
    postMessage({ kind, id, positions });
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
}

/** Particles of a law that costs much: those known till now, while the worker finds the new ones. */
function askForFlow(S, law, layer, count) {
  const worker = workerOf(S);
  const known = S.lastFlow?.get(layer.name) ?? { positions: new Float32Array(0), items: 0 };
  if (!worker) return known;
  S.waiting = { law, layer, count };
  if (!S.asked) sendFlow(S);
  return known;
}

function sendFlow(S) {
  const { law, layer, count } = S.waiting;
  S.asked = S.waiting;
  S.waiting = null;
  const spec = { init: law.init, data: law.data, schedule: law.given.schedule };
  S.worker.postMessage({ kind: "flow", id: law.version, spec, times: S.clip.times, starts: layer.starts, count });
}

function workerAnswered(S, { positions }) {
  const { law, layer, count } = S.asked;
  S.asked = null;
  const found = positions ? { positions, items: count } : { positions: new Float32Array(0), items: 0 };
  (S.lastFlow ??= new Map()).set(layer.name, found);
  law.ways.set(layer, found);
  if (S.law !== law) S.law?.ways.set(layer, found); // till its own has come
  if (S.waiting) sendFlow(S);
  invalidate(S);
}

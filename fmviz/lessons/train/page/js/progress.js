// A line of progress that keeps itself up to date: while the page gives it a feed, it asks that for news several times a
// second, shows how far it is, and hands the picture and the tables on to whoever listens on this page.

const MOUNTED = new WeakMap();
const HIDDEN_PAUSE = 1000; // nobody looks
const UNREACHED_PAUSE = 2000; // the server cannot be reached
const LAST_LOOK = 400; // ms in which the page's own rows replace those of a feed that is over

export default function progress({ data, parentElement, setTriggerValue }) {
  let P = MOUNTED.get(parentElement);
  if (!P) {
    P = mount(parentElement);
    MOUNTED.set(parentElement, P);
  }
  P.ended = () => setTriggerValue("ended", true);
  show(P, data);
  clearTimeout(P.forgetting);
  if (data.feed !== P.feed) P.asking?.abort();
  if (data.feed && data.feed !== P.feed) ask(P, data);
  if (!data.feed) P.forgetting = setTimeout(forget, LAST_LOOK);
  P.feed = data.feed;
  return () => {
    P.feed = null;
    P.asking?.abort();
    clearTimeout(P.forgetting);
    forget();
    P.root.remove();
    MOUNTED.delete(parentElement);
  };
}

function mount(parent) {
  const root = document.createElement("div");
  root.className = "fmviz-progress";
  root.dataset.testid = "fmviz-progress";
  const text = document.createElement("div");
  const bar = document.createElement("div");
  bar.className = "bar";
  bar.setAttribute("role", "progressbar");
  bar.append(document.createElement("div"));
  root.append(text, bar);
  parent.append(root);
  return { root, text, bar, feed: null };
}

function show(P, { text, fraction }) {
  P.text.textContent = text;
  P.bar.setAttribute("aria-valuenow", Math.round(100 * fraction));
  P.bar.setAttribute("aria-label", text);
  P.bar.firstChild.style.width = `${100 * fraction}%`;
}

/** The stage listens to the event; the charts read the tables off the body's value (fmviz/charts/training.py). */
function tell(news) {
  if (news.rows !== undefined) document.body.value = news.rows;
  document.body.dispatchEvent(new CustomEvent("fmviz-feed", { detail: news, bubbles: true }));
}

function forget() {
  if (document.body.value != null) tell({ rows: null });
}

const rest = (ms) => new Promise((done) => setTimeout(done, ms));

/** Asks until the feed has ended or another one has come. Where it does not answer, the page's own clock takes over. */
async function ask(P, { feed, every, name }) {
  const { signal } = (P.asking = new AbortController());
  let tag = "";
  while (!signal.aborted) {
    const began = performance.now();
    let pause = every;
    try {
      const answer = await fetch(`${feed}?tag=${encodeURIComponent(tag)}`, { cache: "no-store", signal });
      if (!answer.ok) break;
      const bytes = new Uint8Array(await answer.arrayBuffer());
      if (signal.aborted) return;
      if (bytes.length) {
        const [news, picture] = opened(bytes);
        if (news.ended) {
          P.ended();
          break;
        }
        tag = news.tag;
        show(P, news);
        tell({ ...news, name, picture });
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof TypeError)) throw error;
      pause = UNREACHED_PAUSE;
    }
    if (document.hidden) pause = HIDDEN_PAUSE;
    const taken = performance.now() - began;
    await rest(Math.max(taken, pause - taken)); // a picture that takes long leaves others their turn
  }
  if (!signal.aborted) P.feed = null; // the same feed may have something again, later
}

/** An answer of fmviz/app/feed.py: its header and the picture, which may be empty. */
function opened(bytes) {
  const end = 4 + new DataView(bytes.buffer).getUint32(0, true);
  return [JSON.parse(new TextDecoder().decode(bytes.subarray(4, end))), bytes.subarray(end)];
}

// What a tab of the browser keeps for itself: the token of what belongs to it (fmviz/app/tabs.py), across reloads and
// restarts of the server; the user's own story, across visits. And its history: one entry for each page visited, not one for each touch of a control.

const STORED = "fmviz-tab";
const STORY = "fmviz-story";
// On the window, as the module is loaded anew when the server is started again.
const here = (window.fmvizTab ??= { held: null, claimed: null, farewell: null, story: null });

export default function tab({ data, setTriggerValue }) {
  if (!here.listens) listen();
  const stored = read();
  if (data.token !== here.held && data.token !== here.claimed) {
    // Another session than the last one: of this load of the page, or of the one before it.
    const old = here.held ?? stored.token;
    const reloaded = here.held === null;
    here.claimed = old ?? null;
    if (old) setTriggerValue("claim", { token: old, training: !!stored.training, left: !!stored.left, reloaded });
  }
  keepStory(data.story, setTriggerValue);
  presentation(data.present, setTriggerValue);
  here.held = data.token;
  here.farewell = new URL(data.farewell, location.href).href;
  // What is stored stays until the claim has been answered: it may be told again after another reload.
  if (!here.claimed || data.answered === here.claimed) write({ token: data.token, training: data.training, left: false });
}

/** The user's own story outlives the tab. It is offered once to a page that has none. */
function keepStory(story, setTriggerValue) {
  try {
    if (story !== null) localStorage.setItem(STORY, story);
    else if (here.story) localStorage.removeItem(STORY); // the last moment was taken out
    else if (here.held === null && localStorage.getItem(STORY)) setTriggerValue("story", localStorage.getItem(STORY));
  } catch {
    /* without storage it lives as long as the tab's connection */
  }
  here.story = story;
}

/** Presenting is full screen where the browser allows it, which it does only in answer to a press. */
function presentation(present, setTriggerValue) {
  here.present = present;
  here.tellPresent = (value) => setTriggerValue("present", value);
  if (!present && document.fullscreenElement === document.documentElement) document.exitFullscreen();
  if (!present) document.documentElement.classList.remove("fmviz-dark-room");
}

const fillScreen = () => document.fullscreenEnabled && document.documentElement.requestFullscreen().catch(() => {});

function listenToPresenting() {
  document.addEventListener("click", ({ target }) => target.closest?.(".st-key-present") && fillScreen(), true);
  window.addEventListener("fmviz-present", () => {
    if (!here.present) fillScreen();
    here.tellPresent(!here.present);
  });
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement && here.present) here.tellPresent(false);
  });
}

// Both scroll where they are wider than their place (fmviz/app/css/shell.css).
const SCROLLING = ".katex-display, [data-testid=stMarkdownContainer] table";

/** A formula or a table that scrolls must be reached by the keyboard. */
function watchScrolling() {
  let asked = 0;
  const look = () => {
    asked = 0;
    for (const node of document.querySelectorAll(SCROLLING)) {
      sizes.observe(node);
      if (node.scrollWidth > node.clientWidth) node.tabIndex = 0;
      else node.removeAttribute("tabindex");
    }
  };
  const later = () => (asked ||= setTimeout(look, 200));
  const sizes = new ResizeObserver(later);
  new MutationObserver(later).observe(document.body, { childList: true, subtree: true });
  window.addEventListener("resize", later);
  document.fonts.addEventListener("loadingdone", later); // wider glyphs change no node, and not the size of the place
  later(); // this module may come after the formulas
}

const READING = "[data-test-script-state=notRunning]:has(.st-key-heading_theory):has(.katex, [data-testid=stAlert]) [data-testid=stMainBlockContainer]";
const LONGEST_LOOK = 20_000; // milliseconds; long before, the page has shown what it has (fmviz/app/css/shell.css)

/** Until the first picture of a stage the style sheet hides what would move. The page Theory has no stage: there the hiding ends once the formulas
 * are typeset in their own fonts and have pushed everything to its place. */
function showReading() {
  const { classList } = document.documentElement;
  const end = performance.now() + LONGEST_LOOK;
  const look = () => {
    const height = document.querySelector(READING)?.scrollHeight; // to lay out is to ask for the fonts
    if (height && document.fonts.status === "loaded") classList.add("fmviz-drawn", "fmviz-calm");
    if (!classList.contains("fmviz-drawn") && performance.now() < end) return;
    clearInterval(timer);
    document.fonts.removeEventListener("loadingdone", look);
  };
  const timer = setInterval(look, 60);
  document.fonts.addEventListener("loadingdone", look);
  look(); // this module may come after the formulas
}

function listen() {
  here.listens = true;
  showReading();
  listenToPresenting();
  watchScrolling();
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", (event) => event.persisted && write({ ...read(), left: false }));
  oneEntryAPage();
}

function leave() {
  write({ ...read(), left: true });
  if (here.farewell) navigator.sendBeacon(here.farewell);
}

/** Where the browser forbids storage a reload starts fresh. */
function read() {
  try {
    return JSON.parse(sessionStorage.getItem(STORED)) ?? {};
  } catch {
    return {};
  }
}

function write(value) {
  try {
    sessionStorage.setItem(STORED, JSON.stringify(value));
  } catch {
    /* see read */
  }
}

/** Streamlit adds an entry to the history whenever the query changes; here only another page is one. */
function oneEntryAPage() {
  const push = history.pushState.bind(history);
  history.pushState = (state, unused, url) => {
    const to = new URL(url ?? location.href, location.href);
    if (to.pathname === location.pathname && !to.hash) history.replaceState(state, unused, url);
    else push(state, unused, url);
  };
}

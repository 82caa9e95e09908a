// Presenting: what is not the picture hides, and comes when the pointer nears the lower edge or the key M asks for it. The key B
// makes the room dark. Full screen and presenting are one: the page around the stage (fmviz/app/js/tab.js) does both.

const NEAR = 150; // CSS pixels from the lower edge of the stage
const AWAKE = 2500; // milliseconds without a movement

function watchPointer(S) {
  S.root.addEventListener("pointermove", (event) => {
    if (S.header?.view.present && S.root.getBoundingClientRect().bottom - event.clientY < NEAR) wake(S);
  });
}

function wake(S) {
  S.root.dataset.awake = "true";
  clearTimeout(S.wakeTimer);
  S.wakeTimer = setTimeout(() => delete S.root.dataset.awake, AWAKE);
}

/** Keys of a presentation; true if the key was one. */
function presentKey(S, key) {
  if (!S.header.view.present) return false;
  if (key === "m" || key === "M") {
    if (S.root.dataset.awake) delete S.root.dataset.awake;
    else wake(S);
  } else if (key === "b" || key === "B") {
    const { classList } = document.documentElement;
    if (classList.toggle("fmviz-dark-room")) classList.toggle("fmviz-light", !S.theme.dark); // of the page around the stage
    showRoom(S);
  } else return false;
  return true;
}

/** The stage in the room as it is. */
function showRoom(S) {
  const dark = S.header.view.present && document.documentElement.classList.contains("fmviz-dark-room");
  for (const one of [S, S.pinned]) {
    if (!one || one.root.classList.contains("dark-room") === dark) continue;
    one.root.classList.toggle("dark-room", dark);
    retheme(one);
  }
}

// What anywidget loads. It makes a module of this for every picture, and a page never forgets a module: so the player's script, two hundred
// kilobytes, is a value of the widget, and one module of it serves all pictures of a page.
const KEY = "fmviz-player DIGEST";

async function load(packed) {
  const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const url = URL.createObjectURL(new Blob([await new Response(plain).blob()], { type: "text/javascript" }));
  try {
    return await import(/* webpackIgnore: true */ /* @vite-ignore */ url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function render({ model, el }) {
  const player = await (globalThis[KEY] ??= load(model.get("script")));
  return player.default.render({ model, el });
}

/** JupyterLab goes on holding models whose comm has been closed; the two values that are large need not stay with them. */
function initialize({ model }) {
  return () => {
    for (const name of ["script", "payload"]) model.set(name, new DataView(new ArrayBuffer(0)));
  };
}

export default { initialize, render };

// A grid of lines carried along: its rows and its columns as polylines.

const MESH_ALPHA = 0.8;

function drawMesh(S, view, layer) {
  const { rows, columns, positions } = layer;
  const width = rows * columns * 2;
  if (view.meshPixels?.length !== width) view.meshPixels = new Float32Array(width);
  const places = view.meshPixels;
  const { surface, ratio } = view;
  for (let n = 0; n < width; n += 2) {
    places[n] = toPixelX(view, sample(positions, S.frame, width, n)) * ratio;
    places[n + 1] = toPixelY(view, sample(positions, S.frame, width, n + 1)) * ratio;
  }
  const pen = makePen(surface, 1.1 * S.type * ratio, pixelOf(S.theme.roles[layer.role]), null);
  const walk = (lines, points, first, next) => {
    for (let line = 0; line < lines; line++) {
      pen.lift();
      for (let n = 0, at = line * first; n < points; n++, at += next) pen.to(places[at], places[at + 1], MESH_ALPHA);
    }
  };
  walk(rows, columns, 2 * columns, 2);
  walk(columns, rows, 2, 2 * columns);
}

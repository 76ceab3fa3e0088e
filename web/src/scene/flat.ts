// A loss surface from above: shades, lines of equal loss, walks. It needs no WebGL.
import { drawn } from "../core/component";
import { short } from "../core/numbers";
import { trail } from "../learn/svg";
import { axis, dress, paper, pixels } from "../tunnel/sheet";
import { contour, DASHES, ground, levels, rise, walkInk, type Relief } from "./relief";

export const HEIGHT = 430;

export const mountFlat = paper<Relief>(HEIGHT, (sheet, data) => {
  const { svg, options } = sheet;
  const side = Math.min(sheet.frame.right - sheet.frame.left, (sheet.frame.bottom - sheet.frame.top) * 1.25);
  const frame = { ...sheet.frame, right: sheet.frame.left + side };
  const [x, y] = [axis(data.x[0] ?? 0, data.x.at(-1) ?? 1, frame.left, frame.right), axis(data.y[0] ?? 0, data.y.at(-1) ?? 1, frame.bottom, frame.top)];
  const to = rise(data);
  const columns = data.x.length;
  const name = `plane-${Math.random().toString(36).slice(2)}`;
  const box = { x: frame.left, y: frame.top, width: side, height: frame.bottom - frame.top };
  svg.append(drawn("defs", {}, drawn("clipPath", { id: name }, drawn("rect", box))));
  const plane = drawn("g", { "clip-path": `url(#${name})` });
  svg.append(plane);
  const [wide, tall] = [box.width / Math.max(1, columns - 1), box.height / Math.max(1, data.y.length - 1)]; // the middle of a pixel is its point
  const shades = pixels(columns, data.y.length, (column, row) => {
    const loss = data.heights[row * columns + column]!;
    return Number.isFinite(loss) ? [...ground(to.of(loss), options.isDark), 255] : [128, 128, 128, 90];
  });
  plane.append(drawn("image", { href: shades, x: box.x - wide / 2, y: box.y - tall / 2, width: box.width + wide, height: box.height + tall, preserveAspectRatio: "none" }));
  for (const level of levels(to)) {
    const d = contour(data, level).map(([x1, y1, x2, y2]) => `M${x.at(x1).toFixed(1)} ${y.at(y1).toFixed(1)}L${x.at(x2).toFixed(1)} ${y.at(y2).toFixed(1)}`).join("");
    if (d) plane.append(drawn("path", { d, fill: "none", stroke: options.isDark ? "#0f1619" : "#17222c", "stroke-opacity": 0.42, "stroke-width": 1, "data-level": short(level) }));
  }
  const halo = options.isDark ? "#0f1619" : "#ffffff";
  data.walks.forEach((walk, at) => {
    const places = walk.points.map(([a, b]) => [x.at(a), y.at(b)] as const);
    const ink = walkInk(at, options.isDark);
    plane.append(trail(places, halo, { "stroke-width": 4, opacity: 0.7 }), trail(places, ink, { "stroke-width": 2, "stroke-dasharray": DASHES[at % 4]!, "data-walk": walk.name }));
    const last = places.at(-1);
    if (last) plane.append(drawn("circle", { cx: last[0], cy: last[1], r: 4.5, fill: ink, stroke: halo, "stroke-width": 1.5 }));
  });
  const first = data.walks[0]?.points[0];
  if (first) plane.append(drawn("circle", { cx: x.at(first[0]), cy: y.at(first[1]), r: 6, fill: "none", stroke: options.isDark ? "#ffffff" : "#17222c", "stroke-width": 2 }));
  svg.style.cursor = data.onDrop ? "crosshair" : "default";
  svg.onclick = (event) => {
    const at = svg.getBoundingClientRect();
    const [px, py] = [((event.clientX - at.left) / at.width) * sheet.width, ((event.clientY - at.top) / at.height) * sheet.height];
    if (px >= frame.left && px <= frame.right && py >= frame.top && py <= frame.bottom) data.onDrop?.(x.back(px), y.back(py));
  };
  dress({ ...sheet, frame }, x, y, { x: data.names.x, y: data.names.y });
  return { label: data.label, table: tableOf(data) };
});

/** The walks step by step, or without walks the surface at a few of its points. */
function tableOf({ x, y, heights, walks, names }: Relief): { heads: string[]; rows: (string | number)[][] } {
  if (walks.some((walk) => walk.points.length > 1)) {
    const longest = Math.max(...walks.map((walk) => walk.points.length));
    const heads = ["step", ...walks.flatMap(({ name }) => [`${name} ${names.x}`, `${name} ${names.y}`, `${name} ${names.z}`])];
    return { heads, rows: Array.from({ length: longest }, (_, at) => [at, ...walks.flatMap(({ points }) => points[at] ?? [NaN, NaN, NaN])]) };
  }
  const thin = <T>(all: readonly T[]): number[] => all.map((_, at) => at).filter((at) => at % Math.max(1, Math.ceil(all.length / 11)) === 0);
  return { heads: [names.x, names.y, names.z], rows: thin(y).flatMap((row) => thin(x).map((column) => [x[column]!, y[row]!, heights[row * x.length + column]!])) };
}

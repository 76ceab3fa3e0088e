// What the network says over the plane or along the line, with the examples on it.
import { drawn } from "../core/component";
import { parts, type Colour } from "../core/colours";
import { axes, line, scale, svgFigure, trail } from "../learn/svg";

export interface AnswersData {
  picture: readonly (readonly (number | null)[])[];
  points: readonly (readonly number[])[];
  label: string;
}

const REACH = 1.15;
const HEIGHT = 420;

export const mountAnswers = svgFigure<AnswersData>(HEIGHT, (sheet, { picture, points, label }) => {
  const { svg, ink } = sheet;
  const table = { heads: ["x₁", "x₂", "y"], rows: points.map((row) => (row.length > 2 ? [...row] : [row[0]!, "", row[1]!])) };
  if (picture.length > 1) {
    const x = scale(-REACH, REACH, 130, 510);
    const y = scale(-REACH, REACH, 396, 16);
    const image = drawn("image", { x: 130, y: 16, width: 380, height: 380, href: painted(picture, parts(ink.warning.length === 7 ? ink.warning : "#8a4b06"), parts(ink.accent.length === 7 ? ink.accent : "#0b5c7a"), parts(ink.card.length === 7 ? ink.card : "#ffffff")), preserveAspectRatio: "none" });
    svg.append(image);
    for (const [u, v, label_] of points) svg.append(drawn("circle", { cx: x(u!), cy: y(v!), r: 3.6, fill: label_ ? ink.accent : ink.warning, stroke: ink.card, "stroke-width": 1.2 }));
    axes(sheet, x, y, { left: 130, right: 510, top: 16, bottom: 396 }, [-1, 0, 1], [-1, 0, 1], { x: "", y: "" });
  } else if (picture.length === 1) {
    const x = scale(-REACH, REACH, 60, 620);
    const y = scale(-2, 2, 380, 20);
    const row = picture[0]!;
    svg.append(line(60, y(0), 620, y(0), ink.line));
    for (const [u, v] of points) svg.append(drawn("circle", { cx: x(u!), cy: y(Math.max(-2, Math.min(2, v!))), r: 3, fill: ink.warning }));
    svg.append(trail(row.map((value, at) => [x(-REACH + (2 * REACH * at) / (row.length - 1)), value === null ? NaN : y(Math.max(-2, Math.min(2, value)))] as const), ink.accent, { "stroke-width": 3 }));
    axes(sheet, x, y, { left: 60, right: 620, top: 20, bottom: 380 }, [-1, 0, 1], [-2, -1, 0, 1, 2], { x: "x", y: "" });
  }
  return { label, table };
});

/** The answers as a small picture, smoothed by the browser; what is not finite is magenta. */
function painted(picture: readonly (readonly (number | null)[])[], low: Colour, high: Colour, middle: Colour): string {
  const canvas = document.createElement("canvas");
  canvas.width = picture[0]!.length;
  canvas.height = picture.length;
  const pen = canvas.getContext("2d");
  if (!pen) return "";
  const image = pen.createImageData(canvas.width, canvas.height);
  picture.forEach((row, at) =>
    row.forEach((value, column) => {
      const start = 4 * ((canvas.height - 1 - at) * canvas.width + column);
      const end = value === null ? ([194, 24, 154] as const) : value > 0.5 ? high : low;
      const share = value === null ? 1 : 0.78 * Math.abs(value - 0.5) * 2;
      for (let part = 0; part < 3; part += 1) image.data[start + part] = middle[part]! + (end[part]! - middle[part]!) * share;
      image.data[start + 3] = 255;
    }),
  );
  pen.putImageData(image, 0, 0);
  return canvas.toDataURL();
}

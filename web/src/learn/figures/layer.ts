// X W + b with numbers: the row and the column that an entry of the result is made of light up.
import { drawn } from "../../core/component";
import { say, type Words } from "../../core/language";
import { affine, terms, transposed, type Matrix } from "../maths/matrix";
import { pointed, svgFigure, text, type Sheet } from "../svg";

export interface LayerData {
  x: Matrix;
  w: Matrix;
  b: readonly number[];
  entry: readonly [number, number];
  isColumnForm: boolean;
  says: Words;
  onEntry: (entry: readonly [number, number]) => void;
}

const CELL = 40;
const HEIGHT = 270;

export const mountLayer = svgFigure<LayerData>(HEIGHT, (sheet, data) => {
  const { svg, ink, options } = sheet;
  const { x, w, b, isColumnForm } = data;
  const [i, j] = data.entry;
  const y = affine(x, w, b);
  const tall = Math.max(x.length, w.length, isColumnForm ? w[0]!.length : 0);
  const middle = 34 + (tall * CELL) / 2;
  const put = (name: string, matrix: Matrix, left: number, lit: (row: number, column: number) => boolean): { right: number; top: number } => {
    const top = middle - (matrix.length * CELL) / 2;
    grid(sheet, matrix, left, top, lit);
    svg.append(text(left + (matrix[0]!.length * CELL) / 2, top - 8, name, ink.muted, { "text-anchor": "middle" }));
    return { right: left + matrix[0]!.length * CELL, top };
  };
  const sign = (at: number, mark: string): void => void svg.append(text(at, middle + 5, mark, ink.ink, { "text-anchor": "middle", "font-size": 17 }));
  const parts = isColumnForm
    ? ([["W = W′ᵀ", transposed(w), (row: number) => row === j], ["Xᵀ", transposed(x), (_: number, column: number) => column === i], ["bᵀ", b.map((one) => [one]), (row: number) => row === j], ["Y", transposed(y), (row: number, column: number) => row === j && column === i]] as const)
    : ([["X", x, (row: number) => row === i], ["W", w, (_: number, column: number) => column === j], ["b", [b], (_: number, column: number) => column === j], ["Y", y, (row: number, column: number) => row === i && column === j]] as const);
  const signs = ["·", "+", "="];
  const width = parts.reduce((sum, [, matrix]) => sum + matrix[0]!.length * CELL, 0) + 3 * 26;
  let left = (640 - width) / 2;
  let last = { left: 0, top: 0 };
  parts.forEach(([name, matrix, lit], place) => {
    const { right, top } = put(name, matrix, left, lit);
    if (place < 3) sign(right + 13, signs[place]!);
    last = { left, top };
    left = right + 26;
  });
  const sum = terms(x, w, b, i, j);
  const spelled = sum.slice(0, -1).map((_, k) => `${x[i]![k]}·${minus(w[k]![j]!)}`).join(" + ") + ` ${b[j]! < 0 ? "−" : "+"} ${Math.abs(b[j]!)} = ${minus(y[i]![j]!)}`;
  svg.append(text(320, HEIGHT - 34, spelled, ink.ink, { "text-anchor": "middle", "font-size": 16 }), text(320, HEIGHT - 10, say(data.says[isColumnForm ? "columnsay" : "examples"]!, options.language), ink.muted, { "text-anchor": "middle" }));
  const choose = (event: PointerEvent): void => {
    const [px, py] = pointed(svg, event);
    const column = Math.floor((px - last.left) / CELL);
    const row = Math.floor((py - last.top) / CELL);
    const [example, neuron] = isColumnForm ? [column, row] : [row, column];
    if (example >= 0 && example < y.length && neuron >= 0 && neuron < y[0]!.length) data.onEntry([example, neuron]);
  };
  svg.onpointerdown = choose;
  svg.onpointermove = choose;
  svg.onkeydown = (event) => {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!by) return;
    event.preventDefault();
    const [di, dj] = isColumnForm ? [by[1]!, by[0]!] : [by[0]!, by[1]!];
    data.onEntry([(i + di + y.length) % y.length, (j + dj + y[0]!.length) % y[0]!.length]);
  };
  return { label: say(data.says["alt"]!, options.language), table: { heads: ["", ...y[0]!.map((_, at) => `Y·${at + 1}`)], rows: y.map((row, at) => [`${at + 1}`, ...row]) } };
});

const minus = (value: number): string => String(value).replace("-", "−");

function grid({ svg, ink }: Sheet, matrix: Matrix, left: number, top: number, lit: (row: number, column: number) => boolean): void {
  matrix.forEach((row, r) =>
    row.forEach((value, c) => {
      const isLit = lit(r, c);
      svg.append(
        drawn("rect", { x: left + c * CELL + 1, y: top + r * CELL + 1, width: CELL - 2, height: CELL - 2, rx: 5, fill: isLit ? ink.accent : ink.faint, "fill-opacity": isLit ? 0.28 : 1, stroke: isLit ? ink.accent : ink.line }),
        text(left + c * CELL + CELL / 2, top + r * CELL + CELL / 2 + 5, minus(value), ink.ink, { "text-anchor": "middle", "font-weight": isLit ? 700 : 400 }),
      );
    }),
  );
}

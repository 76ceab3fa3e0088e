import { PALETTE } from "../wire";

export type Colour = readonly [number, number, number];

export const parts = (code: string): Colour => [1, 3, 5].map((at) => parseInt(code.slice(at, at + 2), 16)) as unknown as Colour;
export const css = (colour: Colour): string => `rgb(${colour.join(",")})`;
export const isLost = (wind: number): boolean => wind === Infinity;

/** The colour of a layer wind; NaN is not seen and gets `unseen`. */
export function windScale(isDark: boolean, unseen: Colour): (wind: number) => Colour {
  const stops = PALETTE[isDark ? "dark" : "light"].map(([place, code]) => [place, parts(code)] as const);
  const first = stops[0]!;
  const last = stops.at(-1)!;
  const lost = parts(PALETTE.nan);
  return (wind) => {
    if (isLost(wind)) return lost;
    if (Number.isNaN(wind)) return unseen;
    if (wind <= first[0]) return first[1];
    const above = stops.findIndex(([place]) => place > wind);
    if (above < 0) return last[1];
    const [from, one] = stops[above - 1]!;
    const [to, other] = stops[above]!;
    const share = (wind - from) / (to - from);
    return one.map((part, at) => Math.round(part + (other[at]! - part) * share)) as unknown as Colour;
  };
}

const RUN_WIND = new Map([[-2, -6], [-1, -4.25], [0, -1], [1, 1.25], [2, 2], [3, Infinity]]);

/** The colour of the run's wind, -2 … 3. */
export const runColour = (value: number, isDark: boolean): Colour => windScale(isDark, [128, 128, 128])(RUN_WIND.get(value) ?? NaN);

/** Dark or light ink, whichever stands out more. */
export function ink(colour: Colour): string {
  const linear = colour.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * linear[0]! + 0.7152 * linear[1]! + 0.0722 * linear[2]! > 0.18 ? "#17222c" : "#ffffff";
}

/** C calm, B breeze, S storm, N not finite, – not seen: colours alone would not do. */
export function letter(wind: number): "C" | "B" | "S" | "N" | "–" {
  if (Number.isNaN(wind)) return "–";
  if (isLost(wind)) return "N";
  return wind < PALETTE.healthy[0] ? "C" : wind > PALETTE.healthy[1] ? "S" : "B";
}

const MIDDLE = (PALETTE.healthy[0] + PALETTE.healthy[1]) / 2;
/** How remarkable a wind is: what is lost wins, what was not seen loses. */
export const weight = (wind: number): number => (Number.isNaN(wind) ? -1 : isLost(wind) ? Infinity : wind === -Infinity ? 1e300 : Math.abs(wind - MIDDLE));

/** A colour of the theme, as the style sheet has it. */
export const themed = (element: Element, name: string): string => getComputedStyle(element).getPropertyValue(`--${name}`).trim();

// What arrives of the gradient at each layer, and the factor that each layer multiplies it by.
import { css, ink as inkOn, windScale } from "../../core/colours";
import { drawn } from "../../core/component";
import { say, type Words } from "../../core/language";
import { short } from "../../core/numbers";
import type { Profile } from "../maths/chain";
import { axes, line, scale, svgFigure, text } from "../svg";

export interface ChainData {
  profile: Profile;
  clip: number | null;
  says: Words;
}

const HEIGHT = 340;
const LOW = -14;
const HIGH = 8;

/** By how many decades the gradient of the first layer is larger than that of the last. */
export const decades = ({ norms }: Profile): number => Math.log10(norms[0]! / norms.at(-1)!);

export const mountChain = svgFigure<ChainData>(HEIGHT, (sheet, data) => {
  const { svg, ink, options } = sheet;
  const { language, isDark } = options;
  const { norms, factors } = data.profile;
  const x = scale(0.5, norms.length + 0.5, 56, 628);
  const y = scale(LOW, HIGH, 214, 30);
  const colour = windScale(isDark, [128, 128, 128]);
  const width = Math.max(3, (572 / norms.length) * 0.8);
  norms.forEach((norm, at) => {
    const value = Math.max(LOW, Math.min(HIGH, Math.log10(norm / norms.at(-1)!)));
    svg.append(drawn("rect", { x: x(at + 1) - width / 2, y: Math.min(y(value), y(0)), width, height: Math.max(2, Math.abs(y(value) - y(0))), fill: css(colour(value < 0 ? value * 0.6 : value)), stroke: ink.muted, "stroke-width": 0.6 }));
  });
  svg.append(line(56, y(0), 628, y(0), ink.ink));
  axes(sheet, x, y, { left: 56, right: 628, top: 30, bottom: 214 }, [1, ...[5, 10, 15, 20, 25, 30, 40, 50].filter((at) => at < norms.length), norms.length], [-12, -8, -4, 0, 4, 8], { x: say(data.says["layer"]!, language), y: say(data.says["norm"]!, language) });
  svg.append(text(56, 272, say(data.says["factor"]!, language), ink.muted));
  const radius = Math.min(15, 250 / norms.length);
  factors.forEach((factor, at) => {
    const value = Math.max(-1, Math.min(1, Math.log10(factor)));
    const paint = colour(value < 0 ? -2.5 + value * 3.5 : -1 + value * 3);
    svg.append(drawn("circle", { cx: x(at + 1), cy: 296, r: radius, fill: css(paint), stroke: ink.muted }));
    if (radius > 11) svg.append(text(x(at + 1), 300, short(factor).slice(0, 4), inkOn(paint), { "text-anchor": "middle", "font-size": 10 }));
  });
  if (data.clip !== null && data.profile.length > data.clip) svg.append(text(628, 332, say(data.says["clipped"]!, language, { before: short(data.profile.length), after: short(data.profile.clipped) }), ink.ink, { "text-anchor": "end" }));
  return { label: say(data.says["alt"]!, language), table: { heads: ["layer", "gradient", "factor"], rows: norms.map((norm, at) => [at + 1, norm, factors[at] ?? ""]) } };
});

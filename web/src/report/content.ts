import type { EventFlag, Flow, LayerHistory, Num, View } from "../wire";

/** What stands in the JSON block of a report. */
export interface Content {
  view: View;
  events: EventFlag[];
  flow: Flow;
  layers: { name: string }[];
  series: Record<string, { steps: number[]; values: Num[] | Num[][] }>;
  thinned: Record<string, unknown>;
}

const QUANTITIES = ["layer_wind", "gradient_norm", "weight_norm", "update_ratio", "dead_share", "saturated_share"];

/** What the file holds of one layer. */
export function historyOf(content: Content, layer: number): LayerHistory {
  const series = QUANTITIES.flatMap((name) => {
    const one = content.series[name];
    if (!one || !Array.isArray(one.values[0])) return [];
    const values = (one.values as Num[][]).map((row) => row[layer] ?? "NaN");
    const kept = one.steps.map((_, at) => at).filter((at) => values[at] !== "NaN");
    if (!kept.length) return [];
    const of = kept.map((at) => values[at]!);
    return [{ name, steps: kept.map((at) => one.steps[at]!), low: of, high: of }];
  });
  return { layer, name: content.layers[layer]?.name ?? "", series, distributions: [] };
}

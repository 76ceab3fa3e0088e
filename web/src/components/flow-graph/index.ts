// The data-flow graph: quantities are round, operations are boxes coloured by the wind, joins are small circles; deep graphs are folded in their midst.
import { css, ink, isLost, letter, parts, themed, weight, windScale, type Colour } from "../../core/colours";
import { drawn, element, onceAFrame, onWidth, type Mounted, type Options } from "../../core/component";
import { say } from "../../core/language";
import { short } from "../../core/numbers";
import type { Flow, GraphNode } from "../../wire";
import { FOLD, FOLDED, folded, LINE, placed, type Layout, type Placed } from "./layout";
import words from "./words.json";

export interface FlowGraphData {
  flow: Flow;
  /** Wind of each layer: the newest, or that under the cross-hair. */
  now: readonly number[];
  title: string;
}

const UNFOLD = 4; // times as many nodes are shown at each click,
const MOST = 400; // up to so many: beyond, the lines between them cannot be followed

interface Shown {
  node: Placed;
  group: SVGGElement;
  box: SVGRectElement;
  texts: SVGTextElement[];
}

export function mount(el: HTMLElement, data: FlowGraphData, options: Options): Mounted<FlowGraphData> {
  const { linked, language } = options;
  const host = element("div", { class: "figure graph", role: "group" });
  el.append(host);
  let shown = data;
  let most = FOLD;
  let nodes: Shown[] = [];

  function draw(): void {
    host.setAttribute("aria-label", `${say(words.name, language)}: ${shown.title}. ${say(words.keys, language)}`);
    const kept = folded(shown.flow, language, most);
    const layout = placed(kept.flow, kept.hidden, roomOf(el), Math.max(260, host.clientWidth || el.clientWidth));
    nodes = layout.nodes.map(made);
    host.replaceChildren(picture(layout));
    paint();
  }

  function picture({ edges, width, height }: Layout): SVGSVGElement {
    const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, width, height });
    for (const edge of edges) {
      const path = edge.points.map(([x, y], at) => `${at ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
      svg.append(drawn("path", { d: path, class: "edge", fill: "none" }), arrow(edge.points));
    }
    for (const edge of edges) if (edge.label) svg.append(drawn("text", { x: edge.at[0], y: edge.at[1], class: "on-edge", "text-anchor": "middle" }, edge.label));
    svg.append(...nodes.map((one) => one.group));
    return svg;
  }

  function made(node: Placed): Shown {
    const group = drawn("g", { class: `node ${node.kind}` });
    const isRound = node.kind === "quantity" || (node.kind === "join" && node.width === node.height);
    const box = drawn("rect", { x: node.x - node.width / 2, y: node.y - node.height / 2, width: node.width, height: node.height, rx: isRound ? node.height / 2 : 6 });
    const texts = node.lines.map((line, at) => {
      const text = drawn("text", { x: node.x, y: node.y + (at - (node.lines.length - 1) / 2) * LINE + 4, "text-anchor": "middle" }, at < node.lines.length - 1 ? `${line} ` : line);
      if (at === 0 && node.kind !== "join") text.style.fontWeight = "650";
      return text;
    });
    group.append(box, ...texts);
    if (node.layer >= 0) pressed(group, () => linked.chosen.set(node.layer));
    else if (node.id === FOLDED && most < MOST) pressed(group, unfold);
    return { node, group, box, texts };
  }

  function unfold(): void {
    most = Math.min(MOST, most * UNFOLD);
    draw();
    host.querySelector<SVGGElement>(".node[tabindex]")?.focus({ preventScroll: true });
  }

  /** The wind of a node: of a folded one, the most remarkable of its layers. */
  const windOf = (node: Placed): number => (node.layer >= 0 ? (shown.now[node.layer] ?? NaN) : node.hidden.reduce((worst, layer) => (weight(shown.now[layer] ?? NaN) > weight(worst) ? shown.now[layer]! : worst), NaN));

  function paint(): void {
    const colour = windScale(options.isDark, parts(themed(el, "faint") || "#edf2f0"));
    for (const one of nodes) painted(one, windOf(one.node), colour);
  }

  function painted({ node, group, box, texts }: Shown, wind: number, colour: (wind: number) => Colour): void {
    const isColoured = !isLost(wind) && !Number.isNaN(wind);
    group.classList.toggle("lost", isLost(wind));
    box.style.fill = isColoured ? css(colour(wind)) : "";
    for (const text of texts) text.style.fill = isColoured ? ink(colour(wind)) : "";
    if (group.hasAttribute("tabindex")) group.setAttribute("aria-label", `${node.lines.join(" ")}, ${say(words.wind, language)} ${worded(wind)}`);
  }

  const frame = onceAFrame(draw);
  const stops = [onWidth(el, frame.ask)];
  draw();
  const text = (): string => {
    const svg = host.querySelector("svg")!.cloneNode(true) as SVGSVGElement;
    svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    svg.setAttribute("font-family", "sans-serif");
    svg.setAttribute("font-size", "12");
    for (const rect of svg.querySelectorAll<SVGElement>("rect")) {
      rect.setAttribute("stroke", "#56636f");
      rect.setAttribute("fill", rect.style.fill || "#ffffff");
    }
    for (const path of svg.querySelectorAll("path.edge")) path.setAttribute("stroke", "#56636f");
    return new XMLSerializer().serializeToString(svg);
  };
  return {
    update(delta): void {
      const before = shown;
      shown = { ...shown, ...delta };
      if (before.flow !== shown.flow && JSON.stringify(before.flow) !== JSON.stringify(shown.flow)) frame.ask();
      else paint();
    },
    destroy(): void {
      frame.cancel();
      for (const stop of stops) stop();
      host.remove();
    },
    toPNG: async () => {
      const svg = host.querySelector("svg")!;
      const [width, height] = [Number(svg.getAttribute("width")), Number(svg.getAttribute("height"))];
      const image = new Image();
      image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text())}`;
      await image.decode();
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [width * 2, height * 2];
      const pen = canvas.getContext("2d")!;
      pen.fillStyle = "#ffffff";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.drawImage(image, 0, 0, canvas.width, canvas.height);
      return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture")))));
    },
    toSVG: text,
    table: () => {
      const names = new Map(shown.flow.nodes.map((node) => [node.id, nameOf(node)]));
      const reads = (node: GraphNode): string => shown.flow.edges.filter((edge) => edge.target === node.id).map((edge) => names.get(edge.source) ?? "").join(", ");
      return {
        heads: [say(words.node, language), say(words.reads, language), say(words.wind, language)],
        rows: shown.flow.nodes.map((node) => [node.label.replace("\n", " "), reads(node) || "–", node.layer < 0 ? "–" : worded(shown.now[node.layer] ?? NaN)]),
      };
    },
  };
}

const nameOf = (node: GraphNode): string => node.label.split("\n")[0]!;
const worded = (wind: number): string => (Number.isNaN(wind) ? "–" : `${isLost(wind) ? "NaN" : short(wind)} ${letter(wind)}`);

function pressed(group: SVGGElement, then: () => void): void {
  group.setAttribute("tabindex", "0");
  group.setAttribute("role", "button");
  group.addEventListener("click", then);
  group.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    then();
  });
}

function roomOf(el: HTMLElement): (text: string, isBold?: boolean) => number {
  const pen = document.createElement("canvas").getContext("2d");
  const family = getComputedStyle(el).fontFamily || "sans-serif";
  return (text, isBold = false) => {
    if (!pen) return text.length * 7;
    pen.font = `${isBold ? "650 " : ""}12px ${family}`;
    return pen.measureText(text).width;
  };
}

function arrow(points: readonly [number, number][]): SVGPathElement {
  const [[x0, y0], [x, y]] = [points.at(-2)!, points.at(-1)!];
  const angle = Math.atan2(y - y0, x - x0);
  const at = (turn: number): string => `${(x - 8 * Math.cos(angle + turn)).toFixed(1)} ${(y - 8 * Math.sin(angle + turn)).toFixed(1)}`;
  return drawn("path", { d: `M${x.toFixed(1)} ${y.toFixed(1)}L${at(0.42)}L${at(-0.42)}Z`, class: "arrow" });
}

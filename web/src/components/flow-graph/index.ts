// The data-flow graph: quantities are round, operations are boxes coloured by the newest wind; long chains break into lines.
import dagre from "@dagrejs/dagre";
import { css, ink, isLost, letter, parts, themed, windScale } from "../../core/colours";
import { drawn, element, onceAFrame, onWidth, type Mounted, type Options } from "../../core/component";
import { say } from "../../core/language";
import { short } from "../../core/numbers";
import type { Flow, GraphNode } from "../../wire";
import words from "./words.json";

export interface FlowGraphData {
  flow: Flow;
  /** Newest wind of each layer. */
  now: readonly number[];
  title: string;
}

const LINE = 18;
const FOLD = 24; // layers beyond which the midst is folded

interface Placed extends GraphNode {
  x: number;
  y: number;
  width: number;
  height: number;
  lines: string[];
}

export function mount(el: HTMLElement, data: FlowGraphData, options: Options): Mounted<FlowGraphData> {
  const { linked, language } = options;
  const host = element("div", { class: "figure graph", role: "group" });
  el.append(host);
  let shown = data;

  function draw(): void {
    host.setAttribute("aria-label", `${say(words.name, language)}: ${shown.title}. ${say(words.keys, language)}`);
    host.replaceChildren(picture());
  }

  function picture(): SVGSVGElement {
    const flow = folded(shown.flow, language);
    const measure = document.createElement("canvas").getContext("2d");
    const family = getComputedStyle(el).fontFamily || "sans-serif";
    const room = (text: string, isBold = false): number => {
      if (!measure) return text.length * 7;
      measure.font = `${isBold ? "650 " : ""}12px ${family}`;
      return measure.measureText(text).width;
    };
    const { nodes, edges, width, height } = isChain(flow) ? snake(flow, room, Math.max(260, host.clientWidth || el.clientWidth)) : layered(flow, room);
    const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, width, height });
    for (const edge of edges) {
      const path = edge.points.map(([x, y], at) => `${at ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
      svg.append(drawn("path", { d: path, class: "edge", fill: "none" }), arrow(edge.points));
      if (edge.label) svg.append(drawn("text", { x: edge.at[0], y: edge.at[1], class: "on-edge", "text-anchor": "middle" }, edge.label));
    }
    const colour = windScale(options.isDark, parts(themed(el, "faint") || "#edf2f0"));
    for (const node of nodes) svg.append(nodeOf(node, colour));
    return svg;
  }

  function nodeOf(node: Placed, colour: (wind: number) => readonly [number, number, number]): SVGGElement {
    const wind = node.layer >= 0 ? (shown.now[node.layer] ?? NaN) : NaN;
    const paint = colour(wind);
    const group = drawn("g", { class: `node ${node.kind}${isLost(wind) ? " lost" : ""}` });
    const isRound = node.kind === "quantity";
    const box = drawn("rect", { x: node.x - node.width / 2, y: node.y - node.height / 2, width: node.width, height: node.height, rx: isRound ? node.height / 2 : 6 });
    const isColoured = node.layer >= 0 && !isLost(wind) && !Number.isNaN(wind);
    if (isColoured) box.style.fill = css(paint);
    group.append(box);
    node.lines.forEach((line, at) => {
      const text = drawn("text", { x: node.x, y: node.y + (at - (node.lines.length - 1) / 2) * LINE + 4, "text-anchor": "middle" }, at < node.lines.length - 1 ? `${line} ` : line);
      if (isColoured) text.style.fill = ink(paint);
      if (at === 0) text.style.fontWeight = "650";
      group.append(text);
    });
    if (node.layer >= 0) {
      const label = `${node.lines.join(" ")}, ${say(words.wind, language)} ${isLost(wind) ? "NaN" : Number.isNaN(wind) ? "–" : short(wind)} ${letter(wind)}`;
      for (const [name, value] of Object.entries({ tabindex: "0", role: "button", "aria-label": label })) group.setAttribute(name, value);
      const choose = (): void => linked.chosen.set(node.layer);
      group.addEventListener("click", choose);
      group.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        event.stopPropagation();
        choose();
      });
    }
    return group;
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
      const before = JSON.stringify([shown.now.map((wind) => Math.round(wind * 20)), shown.flow.nodes.length]);
      shown = { ...shown, ...delta };
      if (host.contains(document.activeElement)) return; // a focused node would be lost; it is drawn anew at the next change
      if (before !== JSON.stringify([shown.now.map((wind) => Math.round(wind * 20)), shown.flow.nodes.length])) frame.ask();
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
    table: () => ({
      heads: [say(words.node, language), say(words.wind, language)],
      rows: shown.flow.nodes.map((node) => {
        const wind = node.layer >= 0 ? (shown.now[node.layer] ?? NaN) : NaN;
        return [node.label.replace("\n", " "), node.layer < 0 || Number.isNaN(wind) ? "–" : `${isLost(wind) ? "NaN" : short(wind)} ${letter(wind)}`];
      }),
    }),
  };
}

const isChain = (flow: Flow): boolean => flow.edges.length === flow.nodes.length - 1 && flow.edges.every((edge, at) => edge.source === flow.nodes[at]!.id && edge.target === flow.nodes[at + 1]!.id);

/** A long chain keeps its two ends; what lies between is one node that says how many. */
function folded(flow: Flow, language: Options["language"]): Flow {
  if (!isChain(flow) || flow.nodes.length <= FOLD + 2) return flow;
  const half = FOLD / 2;
  const hidden = flow.nodes.length - 2 * half - 1;
  const more: GraphNode = { id: "…", label: say(words.more, language, { n: hidden }), kind: "quantity", layer: -1 };
  const nodes = [...flow.nodes.slice(0, half + 1), more, ...flow.nodes.slice(-half)];
  const labels = new Map(flow.edges.map((edge) => [edge.target, edge.label]));
  return { ...flow, nodes, edges: nodes.slice(1).map((node, at) => ({ source: nodes[at]!.id, target: node.id, label: labels.get(node.id) ?? "" })) };
}

type Picture = { nodes: Placed[]; edges: { points: [number, number][]; label: string; at: [number, number] }[]; width: number; height: number };

function sized(node: GraphNode, room: (text: string, isBold?: boolean) => number): Placed {
  const lines = node.label.split("\n");
  return { ...node, lines, x: 0, y: 0, width: Math.max(34, ...lines.map((line, at) => room(line, at === 0))) + 20, height: lines.length * LINE + 12 };
}

/** A chain in lines of text, read like a page. */
function snake(flow: Flow, room: (text: string, isBold?: boolean) => number, width: number): Picture {
  const gap = 46;
  const nodes = flow.nodes.map((node) => sized(node, room));
  let [x, y, tall] = [0, 0, 0];
  const line: Placed[] = [];
  const rows: Placed[][] = [];
  for (const node of nodes) {
    if (line.length && x + node.width > width) {
      rows.push([...line]);
      line.length = 0;
      [x, y, tall] = [0, y + tall + 34, 0];
    }
    node.x = x + node.width / 2;
    node.y = y;
    x += node.width + gap;
    tall = Math.max(tall, node.height);
    line.push(node);
  }
  rows.push(line);
  for (const row of rows) {
    const high = Math.max(...row.map((node) => node.height));
    for (const node of row) node.y += high / 2 + 2;
  }
  const edges = flow.edges.map((edge, at) => {
    const [one, other] = [nodes[at]!, nodes[at + 1]!];
    const isSameRow = one.y === other.y || other.x > one.x;
    const points: [number, number][] = isSameRow
      ? [[one.x + one.width / 2, one.y], [other.x - other.width / 2 - 2, other.y]]
      : [[one.x, one.y + one.height / 2], [one.x, (one.y + other.y) / 2], [other.x, (one.y + other.y) / 2], [other.x, other.y - other.height / 2 - 2]];
    return { points, label: edge.label, at: (isSameRow ? [(points[0]![0] + points[1]![0]) / 2, one.y - 5] : [one.x + 16, one.y + one.height / 2 + 13]) as [number, number] };
  });
  const last = nodes.at(-1)!;
  return { nodes, edges, width, height: last.y + last.height / 2 + 6 };
}

function layered(flow: Flow, room: (text: string, isBold?: boolean) => number): Picture {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 22, ranksep: 46, marginx: 6, marginy: 6 });
  graph.setDefaultEdgeLabel(() => ({}));
  const nodes = flow.nodes.map((node) => sized(node, room));
  for (const node of nodes) graph.setNode(node.id, { width: node.width, height: node.height });
  for (const edge of flow.edges) graph.setEdge(edge.source, edge.target, { width: room(edge.label) + 8, height: LINE, labelpos: "c" });
  dagre.layout(graph);
  for (const node of nodes) Object.assign(node, { x: graph.node(node.id).x, y: graph.node(node.id).y });
  const edges = flow.edges.map((edge) => {
    const found = graph.edge(edge.source, edge.target) as { points: { x: number; y: number }[]; x?: number; y?: number };
    const points = found.points.map(({ x, y }) => [x, y] as [number, number]);
    const middle = points[points.length >> 1]!;
    return { points, label: edge.label, at: [found.x ?? middle[0], (found.y ?? middle[1]) - 4] as [number, number] };
  });
  const size = graph.graph() as { width?: number; height?: number };
  return { nodes, edges, width: size.width ?? 100, height: size.height ?? 100 };
}

function arrow(points: readonly [number, number][]): SVGPathElement {
  const [[x0, y0], [x, y]] = [points.at(-2)!, points.at(-1)!];
  const angle = Math.atan2(y - y0, x - x0);
  const at = (turn: number): string => `${(x - 8 * Math.cos(angle + turn)).toFixed(1)} ${(y - 8 * Math.sin(angle + turn)).toFixed(1)}`;
  return drawn("path", { d: `M${x.toFixed(1)} ${y.toFixed(1)}L${at(0.42)}L${at(-0.42)}Z`, class: "arrow" });
}

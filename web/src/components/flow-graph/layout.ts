// Where the nodes of a data-flow graph stand: a chain in lines of text, anything else in layers; what is deep is folded in its midst.
import dagre from "@dagrejs/dagre";
import { say, type Language } from "../../core/language";
import type { Flow, GraphEdge, GraphNode } from "../../wire";
import words from "./words.json";

export const LINE = 18;
export const FOLD = 24; // nodes beyond which the midst is folded
const WIDE = 1.4; // of the room: a wider picture is turned on end
export const FOLDED = "…";

export interface Placed extends GraphNode {
  x: number;
  y: number;
  width: number;
  height: number;
  lines: string[];
  /** Layers that a folded node stands for. */
  hidden: number[];
}
type Point = [number, number];
export type Layout = { nodes: Placed[]; edges: { points: Point[]; label: string; at: Point }[]; width: number; height: number };
export type Room = (text: string, isBold?: boolean) => number;

export const isChain = (flow: Flow): boolean => flow.edges.length === flow.nodes.length - 1 && flow.edges.every((edge, at) => edge.source === flow.nodes[at]!.id && edge.target === flow.nodes[at + 1]!.id);

/** Keep both ends of a deep graph; what lies between becomes one node that says how many layers it holds. */
export function folded(flow: Flow, language: Language, most = FOLD): { flow: Flow; hidden: number[] } {
  if (flow.nodes.length <= most + 2) return { flow, hidden: [] };
  const half = most / 2;
  const midst = flow.nodes.slice(half + 1, -half);
  const inside = new Set(midst.map((node) => node.id));
  const hidden = midst.map((node) => node.layer).filter((layer) => layer >= 0);
  const more: GraphNode = { id: FOLDED, label: say(words.more, language, { n: new Set(hidden).size }), kind: "folded", layer: -1 };
  const place = (id: string): string => (inside.has(id) ? FOLDED : id);
  const edges = new Map<string, GraphEdge>();
  for (const edge of flow.edges) {
    const [source, target] = [place(edge.source), place(edge.target)];
    if (source !== target && !edges.has(`${source} ${target}`)) edges.set(`${source} ${target}`, { source, target, label: source === FOLDED ? "" : edge.label });
  }
  return { flow: { ...flow, nodes: [...flow.nodes.slice(0, half + 1), more, ...flow.nodes.slice(-half)], edges: [...edges.values()] }, hidden };
}

/** Place a graph in a room of so many pixels. */
export function placed(flow: Flow, hidden: number[], room: Room, width: number): Layout {
  const found = isChain(flow) ? snake(flow, room, width) : inLayers(flow, room, width);
  for (const node of found.nodes) if (node.id === FOLDED) node.hidden = hidden;
  return found;
}

function sized(node: GraphNode, room: Room): Placed {
  const lines = node.label.split("\n");
  const isJoin = node.kind === "join" && node.label.length < 3;
  const width = isJoin ? 26 : Math.max(34, ...lines.map((line, at) => room(line, at === 0))) + 20;
  return { ...node, lines, x: 0, y: 0, width, height: isJoin ? 26 : lines.length * LINE + 12, hidden: [] };
}

/** A chain in lines of text, read like a page. */
function snake(flow: Flow, room: Room, width: number): Layout {
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
    const points: Point[] = isSameRow
      ? [[one.x + one.width / 2, one.y], [other.x - other.width / 2 - 2, other.y]]
      : [[one.x, one.y + one.height / 2], [one.x, (one.y + other.y) / 2], [other.x, (one.y + other.y) / 2], [other.x, other.y - other.height / 2 - 2]];
    return { points, label: edge.label, at: (isSameRow ? [(points[0]![0] + points[1]![0]) / 2, one.y - 5] : [one.x + 16, one.y + one.height / 2 + 13]) as Point };
  });
  const last = nodes.at(-1)!;
  return { nodes, edges, width: Math.max(...nodes.map((node) => node.x + node.width / 2)) + 6, height: last.y + last.height / 2 + 6 };
}

/** From left to right where that fits, else from top to bottom. */
function inLayers(flow: Flow, room: Room, width: number): Layout {
  const flat = layered(flow, room, "LR");
  return flat.width <= WIDE * width ? flat : layered(flow, room, "TB");
}

function layered(flow: Flow, room: Room, direction: "LR" | "TB"): Layout {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  const isFlat = direction === "LR";
  graph.setGraph({ rankdir: direction, nodesep: isFlat ? 20 : 26, ranksep: isFlat ? 26 : 16, edgesep: 12, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  const nodes = flow.nodes.map((node) => sized(node, room));
  for (const node of nodes) graph.setNode(node.id, { width: node.width, height: node.height });
  for (const edge of flow.edges) graph.setEdge(edge.source, edge.target, { width: edge.label ? room(edge.label) + 10 : 0, height: edge.label ? LINE : 0, labelpos: "c" });
  dagre.layout(graph);
  for (const node of nodes) Object.assign(node, { x: graph.node(node.id).x, y: graph.node(node.id).y });
  const edges = flow.edges.map((edge) => {
    const found = graph.edge(edge.source, edge.target) as { points: { x: number; y: number }[]; x?: number; y?: number };
    const points = found.points.map(({ x, y }) => [x, y] as Point);
    const middle = points[points.length >> 1]!;
    return { points, label: edge.label, at: (isFlat ? [found.x ?? middle[0], (found.y ?? middle[1]) - 5] : [(found.x ?? middle[0]) + 6, (found.y ?? middle[1]) + 4]) as Point };
  });
  const size = graph.graph() as { width?: number; height?: number };
  return { nodes, edges, width: size.width ?? 100, height: size.height ?? 100 };
}

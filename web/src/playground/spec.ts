// A session as plain data, in the address and back.
import type { Block, Spec } from "../wire";

const DEFAULT: Block = { kind: "linear", width: 8, name: "tanh", rate: 0.1, shortcut: "identity", blocks: [] };

export const FIRST: Spec = {
  task: "spiral",
  samples: 200,
  noise: 0.1,
  blocks: [linear(8), activation("tanh"), linear(8), activation("tanh")],
  initialisation: "default",
  gain: 1,
  optimizer: "adam",
  learning_rate: 0.02,
  batch_size: 0,
  clip: null,
  seed: 0,
  is_linear: false,
  has_shortcuts: true,
};

export const ACTIVATIONS = ["identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "sine", "step"] as const;
export const TASKS = ["spiral", "circles", "xor", "sine", "parity", "digits", "table"] as const;
export const OPTIMIZERS = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"] as const;
export const STARTS = ["default", "zeros", "normal", "xavier", "he", "orthogonal"] as const;
export const KINDS = ["linear", "activation", "norm", "dropout", "residual", "softmax"] as const;

function linear(width: number): Block {
  return { ...DEFAULT, kind: "linear", width };
}

function activation(name: string): Block {
  return { ...DEFAULT, kind: "activation", name };
}

/** A new block of a kind, ready to be used. */
export function made(kind: Block["kind"]): Block {
  if (kind === "residual") return { ...DEFAULT, kind, blocks: [linear(8), activation("tanh")] };
  return { ...DEFAULT, kind, name: kind === "norm" ? "layer" : "tanh" };
}

/** The session as it stands in the address: only what a block of its kind has. */
export function written(spec: Spec): string {
  const slim = (block: Block): unknown => ({
    kind: block.kind,
    ...(block.kind === "linear" ? { width: block.width } : {}),
    ...(block.kind === "activation" || block.kind === "norm" ? { name: block.name } : {}),
    ...(block.kind === "dropout" ? { rate: block.rate } : {}),
    ...(block.kind === "residual" ? { shortcut: block.shortcut, blocks: block.blocks.map(slim) } : {}),
  });
  const changed = Object.entries(spec).filter(([name, value]) => name === "blocks" || value !== FIRST[name as keyof Spec]);
  return JSON.stringify(Object.fromEntries(changed.map(([name, value]) => [name, name === "blocks" ? spec.blocks.map(slim) : value])));
}

/** The session in an address, `null` where it holds none. The server checks every word of it again. */
export function read(text: string | undefined): Spec | null {
  if (!text) return null;
  try {
    const data = JSON.parse(text) as Partial<Spec>;
    const whole = (block: Partial<Block>): Block => {
      if (!(KINDS as readonly unknown[]).includes(block.kind)) throw new Error("no such block");
      return { ...DEFAULT, ...block, blocks: (block.blocks ?? []).map(whole) };
    };
    if (!Array.isArray(data.blocks) || !(TASKS as readonly unknown[]).includes(data.task ?? FIRST.task)) return null;
    return { ...FIRST, ...data, blocks: data.blocks.map(whole) };
  } catch {
    return null;
  }
}

/** The blocks with one of them changed, found by its place: [3] is the fourth, [3, 0] the first inside it; `null` takes it out. */
export function changed(blocks: readonly Block[], place: readonly number[], change: (block: Block) => Block | null): Block[] {
  const [first, ...rest] = place;
  return blocks.flatMap((block, at) => {
    if (at !== first) return [block];
    if (rest.length) return [{ ...block, blocks: changed(block.blocks, rest, change) }];
    const next = change(block);
    return next ? [next] : [];
  });
}

/** The blocks with one put behind the others of its level; `[]` is the outermost. */
export function added(blocks: readonly Block[], level: readonly number[], block: Block): Block[] {
  return level.length ? changed(blocks, level, (outer) => ({ ...outer, blocks: [...outer.blocks, block] })) : [...blocks, block];
}

/** The block at a place. */
export function blockAt(blocks: readonly Block[], [first, ...rest]: readonly number[]): Block | undefined {
  const found = blocks[first!];
  return rest.length && found ? blockAt(found.blocks, rest) : found;
}

/** How many residual blocks stand within one another. */
const depth = (block: Block): number => (block.kind === "residual" ? 1 + Math.max(0, ...block.blocks.map(depth)) : 0);

/** Whether a block may be put at a place: not into itself, and no deeper than the server takes. */
export function fits(blocks: readonly Block[], from: readonly number[], to: readonly number[], nesting: number): boolean {
  const block = blockAt(blocks, from);
  const isInside = to.length > from.length && from.every((one, at) => to[at] === one);
  return block !== undefined && !isInside && to.length - 1 + depth(block) <= nesting;
}

/** The blocks with one of them put before the place `to`, both places as they were: [2, 0] is before the first within the third. */
export function moved(blocks: readonly Block[], from: readonly number[], to: readonly number[]): Block[] {
  const block = blockAt(blocks, from);
  if (!block) return [...blocks];
  const gap: Block = { ...block }; // stands where it was until it stands where it goes
  const level = to.slice(0, -1);
  const put = (row: readonly Block[]): Block[] => [...row.slice(0, to.at(-1)), block, ...row.slice(to.at(-1))];
  const open = changed(blocks, from, () => gap);
  const placed = level.length ? changed(open, level, (outer) => ({ ...outer, blocks: put(outer.blocks) })) : put(open);
  const without = (row: readonly Block[]): Block[] => row.flatMap((one) => (one === gap ? [] : [one.blocks.length ? { ...one, blocks: without(one.blocks) } : one]));
  return without(placed);
}

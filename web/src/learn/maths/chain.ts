/** A deep network in the browser, with backpropagation written out, to see what each layer does to the gradient on its way back. */
import { activation } from './activations';
import { Random } from './random';

export interface Setting {
  readonly depth: number;
  readonly width: number;
  readonly activation: string;
  /** Standard deviation of a weight times the root of the number of inputs: 1 keeps a linear signal, sqrt(2) is He's. */
  readonly gain: number;
  readonly hasShortcut: boolean;
  readonly hasNorm: boolean;
  /** Longest allowed gradient, null without clipping. */
  readonly clip: number | null;
  readonly seed: number;
}

export interface Profile {
  /** Norm of the gradient that arrives at the output of each layer, first layer first. */
  readonly norms: readonly number[];
  /** What each layer multiplies the gradient's norm by on the way back, first layer first; one fewer than norms. */
  readonly factors: readonly number[];
  /** Norm of the weights' gradients of all layers together, before and after clipping. */
  readonly length: number;
  readonly clipped: number;
}

const EPSILON = 1e-5;

export interface Net {
  readonly setting: Setting;
  /** Row by row, one array for each layer. */
  readonly weights: readonly (readonly number[])[];
  readonly x: readonly number[];
  /** What the gradient at the output is: the loss is its product with the output. */
  readonly probe: readonly number[];
}

export function built(setting: Setting): Net {
  const { depth, width } = setting;
  const random = new Random(setting.seed);
  const scale = setting.gain / Math.sqrt(width);
  const weights = Array.from({ length: depth }, () => Array.from({ length: width * width }, () => scale * random.normal()));
  const x = Array.from({ length: width }, () => random.normal());
  return { setting, weights, x, probe: Array.from({ length: width }, () => random.normal() / Math.sqrt(width)) };
}

interface Kept {
  readonly input: readonly number[];
  /** What the activation saw, after normalisation. */
  readonly sum: readonly number[];
  readonly spread: number;
}

/** Forward through every layer, keeping what the way back needs. */
export function forward(net: Net, x: readonly number[]): { output: readonly number[]; kept: Kept[] } {
  const { width, hasNorm, hasShortcut } = net.setting;
  const phi = activation(net.setting.activation);
  const kept: Kept[] = [];
  let input = x;
  for (const w of net.weights) {
    const z = Array.from({ length: width }, (_, j) => input.reduce((sum, value, k) => sum + value * w[k * width + j]!, 0));
    const { normed, spread } = hasNorm ? normalised(z) : { normed: z, spread: 1 };
    kept.push({ input, sum: normed, spread });
    const before = input;
    input = normed.map((value, j) => phi.f(value) + (hasShortcut ? before[j]! : 0));
  }
  return { output: input, kept };
}

/** The gradient's way back, layer by layer, and the gradient that arrives at the input. */
export function backward(net: Net, kept: readonly Kept[]): { norms: number[]; atInput: readonly number[]; length: number } {
  const { depth, width, hasNorm, hasShortcut } = net.setting;
  const phi = activation(net.setting.activation);
  let delta = net.probe;
  const norms: number[] = new Array<number>(depth);
  let square = 0;
  for (let layer = depth - 1; layer >= 0; layer -= 1) {
    const { input, sum, spread } = kept[layer]!;
    const w = net.weights[layer]!;
    norms[layer] = Math.hypot(...delta);
    const atSum = delta.map((value, j) => value * phi.slope(sum[j]!));
    const atProduct = hasNorm ? throughNorm(atSum, sum, spread) : atSum;
    square += input.reduce((all, value) => all + value * value, 0) * atProduct.reduce((all, value) => all + value * value, 0);
    const straight = delta;
    delta = Array.from({ length: width }, (_, k) => atProduct.reduce((all, value, j) => all + value * w[k * width + j]!, hasShortcut ? straight[k]! : 0));
  }
  return { norms, atInput: delta, length: Math.sqrt(square) };
}

export function profile(setting: Setting): Profile {
  const net = built(setting);
  const { norms, length } = backward(net, forward(net, net.x).kept);
  const factors = norms.slice(0, -1).map((value, layer) => value / norms[layer + 1]!);
  return { norms, factors, length, clipped: setting.clip === null ? length : Math.min(length, setting.clip) };
}

/** Layer normalisation of one vector: mean 0, variance 1. */
function normalised(z: readonly number[]): { normed: number[]; spread: number } {
  const mean = z.reduce((sum, value) => sum + value, 0) / z.length;
  const variance = z.reduce((sum, value) => sum + (value - mean) ** 2, 0) / z.length;
  const spread = Math.sqrt(variance + EPSILON);
  return { normed: z.map((value) => (value - mean) / spread), spread };
}

function throughNorm(delta: readonly number[], normed: readonly number[], spread: number): number[] {
  const n = delta.length;
  const mean = delta.reduce((sum, value) => sum + value, 0) / n;
  const along = delta.reduce((sum, value, j) => sum + value * normed[j]!, 0) / n;
  return delta.map((value, j) => (value - mean - normed[j]! * along) / spread);
}

import { describe, expect, it } from 'vitest';
import { ACTIVATIONS, activation } from '../../src/learn/maths/activations';
import { backward, built, forward, profile, type Setting } from '../../src/learn/maths/chain';
import { compared, numericPasses } from '../../src/learn/maths/counting';
import { accuracy, circles, trained, Dense } from '../../src/learn/maths/dense';
import { distances, fate, growth, walk } from '../../src/learn/maths/descent';
import { affine, collapsed, product, terms, transposed } from '../../src/learn/maths/matrix';
import { Random } from '../../src/learn/maths/random';

describe('activations', () => {
  it.each(ACTIVATIONS.filter((one) => one.name !== 'step'))('$name has the slope that differences measure, and its steepest is the steepest', (one) => {
    let steepest = 0;
    for (let z = -6; z <= 6; z += 0.01) {
      const measured = (one.f(z + 1e-4) - one.f(z - 1e-4)) / 2e-4;
      if (Math.abs(z) > 1e-3) expect(one.slope(z)).toBeCloseTo(measured, 2);
      steepest = Math.max(steepest, one.slope(z));
    }
    expect(steepest).toBeCloseTo(one.steepest, 3);
  });
  it('names what it does not know', () => {
    expect(() => activation('swish')).toThrow(/silu/);
  });
});

describe('matrices', () => {
  const x = [[1, 2, 3]];
  const layers = [
    { w: [[1, 0], [2, 1], [0, -1]], b: [1, 2] },
    { w: [[2, 1, 1], [0, 1, 3]], b: [0, 1, 0] },
  ];
  it('multiplies, and says what an entry is made of', () => {
    expect(affine(x, layers[0]!.w, layers[0]!.b)).toEqual([[6, 1]]);
    expect(terms(x, layers[0]!.w, layers[0]!.b, 0, 0)).toEqual([1, 4, 0, 1]);
    expect(() => product([[1, 2]], [[1]])).toThrow(/cannot meet/);
  });
  it('has the row form of the column form', () => {
    const w = transposed(layers[0]!.w);
    expect(product(w, transposed(x))).toEqual([[5], [-1]]);
  });
  it('collapses layers without activations into one', () => {
    const one = collapsed(layers);
    const both = affine(affine(x, layers[0]!.w, layers[0]!.b), layers[1]!.w, layers[1]!.b);
    expect(affine(x, one.w, one.b)).toEqual(both);
  });
});

describe('descent on two weights', () => {
  const balanced: [number, number] = [0.4, 0.4];
  it.each([
    [0.02, 'crawl', 1],
    [0.4, 'converge', 1],
    [0.95, 'zigzag', 1],
    [1.1, 'cycle', 2],
    [1.26, 'cycle', 4],
    [1.6, 'chaos', null],
    [1.7, 'cycle', 6], // a window of order within chaos
    [2.1, 'escape', null],
  ])('at learning rate %f it ends in %s', (rate, expected, period) => {
    const found = fate(balanced, rate);
    expect(found.fate).toBe(expected);
    expect(found.period).toBe(period);
  });
  it('has the exponent of the 2-cycle that its formula gives', () => {
    // x^2 + y^2 = 1 + 1/a and x y = 1/a on the cycle; the slower direction is (1, -1), stretched by 1 - a + a x^2 in a step
    const a = 1.1;
    const both = (1 - a) ** 2 + (1 - a) * (1 + a) + 1;
    expect(growth(walk(balanced, a, 4000), a)).toBeCloseTo(Math.log(both) / 2, 3);
  });
  it('nears ln 3 where the map is the third Chebyshev polynomial', () => {
    expect(growth(walk(balanced, 1.999, 100000), 1.999)).toBeCloseTo(Math.log(3), 1);
  });
  it('parts twins in chaos and not before', () => {
    const calm = distances(balanced, 0.5, 300, 1e-8);
    const wild = distances(balanced, 1.8, 300, 1e-8);
    expect(calm[calm.length - 1]!).toBeLessThan(1e-7);
    expect(Math.max(...wild)).toBeGreaterThan(1e-2);
  });
});

describe('the chain rule over depth', () => {
  const plain: Setting = { depth: 20, width: 24, activation: 'sigmoid', gain: 1, hasShortcut: false, hasNorm: false, clip: null, seed: 3 };
  const fade = (change: Partial<Setting>): number => {
    const { norms } = profile({ ...plain, ...change });
    return Math.log10(norms[0]! / norms[norms.length - 1]!);
  };
  it('fades with the sigmoid at least as fast as 0.25 per layer allows', () => {
    expect(fade({})).toBeLessThan(19 * Math.log10(0.25 * 2.2)); // a random square matrix of gain 1 stretches by at most about 2
    expect(fade({})).toBeLessThan(-9);
  });
  it('is kept by ReLU with the initialisation of He, by shortcuts and by normalisation', () => {
    expect(Math.abs(fade({ activation: 'relu', gain: Math.SQRT2 }))).toBeLessThan(2);
    expect(fade({ hasShortcut: true })).toBeGreaterThan(-1);
    expect(fade({ hasNorm: true })).toBeGreaterThan(fade({}));
  });
  it('explodes with large weights, and clipping bounds the step but not the profile', () => {
    expect(fade({ activation: 'relu', gain: 3 })).toBeGreaterThan(4);
    const clipped = profile({ ...plain, activation: 'relu', gain: 3, clip: 1 });
    expect(clipped.clipped).toBe(1);
    expect(clipped.length).toBeGreaterThan(1);
  });
  it('multiplies its factors to the whole', () => {
    const { norms, factors } = profile(plain);
    expect(factors.reduce((all, one) => all * one, norms[norms.length - 1]!) / norms[0]!).toBeCloseTo(1, 9);
  });
  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('brings to the input the gradient that differences measure; shortcut %s, normalisation %s', (hasShortcut, hasNorm) => {
    const net = built({ ...plain, depth: 4, width: 6, activation: 'tanh', hasShortcut, hasNorm });
    const { atInput } = backward(net, forward(net, net.x).kept);
    const loss = (x: readonly number[]): number => forward(net, x).output.reduce((sum, value, j) => sum + value * net.probe[j]!, 0);
    net.x.forEach((_, k) => {
      const moved = (by: number): number[] => net.x.map((value, i) => (i === k ? value + by : value));
      expect(atInput[k]!).toBeCloseTo((loss(moved(1e-5)) - loss(moved(-1e-5))) / 2e-5, 7);
    });
  });
});

describe('counting passes', () => {
  it.each([true, false])('counts what it really did, central: %s', (isCentral) => {
    let now = 0;
    const found = compared(100, isCentral, () => (now += 5));
    expect(found.numeric).toEqual(numericPasses(found.weights, isCentral));
    expect(found.backprop).toEqual({ forward: 1, backward: 1 });
    expect(found.difference).toBeLessThan(isCentral ? 1e-7 : 1e-5);
  });
});

describe('random numbers', () => {
  it('are the same for the same seed and nearly normal', () => {
    expect(new Random(5).normal()).toBe(new Random(5).normal());
    const random = new Random(1);
    const drawn = Array.from({ length: 20000 }, () => random.normal());
    const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(drawn.reduce((sum, value) => sum + value * value, 0) / drawn.length).toBeCloseTo(1, 1);
  });
});

describe('a network trained here', () => {
  const examples = circles(60, 1);
  it('bends its border with activations, and is one matrix without', () => {
    const bent = trained([2, 6, 6, 1], 'tanh', examples, 200, 2);
    const straight = trained([2, 6, 6, 1], 'identity', examples, 200, 2);
    expect(accuracy(bent, examples)).toBeGreaterThan(0.95);
    expect(accuracy(straight, examples)).toBeLessThan(0.8);
    const { w, b } = straight.matrix();
    const logit = 0.3 * w[0]![0]! - 0.7 * w[1]![0]! + b[0]!;
    expect(straight.forward([0.3, -0.7]).at(-1)![0]!).toBeCloseTo(logit, 9);
  });
  it('goes down the gradient that differences measure', () => {
    const net = new Dense([2, 4, 1], 'tanh', 5);
    const loss = (): number => examples.reduce((sum, { x, label }) => sum - Math.log(label ? net.says(x) : 1 - net.says(x)), 0) / examples.length;
    const before = net.layers[0]!.w[1]![2]!;
    net.layers[0]!.w[1]![2] = before + 1e-5;
    const up = loss();
    net.layers[0]!.w[1]![2] = before - 1e-5;
    const slope = (up - loss()) / 2e-5;
    net.layers[0]!.w[1]![2] = before;
    net.step(examples, 1, 0);
    expect(before - net.layers[0]!.w[1]![2]!).toBeCloseTo(slope, 7);
  });
});

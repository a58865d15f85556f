import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../src-shared/model/run-config';
import type { Slot, TensorKind } from '../../src-shared/protocol/messages';
import { openEngine } from '../engine';
import type { Engine } from '../engine/engine';
import { TINY_RECIPE, tinyDataset } from '../testing/tiny-run';
import { Session } from '../training/session';
import { DigitProbe } from './digit';
import { normalisation } from '../data/dataset';
import { planSlots, SAID } from './layout';
import type { DigitWants } from './publisher';

let engine: Engine;
beforeAll(async () => {
  ({ engine } = await openEngine('cpu'));
  return () => {
    engine.dispose();
  };
});

const ERRORS = { errors: true, saliencies: new Set<string>() };
const NOTHING_MORE = { errors: false, saliencies: new Set<string>() };

const dataset = tinyDataset();
let session: Session;
let digit: DigitProbe;
let now: number;
/** What each look at the clock takes: a pass is between two of them. */
let passMs: number;

beforeEach(() => {
  const config = { ...DEFAULT_RUN_CONFIG, epochs: 100 };
  session = new Session({ engine, dataset, recipe: TINY_RECIPE, config });
  now = 0;
  passMs = 0;
  const clock = (): number => (now += passMs);
  const { network } = session;
  const step = (): number => session.step;
  digit = new DigitProbe({
    network,
    dataset,
    input: TINY_RECIPE.input,
    choice: { testIndex: 3 },
    step,
    now: clock,
  });
  return () => {
    digit.dispose();
    session.dispose();
  };
});

const slot = (name: string, kind: TensorKind): Slot =>
  planSlots(session.plan, [{ name, kind, maxValues: 10_000 }])[0]!;
const read = (name: string, kind: TensorKind): number[] => [...digit.read(slot(name, kind))];

function train(): void {
  session.beginStep();
  session.zeroGradients();
  for (const layer of session.plan.layers) session.forward(layer);
  session.loss();
  for (const layer of session.plan.layers.toReversed()) session.backward(layer);
  session.update();
  session.finishStep();
}

describe('the chosen digit', () => {
  it('goes through the network as it is, dropout off: dL/dz of the logits is softmax - one-hot', () => {
    digit.update(ERRORS, true);
    const probabilities = read('output', 'digitProbabilities');
    expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
    const label = dataset.test.labels[3]!;
    read('fc1', 'digitError').forEach((error, i) => {
      expect(error).toBeCloseTo(probabilities[i]! - (i === label ? 1 : 0), 5);
    });
    expect(read('dropout2', 'digitOutput')).toEqual(read('flatten', 'digitOutput'));
    expect(read('input', 'digitOutput')).toHaveLength(64);
  });

  it('is computed anew when weights or digit are others, and not otherwise', () => {
    digit.update(NOTHING_MORE, true);
    expect(digit.stale(NOTHING_MORE)).toBe(false);
    expect(digit.stale(ERRORS)).toBe(true);
    const before = read('fc1', 'digitOutput');
    session.setWeight('fc1.bias', 0, 5);
    digit.weightsChanged();
    expect(digit.stale(NOTHING_MORE)).toBe(true);
    digit.update(NOTHING_MORE, true);
    expect(read('fc1', 'digitOutput')).not.toEqual(before);
    digit.choose({ testIndex: 4 });
    expect(digit.stale(NOTHING_MORE)).toBe(true);
  });

  it('keeps what it had when there is no image of that number', () => {
    expect(() => {
      digit.choose({ testIndex: 13 });
    }).toThrow(expect.objectContaining({ code: 'unknown-image' }));
    expect(digit.chosen.testIndex).toBe(3);
  });

  it('does not disturb the minibatch under way', () => {
    session.beginStep();
    session.zeroGradients();
    for (const layer of session.plan.layers) session.forward(layer);
    const before = session.readLayer('fc1', 'activation').values;
    digit.update(ERRORS, true);
    expect(session.readLayer('fc1', 'activation').values).toEqual(before);
    expect([...session.mirror('fc1.weight').gradient.values].every((value) => value === 0)).toBe(true);
  });
});

describe('the saliency of the chosen digit', () => {
  const wants = (...names: string[]): DigitWants => ({ errors: false, saliencies: new Set(names) });
  const scoreOf = (pixels: Uint8Array, at: number, ink: number, ofClass: number): number => {
    const { network, plan } = session;
    const table = normalisation(TINY_RECIPE.input);
    const image = Float32Array.from(pixels, (byte) => table[byte]!);
    image[at] = (ink - TINY_RECIPE.input.mean) / TINY_RECIPE.input.deviation;
    const pass = network.createPass();
    pass.load(image, Uint8Array.of(0), 1);
    for (const layer of plan.layers) pass.forward(layer, { mask: () => null });
    const logits = new Float32Array(plan.classes);
    pass.readOutput(plan.layers.at(-1) ?? session.plan.layers[0]!, logits);
    pass.dispose();
    return logits[ofClass]!;
  };

  it('is the slope of the score as the ink of a pixel changes, for every class and pixel', () => {
    const { pixels } = digit.chosen;
    digit.update(wants('0', '6'), true);
    for (const ofClass of [0, 6]) {
      const saliency = read(String(ofClass), 'digitSaliency');
      expect(saliency).toHaveLength(64);
      expect(saliency.some((value) => Math.abs(value) > 0.01)).toBe(true);
      saliency.forEach((value, at) => {
        // No kink of max-pool or ReLU lies within so small a change of this network and image.
        const ink = pixels[at]! / 255;
        const h = 2 ** -8;
        const slope =
          (scoreOf(pixels, at, ink + h, ofClass) - scoreOf(pixels, at, ink - h, ofClass)) / (2 * h);
        expect(Math.abs(value - slope)).toBeLessThan(5e-4);
      });
    }
  });

  it('of what the network says is that of the most probable class', () => {
    for (let unit = 0; unit < 10; unit += 1) session.setWeight('fc1.bias', unit, unit === 4 ? 50 : 0);
    digit.weightsChanged();
    digit.update(wants(SAID, '4', '5'), true);
    expect(read(SAID, 'digitSaliency')).toEqual(read('4', 'digitSaliency'));
    expect(read(SAID, 'digitSaliency')).not.toEqual(read('5', 'digitSaliency'));
  });

  it('leaves errors, outputs and probabilities as they are without it', () => {
    digit.update(ERRORS, true);
    const layers = ['conv1', 'pool1', 'fc1'];
    const all = (): number[][] => [
      ...layers.map((name) => read(name, 'digitError')),
      ...layers.map((name) => read(name, 'digitOutput')),
      read('output', 'digitProbabilities'),
    ];
    const before = all();
    digit.update({ errors: true, saliencies: new Set(['2', SAID]) }, true);
    expect(all()).toEqual(before);
  });

  it('is computed when it is wanted and not known, and for another digit anew', () => {
    digit.update(ERRORS, true);
    expect(digit.stale(wants('3'))).toBe(true);
    digit.update(wants('3'), false);
    expect(digit.stale(wants('3'))).toBe(false);
    expect(digit.stale(wants('3', '4'))).toBe(true);
    const before = read('3', 'digitSaliency');
    digit.choose({ testIndex: 7 });
    digit.update(wants('3'), false);
    expect(read('3', 'digitSaliency')).not.toEqual(before);
  });

  it('exists for classes of the network only', () => {
    const items = ['0', '9', SAID, '10', '03', '-1', 'conv1', ''].map((name) => ({
      name,
      kind: 'digitSaliency' as const,
      maxValues: 1000,
    }));
    expect(planSlots(session.plan, items).map(({ name }) => name)).toEqual(['0', '9', SAID]);
  });
});

describe('a digit drawn by hand', () => {
  const pixels = Uint8Array.from({ length: 64 }, (_, at) => (at % 8 === 3 ? 255 : 0));

  const labelOf = (errors: number[], probabilities: number[]): number =>
    errors.findIndex((error, i) => Math.abs(error - probabilities[i]! + 1) < 1e-5);

  it('goes through the network as a test image with the same pixels does', () => {
    const chosen = { testIndex: 4 };
    digit.choose(chosen);
    digit.update(ERRORS, true);
    const original = read('fc1', 'digitOutput');
    const { pixels: same } = digit.chosen;
    digit.choose({ pixels: same, assumedLabel: null });
    digit.update(ERRORS, true);
    expect(read('fc1', 'digitOutput')).toEqual(original);
    expect(digit.chosen).toEqual({ testIndex: null, label: null, assumedLabel: null, pixels: same });
  });

  it('has the error of the class that the network says, also when that changes', () => {
    digit.choose({ pixels, assumedLabel: null });
    for (const loud of [7, 2, 2, 9]) {
      for (let unit = 0; unit < 10; unit += 1) session.setWeight('fc1.bias', unit, unit === loud ? 50 : 0);
      digit.weightsChanged();
      digit.update(ERRORS, true);
      const probabilities = read('output', 'digitProbabilities');
      expect(probabilities.indexOf(Math.max(...probabilities))).toBe(loud);
      expect(labelOf(read('fc1', 'digitError'), probabilities)).toBe(loud);
    }
  });

  it('has the error of the class that was asked for', () => {
    digit.choose({ pixels, assumedLabel: 6 });
    digit.update(ERRORS, true);
    expect(labelOf(read('fc1', 'digitError'), read('output', 'digitProbabilities'))).toBe(6);
  });

  it('is refused in another size or for a class that there is not, and the one before stays', () => {
    const refused = (bad: Uint8Array, assumedLabel: number | null): unknown => {
      try {
        digit.choose({ pixels: bad, assumedLabel });
      } catch (error) {
        return error;
      }
      return null;
    };
    expect(refused(new Uint8Array(784), null)).toMatchObject({
      code: 'bad-image',
      message: 'The drawing: expected 64 bytes (8 x 8 pixels), found 784.',
    });
    expect(refused(pixels, 10)).toMatchObject({ code: 'bad-image' });
    expect(digit.chosen.testIndex).toBe(3);
  });

  it('is looked at without a bit of the weights, gradients or masks of training changing', () => {
    const free = new Session({ engine, dataset, recipe: TINY_RECIPE, config: DEFAULT_RUN_CONFIG });
    const step = (of: Session, look: () => void): void => {
      of.beginStep();
      of.zeroGradients();
      for (const layer of of.plan.layers) {
        of.forward(layer);
        look();
      }
      of.loss();
      for (const layer of of.plan.layers.toReversed()) {
        look();
        of.backward(layer);
      }
      of.update();
      of.finishStep();
    };
    let drawn = 0;
    for (let k = 0; k < 3; k += 1) {
      step(free, () => undefined);
      step(session, () => {
        digit.choose({ pixels: pixels.map((byte, at) => (at === drawn ? 99 : byte)), assumedLabel: null });
        digit.update(ERRORS, true);
        drawn += 1;
      });
    }
    expect(session.weightsSha256()).toBe(free.weightsSha256());
    free.dispose();
  });
});

describe('while training runs', () => {
  it('takes a few hundredths of the time and is old in between', () => {
    passMs = 5;
    let passes = 0;
    const begin = now;
    for (let i = 0; i < 300; i += 1) {
      train();
      now += 5;
      const before = digit.step;
      digit.update(ERRORS, false);
      if (digit.step !== before) passes += 1;
    }
    const share = (passes * passMs) / (now - begin);
    expect(share).toBeLessThan(0.04);
    expect(passes).toBeGreaterThan(5);
    expect(digit.step).toBeLessThan(session.step);
    digit.update(ERRORS, true);
    expect(digit.step).toBe(session.step);
  });

  it('shows a digit that was just chosen at once', () => {
    passMs = 5;
    digit.update(NOTHING_MORE, false);
    digit.choose({ testIndex: 5 });
    const { step } = session;
    train();
    digit.update(NOTHING_MORE, false);
    expect([digit.step, digit.stale(NOTHING_MORE)]).toEqual([step + 1, false]);
  });
});

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../src-shared/model/run-config';
import type { Slot, TensorKind } from '../../src-shared/protocol/messages';
import { openEngine } from '../engine';
import type { Engine } from '../engine/engine';
import { TINY_RECIPE, tinyDataset } from '../testing/tiny-run';
import { Session } from '../training/session';
import { DigitProbe } from './digit';
import { planSlots } from './layout';

let engine: Engine;
beforeAll(async () => {
  ({ engine } = await openEngine('cpu'));
  return () => {
    engine.dispose();
  };
});

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
  digit = new DigitProbe({ network, dataset, input: TINY_RECIPE.input, testIndex: 3, step, now: clock });
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
    digit.update(true, true);
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
    digit.update(false, true);
    expect(digit.stale(false)).toBe(false);
    expect(digit.stale(true)).toBe(true);
    const before = read('fc1', 'digitOutput');
    session.setWeight('fc1.bias', 0, 5);
    digit.weightsChanged();
    expect(digit.stale(false)).toBe(true);
    digit.update(false, true);
    expect(read('fc1', 'digitOutput')).not.toEqual(before);
    digit.choose(4);
    expect(digit.stale(false)).toBe(true);
  });

  it('keeps what it had when there is no image of that number', () => {
    expect(() => {
      digit.choose(13);
    }).toThrow(expect.objectContaining({ code: 'unknown-image' }));
    expect(digit.chosen.testIndex).toBe(3);
  });

  it('does not disturb the minibatch under way', () => {
    session.beginStep();
    session.zeroGradients();
    for (const layer of session.plan.layers) session.forward(layer);
    const before = session.readLayer('fc1', 'activation').values;
    digit.update(true, true);
    expect(session.readLayer('fc1', 'activation').values).toEqual(before);
    expect([...session.mirror('fc1.weight').gradient.values].every((value) => value === 0)).toBe(true);
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
      digit.update(true, false);
      if (digit.step !== before) passes += 1;
    }
    const share = (passes * passMs) / (now - begin);
    expect(share).toBeLessThan(0.04);
    expect(passes).toBeGreaterThan(5);
    expect(digit.step).toBeLessThan(session.step);
    digit.update(true, true);
    expect(digit.step).toBe(session.step);
  });

  it('shows a digit that was just chosen at once', () => {
    passMs = 5;
    digit.update(false, false);
    digit.choose(5);
    const { step } = session;
    train();
    digit.update(false, false);
    expect([digit.step, digit.stale(false)]).toEqual([step + 1, false]);
  });
});

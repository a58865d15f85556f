import { expect, it, vi } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../src-shared/model/run-config';
import { openEngine } from '../engine';
import { TINY_RECIPE, tinyDataset } from '../testing/tiny-run';
import { FitLoop } from './fit-loop';
import { FitTime } from './fit-time';
import { type Gate, StepAbandoned } from './loop';
import { Session } from './session';

function bench(): { time: FitTime; pass: (ms: number) => void } {
  let now = 100;
  return { time: new FitTime(() => now), pass: (ms) => (now += ms) };
}

it('is the difference between the whole and the operations, with what is done aside in neither', () => {
  const { time, pass } = bench();
  expect(time.mean).toBeNull();
  pass(50);
  time.began();
  pass(1);
  time.work(() => {
    pass(10);
  });
  pass(2);
  time.aside(() => {
    pass(5000);
  });
  pass(4);
  time.finished();
  expect(time.mean).toEqual({ ownMs: 7, stepMs: 17 });
  pass(70);
  time.finished();
  expect(time.mean).toEqual({ ownMs: 7, stepMs: 17 });
});

it('is the mean of the last steps, and leaves out those that were given up', () => {
  const { time, pass } = bench();
  const step = (ownMs: number, workMs: number): void => {
    time.began();
    pass(ownMs);
    time.work(() => {
      pass(workMs);
    });
    time.finished();
  };
  step(2, 8);
  time.began();
  const fails = (): never => {
    pass(1000);
    throw new StepAbandoned();
  };
  expect(() => time.aside(fails)).toThrow(StepAbandoned);
  step(12, 8);
  expect(time.mean).toEqual({ ownMs: 3, stepMs: 11 });
});

/** The real fit() over a clock that only moves where it is told to. */
async function fitted(costs: { operations: number; gates: number; wrapping: number }): Promise<FitTime> {
  const { time, pass } = bench();
  const { engine } = await openEngine('cpu');
  const session = new Session({
    engine,
    dataset: tinyDataset(),
    recipe: TINY_RECIPE,
    config: DEFAULT_RUN_CONFIG,
  });
  const { tensors } = session.pass;
  const input = tensors.input.bind(tensors);
  const forward = session.forward.bind(session);
  const update = session.update.bind(session);
  vi.spyOn(tensors, 'input').mockImplementation(() => {
    pass(costs.wrapping);
    return input();
  });
  vi.spyOn(session, 'forward').mockImplementation((layer) => {
    pass(costs.operations);
    forward(layer);
  });
  vi.spyOn(session, 'update').mockImplementation(() => {
    pass(costs.operations);
    update();
  });
  let abandoned = false;
  const gate: Gate = {
    beforeStep: () => {
      pass(costs.gates);
      return session.step < 3 ? 'go' : 'leave';
    },
    reached: ({ phase }) => {
      pass(costs.gates);
      if (phase !== 'loss' || session.step !== 1 || abandoned) return;
      abandoned = true;
      throw new StepAbandoned();
    },
  };
  const loop = new FitLoop(session, gate, () => undefined, time);
  while (session.step < 3) await loop.run();
  expect(abandoned).toBe(true);
  session.dispose();
  engine.dispose();
  return time;
}

// Catches: an operation of the engine counted as fit()'s, a gate at which training stood counted at all, or a step left out.
it('gives of the real fit() what its layers cost, and nothing of the operations and gates', async () => {
  const operations = TINY_RECIPE.network.layers.length + 1;
  expect((await fitted({ operations: 8, gates: 0, wrapping: 0 })).mean).toEqual({
    ownMs: 0,
    stepMs: 8 * operations,
  });
  expect((await fitted({ operations: 0, gates: 1000, wrapping: 0 })).mean).toEqual({ ownMs: 0, stepMs: 0 });
  // fit() takes the images twice: as its data, and to look whether they reached the first layer.
  expect((await fitted({ operations: 8, gates: 1000, wrapping: 2 })).mean).toEqual({
    ownMs: 4,
    stepMs: 4 + 8 * operations,
  });
});

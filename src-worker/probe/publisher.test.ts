import { beforeEach, describe, expect, it } from 'vitest';
import { planNetwork } from '../../src-shared/model/network';
import { recipeNamed } from '../../src-shared/model/recipe';
import type { Phase } from '../../src-shared/model/phases';
import type { FrameHead, Layout, WatchItem } from '../../src-shared/protocol/messages';
import type { Mirror, SessionView, TensorCopy } from '../training/session';
import { type DigitView, Publisher } from './publisher';

const plan = planNetwork(recipeNamed('pytorch-paper').network);
const WEIGHT: WatchItem = { name: 'conv1.weight', kind: 'weight', maxValues: 250 };
const PROBABILITIES: WatchItem = { name: 'output', kind: 'digitProbabilities', maxValues: 10 };
const ERROR: WatchItem = { name: 'fc2', kind: 'digitError', maxValues: 10 };

/** A run whose every value is the step it is of. */
class Run implements SessionView {
  plan = plan;
  readonly epoch = 1;
  readonly stepInEpoch = 0;
  readonly stepsPerEpoch = 938;
  readonly minibatch = null;
  readonly inStep = false;
  step = 0;
  phase: Phase | null = null;

  readExample(): null {
    return null;
  }

  mirror(name: string): Mirror {
    const size = plan.parameters.find((parameter) => parameter.name === name)?.size ?? 0;
    const values = new Float32Array(size).fill(this.step);
    const copy: TensorCopy = { values, freshness: 'fresh', step: this.step, phase: this.phase };
    return { weight: copy, gradient: copy, update: copy };
  }
}

class Digit implements DigitView {
  step: number | null = null;
  passes = 0;
  private readonly run: Run;

  constructor(run: Run) {
    this.run = run;
  }

  stale(): boolean {
    return this.step !== this.run.step;
  }

  /** Has time only when training stands. */
  update(_wants: unknown, exact: boolean): void {
    if (!exact || !this.stale()) return;
    this.step = this.run.step;
    this.passes += 1;
  }

  read(): Float32Array {
    return new Float32Array(10).fill(this.step ?? 0);
  }
}

const PAGE = 1;
let run: Run;
let digit: Digit;
let publisher: Publisher;
let frames: { client: number; head: FrameHead; payload: Float32Array }[];
let layouts: Layout[];
let msPerStep: number;

beforeEach(() => {
  run = new Run();
  digit = new Digit(run);
  frames = [];
  layouts = [];
  msPerStep = 20;
  publisher = new Publisher(
    {
      layout: (_client, layout) => layouts.push(layout),
      frame: (client, head, payload) => frames.push({ client, head, payload }),
    },
    // Steps that take longer than a picture has to wait for the next.
    () => 1000 + msPerStep * run.step,
  );
  publisher.connect(PAGE);
  publisher.setSource({
    runId: 7,
    session: run,
    digit,
    get place() {
      return { phase: run.phase, layer: null };
    },
  });
});

function train(steps: number): void {
  for (let i = 0; i < steps; i += 1) {
    run.step += 1;
    run.phase = 'step';
    publisher.changed();
    publisher.publish('applied');
  }
}

function stand(): void {
  publisher.stood();
  publisher.publish('stands');
}

describe('credits', () => {
  it('takes no picture without one, and counts what was left out', () => {
    publisher.watch(PAGE, [WEIGHT]);
    train(5);
    expect(frames).toEqual([]);
    publisher.credit(PAGE, 2);
    train(1);
    // The picture of before the first step and five of steps were never taken.
    expect(frames.map(({ head }) => [head.step, head.skipped])).toEqual([[6, 6]]);
  });

  // Catches: a client that draws nothing, gives credit at once, and has a picture taken of every step.
  it('takes no more pictures while training runs than anybody sees, and the last one when it stands', () => {
    msPerStep = 3;
    publisher.watch(PAGE, [WEIGHT]);
    for (let step = 1; step <= 11; step += 1) {
      publisher.credit(PAGE, 2);
      train(1);
    }
    expect(frames.map(({ head }) => head.step)).toEqual([1, 4, 7, 10]);
    stand();
    expect(frames.at(-1)?.head.step).toBe(11);
  });

  // Catches: frames that are larger than a message may be, or fill the memory before their client is sent away.
  it('takes no picture of more than a frame holds', () => {
    run.plan = planNetwork({
      input: [1, 28, 28],
      layers: [
        { kind: 'flatten', name: 'flatten' },
        { kind: 'dense', name: 'fc', units: 6000 },
        { kind: 'dense', name: 'out', units: 10 },
      ],
      loss: 'softmaxCrossEntropy',
    });
    publisher.watch(PAGE, [{ name: 'fc.weight', kind: 'weight', maxValues: 1e9 }]);
    publisher.credit(PAGE, 2);
    train(1);
    expect(layouts.at(-1)?.slots[0]?.length).toBe(28 * 28 * 6000);
    expect(frames).toEqual([]);
  });

  it('lets at most two pictures be under way to a page that never gives credits back', () => {
    publisher.watch(PAGE, [WEIGHT]);
    publisher.credit(PAGE, 2);
    train(1000);
    expect(frames).toHaveLength(2);
    publisher.credit(PAGE, 1);
    publisher.publish('applied');
    expect(frames.map(({ head }) => [head.step, head.skipped])).toEqual([
      [1, 1],
      [2, 0],
      [1000, 997],
    ]);
  });

  // Catches: a page that calls its pictures late, as those of a test were of the step before it.
  it('tells when a step was applied of pictures of that moment only', () => {
    publisher.watch(PAGE, [WEIGHT]);
    publisher.credit(PAGE, 1);
    train(2);
    publisher.credit(PAGE, 1);
    publisher.publish('pause');
    publisher.credit(PAGE, 1);
    run.step += 1;
    publisher.changed();
    publisher.publish('stands');
    expect(frames.map(({ head }) => [head.step, head.appliedAtMs])).toEqual([
      [1, 1020],
      [2, null],
      [3, null],
    ]);
  });

  it('cannot be saved up', () => {
    publisher.watch(PAGE, [WEIGHT]);
    for (let i = 0; i < 10; i += 1) publisher.credit(PAGE, 2);
    train(10);
    expect(frames).toHaveLength(2);
  });

  it('sends nothing twice: a credit that comes back waits for the next change', () => {
    publisher.watch(PAGE, [WEIGHT]);
    publisher.credit(PAGE, 2);
    train(1);
    publisher.credit(PAGE, 1);
    publisher.publish('applied');
    expect(frames).toHaveLength(1);
  });

  it('gives back the credit of a frame that the transport did not take', () => {
    publisher.watch(PAGE, [WEIGHT]);
    publisher.credit(PAGE, 1);
    train(1);
    publisher.frameDropped(PAGE);
    expect(publisher.hasDrawn(PAGE)).toBe(true);
    train(1);
    expect(frames.map(({ head }) => head.skipped)).toEqual([1, 1]);
  });
});

describe('a page that steps', () => {
  beforeEach(() => {
    publisher.watch(PAGE, [WEIGHT]);
    publisher.credit(PAGE, 2);
    train(1);
  });

  it('is waited for until it has drawn', () => {
    expect(publisher.hasDrawn(PAGE)).toBe(false);
    publisher.credit(PAGE, 1);
    expect(publisher.hasDrawn(PAGE)).toBe(true);
  });

  it('is not waited for while it is hidden, or when it has gone', () => {
    publisher.setVisible(PAGE, false);
    expect(publisher.hasDrawn(PAGE)).toBe(true);
    publisher.setVisible(PAGE, true);
    expect(publisher.hasDrawn(PAGE)).toBe(false);
    publisher.disconnect(PAGE);
    expect(publisher.hasDrawn(PAGE)).toBe(true);
  });
});

describe('a frame', () => {
  it('carries the values of one step, their run, layout and clock', () => {
    publisher.watch(PAGE, [WEIGHT, { ...WEIGHT, kind: 'gradient' }]);
    publisher.credit(PAGE, 2);
    train(3);
    const { head, payload } = frames[1]!;
    expect(head).toMatchObject({ runId: 7, layoutId: 1, step: 2, phase: 'step', appliedAtMs: 1040 });
    expect(payload).toEqual(new Float32Array(500).fill(2));
    expect(payload.byteLength).toBe(2000);
    expect(head.slots[1]).toEqual({ freshness: 'fresh', step: 2, phase: 'step', nan: 0, infinite: 0 });
  });

  it('is in the newest layout, with an id that never comes back', () => {
    publisher.credit(PAGE, 2);
    publisher.watch(PAGE, [WEIGHT]);
    publisher.watch(PAGE, [WEIGHT, PROBABILITIES]);
    stand();
    publisher.setSource({ runId: 8, session: run, digit, place: { phase: null, layer: null } });
    stand();
    expect(layouts.map(({ layoutId, slots }) => [layoutId, slots.length])).toEqual([
      [1, 1],
      [2, 2],
      [3, 2],
    ]);
    expect(frames.map(({ head }) => [head.runId, head.layoutId])).toEqual([
      [7, 2],
      [8, 3],
    ]);
  });

  it('is not sent to a page that looks at nothing', () => {
    publisher.credit(PAGE, 2);
    train(3);
    publisher.watch(PAGE, [WEIGHT]);
    publisher.watch(PAGE, []);
    train(3);
    expect(frames).toEqual([]);
  });

  it('goes to each page by its own layout and credits', () => {
    publisher.connect(2);
    publisher.watch(PAGE, [WEIGHT]);
    publisher.watch(2, [PROBABILITIES]);
    publisher.credit(PAGE, 1);
    publisher.credit(2, 2);
    train(3);
    expect(frames.map(({ client, payload }) => [client, payload.length])).toEqual([
      [PAGE, 250],
      [2, 10],
      [2, 10],
    ]);
  });
});

describe('when training stands', () => {
  it('shows every place it stands at once', () => {
    publisher.watch(PAGE, [WEIGHT]);
    publisher.credit(PAGE, 2);
    train(1);
    publisher.credit(PAGE, 1);
    stand();
    stand();
    publisher.credit(PAGE, 1);
    run.phase = 'zeroGrad';
    stand();
    expect(frames.map(({ head }) => head.phase)).toEqual(['step', 'zeroGrad']);
  });

  it('owes the last picture to a page without credit and sends it when one comes', () => {
    publisher.watch(PAGE, [WEIGHT]);
    publisher.credit(PAGE, 2);
    train(9);
    stand();
    expect(frames.at(-1)?.head.step).toBe(2);
    publisher.credit(PAGE, 1);
    publisher.publish('stands');
    expect(frames.at(-1)?.head.step).toBe(9);
  });

  it('makes the digit exact, though training had no time for it', () => {
    publisher.watch(PAGE, [PROBABILITIES, ERROR]);
    publisher.credit(PAGE, 2);
    stand();
    publisher.credit(PAGE, 1);
    train(1);
    publisher.credit(PAGE, 1);
    expect(frames[1]!.head.slots[0]).toMatchObject({ freshness: 'old', step: 0 });
    stand();
    expect(frames[2]!.head.slots[0]).toMatchObject({ freshness: 'fresh', step: 1 });
    expect(frames[2]!.payload[0]).toBe(1);
  });

  it('computes nothing of a digit that nobody looks at or has credit for', () => {
    publisher.watch(PAGE, [WEIGHT]);
    publisher.credit(PAGE, 2);
    stand();
    publisher.watch(PAGE, [PROBABILITIES]);
    train(3);
    stand();
    expect(digit.passes).toBe(0);
    publisher.credit(PAGE, 1);
    publisher.publish('stands');
    expect(digit.passes).toBe(1);
  });
});

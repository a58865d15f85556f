import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG, type Mode } from '../../src-shared/model/run-config';
import { REQUESTS, type RequestResult } from '../../src-shared/protocol/messages';
import type { Engine } from '../engine/engine';
import { request, runScript } from '../testing/scripted-trainer';
import { type SmallMnist, smallMnist } from '../testing/small-mnist';
import { TINY_RECIPE, tinyDataset } from '../testing/tiny-run';
import { openEngine } from '../engine';
import { FitLoop } from './fit-loop';
import { ImperativeLoop } from './imperative-loop';
import type { Gate } from './loop';
import { Session } from './session';
import { SHARES } from './step-effect';
import { StepEffects } from './step-effects';
import type { Failure, ThreadCommand, ThreadMessage, ThreadReply } from './thread-messages';
import type { Answered } from './requests';

let mnist: SmallMnist;
beforeAll(() => {
  mnist = smallMnist(16, 10);
});
afterAll(() => {
  mnist.remove();
});

const LOOPS = { imperative: ImperativeLoop, fit: FitLoop };

const CONFIG = {
  ...DEFAULT_RUN_CONFIG,
  // A minibatch of three, and one of two.
  order: [
    [0, 1, 2],
    [3, 4],
  ],
};
const begin = (mode: Mode, engine: 'cpu' | 'wasm'): ThreadCommand =>
  request('restart', { config: { ...CONFIG, mode, engine }, weightsFile: null });
const measure = (): ThreadCommand => request('measureStep');
const run = (...commands: ThreadCommand[]): Promise<ThreadMessage[]> => runScript(mnist.folder, commands);

const replyTo = (said: readonly ThreadMessage[], asked: ThreadCommand): ThreadReply | undefined =>
  said.find(
    (message): message is ThreadReply =>
      message.type === 'reply' && asked.type === 'request' && message.id === asked.id,
  );
const effectOf = (reply: ThreadReply | undefined): RequestResult<'measureStep'> =>
  REQUESTS.measureStep[1].parse(reply?.result);
const lossesOf = (said: readonly ThreadMessage[]): number[] =>
  said.flatMap((message) => (message.type === 'metrics' ? [message.rows[0]!] : []));
const shaOf = (said: readonly ThreadMessage[]): unknown =>
  said.findLast((message) => message.type === 'status')?.weightsSha256;

describe.each<[Mode, 'cpu' | 'wasm']>([
  ['imperative', 'cpu'],
  ['imperative', 'wasm'],
  ['fit', 'cpu'],
  ['fit', 'wasm'],
])('asked in the %s loop on %s what the step did', (mode, engine) => {
  it('answers from wherever training stands, and goes on to the weights of an undisturbed run', async () => {
    const free = await run(begin(mode, engine), request('stepBatch'), request('stepBatch'));
    const first = measure();
    const inside = measure();
    const second = measure();
    const said = await run(
      begin(mode, engine),
      request('stepBatch'),
      first,
      request('stepLayer'),
      request('stepLayer'),
      inside,
      request('stepBatch'),
      second,
    );
    const effects = [first, inside, second].map((asked) => effectOf(replyTo(said, asked)));
    expect(effects.map(({ step, examples }) => [step, examples])).toEqual([
      [1, 3],
      [1, 3],
      [2, 2],
    ]);
    expect(effects[1]).toEqual(effects[0]);
    for (const [at, effect] of [effects[0], effects[2]].entries()) {
      expect(effect?.points.slice(0, SHARES.length).map(({ share }) => share)).toEqual(SHARES);
      const before = effect?.points.find(({ share }) => share === 0)?.loss;
      expect(Math.fround(Number(before))).toBe(lossesOf(said)[at]);
      expect(effect?.slopes.map(({ layer }) => layer)).toEqual(['conv1', 'conv2', 'fc1', 'fc2']);
    }
    expect(shaOf(said)).toEqual(shaOf(free));
    expect(lossesOf(said)).toEqual(lossesOf(free));
  });
});

describe('a step that cannot be measured', () => {
  it('is refused in one sentence before the first and after weights set by hand', async () => {
    const early = measure();
    const byHand = measure();
    const said = await run(
      begin('imperative', 'cpu'),
      early,
      request('stepBatch'),
      request('setWeight', { name: 'fc2.bias', index: 0, value: 1 }),
      byHand,
    );
    expect(replyTo(said, early)?.error).toEqual({
      code: 'not-now',
      message: 'No step is finished yet, so there is none to measure.',
    });
    expect(replyTo(said, byHand)?.error).toEqual({
      code: 'not-now',
      message: 'The weights were set by hand after step 1, so there is nothing to measure until the next.',
    });
  });
});

describe('while training runs', () => {
  let engine: Engine;
  beforeAll(async () => {
    ({ engine } = await openEngine('cpu'));
    return () => {
      engine.dispose();
    };
  });

  it('takes two hundredths of the time, nothing when nobody asks, and is of the step that was measured', () => {
    const config = { ...DEFAULT_RUN_CONFIG, epochs: 1000 };
    const session = new Session({ engine, dataset: tinyDataset(), recipe: TINY_RECIPE, config });
    let now = 0;
    let looks = 0;
    // Each look at the clock takes a millisecond: a point is between two of them.
    const clock = (): number => {
      looks += 1;
      return (now += 1);
    };
    const effects = new StepEffects({ engine, session, now: clock });
    const train = (): void => {
      session.beginStep();
      session.zeroGradients();
      for (const layer of session.plan.layers) session.forward(layer);
      session.loss();
      for (const layer of session.plan.layers.toReversed()) session.backward(layer);
      session.update();
      session.finishStep();
      now += 200;
    };
    const answers: Answered[] = [];
    const ask = (): void => {
      effects.ask(false, (answered) => {
        if ('code' in answered) return;
        answers.push(answered);
        ask();
      });
    };
    for (let step = 0; step < 20; step += 1) {
      train();
      effects.stepFinished();
    }
    expect(looks).toBe(0);
    const buffers = engine.liveBuffers();
    ask();
    let measuring = 0;
    for (let step = 0; step < 400; step += 1) {
      train();
      const before = now;
      effects.stepFinished();
      measuring += now - before;
    }
    expect(answers.length).toBeGreaterThan(3);
    expect(measuring / now).toBeLessThan(0.03);
    expect(answers[0]?.result?.['step']).toBe(21);
    effects.dispose();
    expect(engine.liveBuffers()).toBe(buffers);
    session.dispose();
  });

  // Catches: buffers of the measuring that fit() frees at the end of a step, and points of another step's weights.
  it('is spread over steps of either loop, and neither sees the other', async () => {
    const config = { ...DEFAULT_RUN_CONFIG, epochs: 2 };
    const shas: string[] = [];
    const answers: (Answered | Failure)[] = [];
    for (const [mode, asks] of [
      ['imperative', false],
      ['imperative', true],
      ['fit', true],
    ] as const) {
      const session = new Session({ engine, dataset: tinyDataset(), recipe: TINY_RECIPE, config });
      const effects = new StepEffects({ engine, session, now: () => 0 });
      const gate: Gate = {
        beforeStep: () => 'go',
        reached: ({ phase }) => {
          if (phase !== 'step') return;
          if (asks && session.step === 2) {
            effects.ask(false, (answered) => answers.push(answered));
          }
          effects.stepFinished();
        },
      };
      const loop = new LOOPS[mode](session, gate, () => undefined);
      while (!session.runDone) await loop.run();
      shas.push(session.weightsSha256());
      effects.dispose();
      session.dispose();
    }
    expect(new Set(shas).size).toBe(1);
    expect(answers).toHaveLength(2);
    expect(answers[0]).toMatchObject({ result: { step: 2, examples: 8 } });
    expect(answers[1]).toEqual(answers[0]);
    expect(engine.liveBuffers()).toBe(0);
  });

  it('refuses who asks without end, and forgets none of the others', () => {
    const config = { ...DEFAULT_RUN_CONFIG, epochs: 1 };
    const session = new Session({ engine, dataset: tinyDataset(), recipe: TINY_RECIPE, config });
    const effects = new StepEffects({ engine, session, now: () => 0 });
    let answered = 0;
    const ask = (): void => {
      effects.ask(false, () => (answered += 1));
    };
    for (let asked = 0; asked < 256; asked += 1) ask();
    expect(ask).toThrow('256 wait for the step to be measured already.');
    effects.dispose();
    expect(answered).toBe(256);
    session.dispose();
  });

  it('leaves nobody waiting when the run goes', () => {
    const config = { ...DEFAULT_RUN_CONFIG, epochs: 1 };
    const session = new Session({ engine, dataset: tinyDataset(), recipe: TINY_RECIPE, config });
    const effects = new StepEffects({ engine, session, now: () => 0 });
    const answers: unknown[] = [];
    effects.ask(false, (answered) => answers.push(answered));
    effects.dispose();
    expect(answers).toEqual([expect.objectContaining({ code: 'not-now' })]);
    session.dispose();
  });
});

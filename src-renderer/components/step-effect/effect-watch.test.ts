import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GradscopeError } from '../../../src-shared/protocol/errors';
import type { RequestResult, Status } from '../../../src-shared/protocol/messages';
import type { RequestClient } from '../../state/request-client';
import { appStore, INITIAL_STATE } from '../../state/store';
import { EffectWatch, type Watched } from './effect-watch';

type Settle = { resolve: (result: RequestResult<'measureStep'>) => void; reject: (error: Error) => void };

let asked: Settle[];
let timers: (() => void)[];
let seen: Watched[];
let visible: boolean;
let watch: EffectWatch;

const send: RequestClient = {
  request: () =>
    new Promise((resolve, reject) => {
      asked.push({
        resolve: (result) => {
          resolve({ result: result as never, payload: new Uint8Array() });
        },
        reject,
      });
    }),
};

const stands = (state: Status['state'], step: number, runId = 1): void => {
  appStore.setState({ status: { runId, state, step } as Status });
};

const effectOf = (step: number): RequestResult<'measureStep'> => ({
  step,
  examples: 3,
  points: [
    { share: 0, loss: 2 },
    { share: 1, loss: 1 },
  ],
  slopes: [],
  slope: -1,
  curvature: 0,
});

/** Until what waits for an answer has had it. */
const settle = async (answer: () => void): Promise<void> => {
  answer();
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
};

beforeEach(() => {
  [asked, timers, seen, visible] = [[], [], [], true];
  appStore.setState({ ...INITIAL_STATE, connection: { state: 'open', code: null, message: null } });
  watch = new EffectWatch({
    send,
    after: (_, callback) => {
      timers.push(callback);
      return () => {
        timers = timers.filter((timer) => timer !== callback);
      };
    },
    isVisible: () => visible,
    onChange: (watched) => seen.push(watched),
  });
});
afterEach(() => {
  watch.stop();
});

describe('watching what the last step did', () => {
  it('asks nothing before the first step, and once a step while training stands', async () => {
    stands('paused', 0);
    expect(asked).toHaveLength(0);
    stands('paused', 1);
    stands('paused', 1);
    expect(asked).toHaveLength(1);
    await settle(() => asked[0]?.resolve(effectOf(1)));
    stands('paused', 1);
    for (const timer of timers) timer();
    expect(asked).toHaveLength(1);
    expect(seen.at(-1)?.effect?.step).toBe(1);
    stands('paused', 2);
    expect(asked).toHaveLength(2);
  });

  it('asks again where the answer was of an earlier step than the one at which training came to stand', async () => {
    stands('running', 3);
    stands('paused', 9);
    await settle(() => asked[0]?.resolve(effectOf(3)));
    expect(asked).toHaveLength(2);
  });

  it('asks again only after a while when training runs, and not at all when nobody can see it', async () => {
    stands('running', 3);
    await settle(() => asked[0]?.resolve(effectOf(3)));
    stands('running', 4);
    expect(asked).toHaveLength(1);
    timers[0]?.();
    expect(asked).toHaveLength(2);
    await settle(() => asked[1]?.resolve(effectOf(5)));
    visible = false;
    timers.at(-1)?.();
    expect(asked).toHaveLength(2);
    visible = true;
    watch.consider();
    expect(asked).toHaveLength(3);
  });

  it('says why a step cannot be measured and does not insist', async () => {
    stands('paused', 1);
    await settle(() => asked[0]?.reject(new GradscopeError('not-now', 'The weights were set by hand.')));
    for (const timer of timers) timer();
    expect([asked.length, seen.at(-1)?.refusal]).toEqual([1, 'The weights were set by hand.']);
  });

  it('forgets what it knew of another run, and an answer that comes too late', async () => {
    stands('paused', 1);
    stands('paused', 0, 2);
    await settle(() => asked[0]?.resolve(effectOf(1)));
    expect(seen.filter(({ effect }) => effect !== null)).toEqual([]);
    stands('paused', 1, 2);
    expect(asked).toHaveLength(2);
  });

  it('asks nothing more once nobody looks', async () => {
    stands('paused', 1);
    watch.stop();
    await settle(() => asked[0]?.resolve(effectOf(1)));
    stands('paused', 2);
    expect(asked).toHaveLength(1);
    expect(seen.some(({ effect }) => effect !== null)).toBe(false);
  });
});

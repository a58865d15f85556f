import { beforeEach, expect, test } from 'vitest';
import { GradscopeError } from '../../../src-shared/protocol/errors';
import type { Status } from '../../../src-shared/protocol/messages';
import { planNetwork } from '../../../src-shared/model/network';
import { recipeNamed } from '../../../src-shared/model/recipe';
import type { FrameLoop } from '../../draw/frame-loop';
import type { FrameStore } from '../../frames/frame-store';
import type { RequestClient } from '../../state/request-client';
import { appStore, INITIAL_STATE } from '../../state/store';
import type { Hover } from '../scope/scope-model';
import { pictureOf } from '../scope/testing';
import { ArithmeticModel, REST_MS } from './arithmetic-model';

const status = (state: Status['state']): Status => ({ state, runId: 1 }) as Status;
const stand = (state: Status['state'] = 'paused'): void => {
  const plan = planNetwork(recipeNamed('pytorch-paper').network);
  appStore.setState({
    plan,
    status: status(state),
    connection: { state: 'open', code: null, message: null },
  });
};

beforeEach(() => {
  appStore.setState(INITIAL_STATE, true);
  stand();
});

/** A page of which the test is the pointer, the animation frames and the trainer. */
function page() {
  const asked: { index: number; answer: (refusal?: GradscopeError) => void }[] = [];
  let hover: Hover | null = null;
  let picture = pictureOf(1, 'step', []);
  const send = {
    request: (_: string, { index }: { index: number }) =>
      new Promise((resolve, reject) => {
        asked.push({
          index,
          answer: (refusal) => {
            if (refusal === undefined) resolve({ result: { form: 'loss' }, payload: new Uint8Array(0) });
            else reject(refusal);
          },
        });
      }),
  } as unknown as RequestClient;
  const frames = { latest: () => picture } as unknown as FrameStore;
  const waits: number[] = [];
  const loop = {
    invalidate: () => undefined,
    invalidateAfter: (ms: number) => waits.push(ms),
  } as unknown as FrameLoop;
  const model = new ArithmeticModel({ frames, loop, send }, () => hover);
  return {
    model,
    asked,
    waits,
    pointAt: (index: number | null) => {
      hover = index === null ? null : { layer: 'conv1', kind: 'gradient', kernel: 0, index };
    },
    newPicture: () => {
      picture = pictureOf(2, 'step', []);
    },
  };
}

/** Until a reply has gone through its promises. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

// Catches: a question for every value that the pointer crosses.
test('asks only about a value on which the pointer rests, once', () => {
  const { model, asked, waits, pointAt } = page();
  for (let at = 0; at < 5; at += 1) {
    pointAt(at);
    model.follow(at * 100);
  }
  expect(asked).toEqual([]);
  expect(waits).toEqual([REST_MS, REST_MS, REST_MS, REST_MS, REST_MS]);
  model.follow(400 + REST_MS);
  model.follow(500 + REST_MS);
  expect(asked.map(({ index }) => index)).toEqual([4]);
});

// Catches: an answer that arrives late and is shown at a value it is not of.
test('shows the answer to the newest question only', async () => {
  const { model, asked, pointAt } = page();
  pointAt(0);
  model.follow(0);
  model.follow(REST_MS);
  pointAt(1);
  model.follow(1000);
  model.follow(1000 + REST_MS);
  expect(asked).toHaveLength(1);
  asked[0]?.answer();
  await settled();
  expect(model.current()).toBeNull();
  expect(asked.map(({ index }) => index)).toEqual([0, 1]);
  asked[1]?.answer();
  await settled();
  expect(model.current()?.cell.index).toBe(1);
  expect(model.coversHover).toBe(true);
  pointAt(2);
  model.follow(2000);
  expect(model.current()).toBeNull();
});

test('asks nothing while training runs; a pinned card says that it is old, and asks anew where training stands next', async () => {
  const { model, asked, pointAt, newPicture } = page();
  stand('running');
  pointAt(0);
  model.follow(0);
  model.follow(1000);
  expect(asked).toEqual([]);
  stand();
  model.pin({ layer: 'conv1', kind: 'gradient', index: 7 });
  model.follow(2000);
  asked[0]?.answer();
  await settled();
  expect(model.current()).toMatchObject({ pinned: true, old: false });
  stand('running');
  model.follow(3000);
  expect(model.current()).toMatchObject({ pinned: true, old: true });
  stand();
  newPicture();
  model.follow(4000);
  expect(asked.map(({ index }) => index)).toEqual([7, 7]);
  asked[1]?.answer();
  await settled();
  expect(model.current()).toMatchObject({ pinned: true, old: false });
  model.move({ columns: 1 });
  model.follow(5000);
  expect(asked[2]?.index).toBe(8);
});

test('a refusal is shown in its sentence; closed by hand, it stays closed until the pointer moves on', async () => {
  const { model, asked, pointAt } = page();
  pointAt(0);
  model.follow(0);
  model.follow(REST_MS);
  asked[0]?.answer(new GradscopeError('not-now', 'The gradient is not computed yet.'));
  await settled();
  expect(model.current()?.answer).toEqual({ refusal: 'The gradient is not computed yet.' });
  model.close();
  model.follow(5000);
  expect([model.current(), asked.length]).toEqual([null, 1]);
  pointAt(1);
  model.follow(6000);
  model.follow(6000 + REST_MS);
  expect(asked).toHaveLength(2);
});

// Catches: a trainer of another make that is asked again and again for what it does not know.
test('a trainer that knows no arithmetic is asked once', async () => {
  const { model, asked, pointAt } = page();
  pointAt(0);
  model.follow(0);
  model.follow(REST_MS);
  asked[0]?.answer(new GradscopeError('unknown-command', 'There is no command explain.'));
  await settled();
  pointAt(1);
  model.follow(1000);
  model.follow(1000 + REST_MS);
  expect([model.current(), asked.length]).toEqual([null, 1]);
});

import { beforeEach, describe, expect, test } from 'vitest';
import { memoryPortPair } from '../../src-shared/testing/memory-port';
import { SyntheticTrainer } from '../../src-shared/testing/synthetic-trainer';
import { decodeTrainerMessage } from '../../src-shared/protocol/decode';
import type {
  Evaluation,
  NonFinite,
  Ready,
  Status,
  WeightsReplaced,
} from '../../src-shared/protocol/messages';
import {
  addEvaluation,
  addNonFinite,
  addReplacement,
  beginRun,
  latestTest,
  openDrawer,
  select,
  setDraft,
  setEngine,
  setConnection,
  setScaleScope,
  setStatus,
  toggleDrawer,
  toggleLock,
} from './actions';
import { type AppState, appStore, INITIAL_STATE } from './store';

beforeEach(() => {
  appStore.setState(INITIAL_STATE, true);
});

const TEST: Evaluation = {
  type: 'evaluation',
  runId: 1,
  step: 0,
  epoch: null,
  loss: 1,
  accuracy: 0.5,
  examples: 2,
  runningLoss: null,
  runningAccuracy: null,
  imagesPerSecond: null,
};
const digit = { testIndex: 0, label: 8, assumedLabel: null, pixels: new Uint8Array(784) };

/** What a trainer really says first. */
async function aReady(): Promise<Ready> {
  const [page, end] = memoryPortPair();
  new SyntheticTrainer(end, { now: () => 0 });
  const first = new Promise<unknown>((resolve) => {
    page.onMessage(resolve);
  });
  page.send({ type: 'hello', protocol: 1 });
  const { message } = decodeTrainerMessage(await first);
  if (message.type !== 'ready') throw new Error(`A trainer should say ready first, not ${message.type}.`);
  return message;
}

test('what was not finite is no news once the trainer says that the weights are sound, and stays marked', async () => {
  beginRun(await aReady(), digit);
  const place = { phase: 'forward', layer: 'conv1', tensor: 'conv1', kind: 'output' } as const;
  const met: NonFinite = { step: 7, ...place, nan: 0, infinite: 277 };
  const status = { runId: 1, state: 'paused', step: 7, phase: null, layer: null, minibatch: null } as Status;
  addNonFinite(met);
  // A trainer that says nothing of it in its status.
  setStatus(status);
  expect(appStore.getState().nonFinite).toEqual(met);
  setStatus({ ...status, nonFinite: null });
  expect(appStore.getState()).toMatchObject({ nonFinite: null, nonFinites: [met] });
});

// Catches: tests without an end in the page; an old test that is taken for one of the weights there are, once some are forgotten.
test('the newest tests are kept, and which of them are of the weights there are', async () => {
  beginRun(await aReady(), digit);
  const test = (step: number): Evaluation => ({ ...TEST, step });
  for (let step = 0; step < 4100; step += 1) addEvaluation(test(step));
  expect(appStore.getState().evaluations).toHaveLength(4096);
  addReplacement({ type: 'weightsReplaced', runId: 1, step: 4100, source: 'file', name: 'a' });
  expect(latestTest(appStore.getState())).toBeNull();
  addEvaluation(test(4100));
  expect(latestTest(appStore.getState())?.step).toBe(4100);
});

test('a choice that is taken back is not pending any more', async () => {
  beginRun(await aReady(), digit);
  setDraft({ seed: 7 });
  expect(appStore.getState().draft).toEqual({ seed: 7 });
  setDraft({ seed: 1 });
  expect(appStore.getState().draft).toEqual({});
});

test('an engine that the run was switched to is no choice that waits for a new run', async () => {
  const ready = await aReady();
  beginRun(ready, digit);
  setDraft({ engine: 'cpu', seed: 7 });
  const engine = { ...ready.engine, name: 'cpu' };
  setEngine({ engine, engineTable: [], choice: 'cpu' });
  expect(appStore.getState().draft).toEqual({ seed: 7 });
  expect(appStore.getState().ready).toMatchObject({ engine, engineTable: [], config: { engine: 'cpu' } });
});

test('choosing another recipe keeps the seed that was chosen before it', async () => {
  beginRun(await aReady(), digit);
  setDraft({ seed: 7 });
  setDraft({ recipe: 'keras-paper', epochs: null });
  expect(appStore.getState().draft).toEqual({ seed: 7, recipe: 'keras-paper' });
});

test('a new run forgets what belonged to the old one and keeps the kernel that was chosen', async () => {
  const ready = await aReady();
  beginRun(ready, digit);
  select({ layer: 'conv2', filter: 3, input: 7 });
  toggleLock();
  setDraft({ seed: 7 });
  addEvaluation({
    type: 'evaluation',
    runId: 1,
    step: 0,
    epoch: 0,
    loss: 2.3,
    accuracy: 0.1,
    examples: 10_000,
    runningLoss: null,
    runningAccuracy: null,
    imagesPerSecond: null,
  });
  beginRun({ ...ready, runId: 2 }, digit);
  const { evaluations, draft, view } = appStore.getState();
  expect(evaluations).toEqual([]);
  expect(draft).toEqual({});
  expect(view.selection).toEqual({ layer: 'conv2', filter: 3, input: 7 });
  expect(view.scaleLocked, 'a lock on the scale of another network').toBe(false);
});

test('a kernel of a layer that the new network lacks is not chosen any more', async () => {
  beginRun(await aReady(), digit);
  select({ layer: 'conv9', filter: 0, input: 0 });
  beginRun(await aReady(), digit);
  expect(appStore.getState().view.selection).toBeNull();
});

test('another scale scope opens the lock, the same one leaves it', () => {
  toggleLock();
  setScaleScope('layer');
  expect(appStore.getState().view.scaleLocked).toBe(true);
  setScaleScope('kernel');
  expect(appStore.getState().view.scaleLocked).toBe(false);
});

test('the icon of the open drawer closes it, another one changes it', () => {
  openDrawer('recipe');
  toggleDrawer('digit');
  expect(appStore.getState().view.drawer).toBe('digit');
  toggleDrawer('digit');
  expect(appStore.getState().view.drawer).toBeNull();
});

describe('a run that was lost', () => {
  const status = (runId: number, step: number): Status =>
    ({ runId, state: 'running', step, phase: null, layer: null, minibatch: null }) as Status;
  const loseAndFind = async (code: string, runId: number, step: number): Promise<AppState['lost']> => {
    const ready = await aReady();
    beginRun({ ...ready, runId: 1 }, digit);
    setStatus(status(1, 4000));
    setConnection({ state: 'lost', code, message: 'It broke.' });
    beginRun({ ...ready, runId }, digit);
    setStatus(status(runId, step));
    setStatus(status(runId, step + 1));
    return appStore.getState().lost;
  };

  test.each(['connection-lost', 'message-too-large', 'internal'])(
    'is the same when it is found where it was, or further: %s',
    async (code) => {
      expect(await loseAndFind(code, 1, 4000)).toBeNull();
    },
  );

  test('is another by its id, or when it is not as far', async () => {
    expect(await loseAndFind('connection-lost', 2, 5000)).toMatchObject({ foundStep: 5000 });
    appStore.setState(INITIAL_STATE, true);
    expect(await loseAndFind('connection-lost', 1, 3)).toMatchObject({ foundStep: 3 });
  });

  // Catches: a connection that breaks again before the trainer has said how its run stands.
  test('is remembered until the trainer says how its run stands', async () => {
    beginRun({ ...(await aReady()), runId: 1 }, digit);
    setStatus(status(1, 4000));
    setConnection({ state: 'lost', code: 'worker-died', message: 'It was ended by SIGKILL.' });
    beginRun({ ...(await aReady()), runId: 1 }, digit);
    setConnection({ state: 'lost', code: 'connection-lost', message: 'It broke.' });
    expect(appStore.getState().lost).toMatchObject({ code: 'worker-died', step: 4000 });
  });

  test('of which the page knew nothing is not compared with one that it finds', async () => {
    setConnection({ state: 'lost', code: 'connection-lost', message: 'It broke.' });
    beginRun({ ...(await aReady()), runId: 3 }, digit);
    setStatus(status(3, 70));
    expect(appStore.getState().lost).toBeNull();
  });

  test('is gone with a trainer that died, however far the next one is', async () => {
    expect(await loseAndFind('worker-died', 1, 5000)).toMatchObject({ step: 4000, foundStep: 5000 });
  });
});

describe('changes of weights', () => {
  const replaced = (step: number, source: WeightsReplaced['source'], name: string): WeightsReplaced => ({
    type: 'weightsReplaced',
    runId: 1,
    step,
    source,
    name,
  });

  // Catches: a page that holds, copies and draws every value that somebody ever set.
  test('are kept as the trainer keeps them: the newest 256', () => {
    for (let step = 0; step < 1000; step += 1) addReplacement(replaced(step, 'value', 'conv1.weight'));
    const { replacements, weightsRevision } = appStore.getState();
    expect(replacements).toHaveLength(256);
    expect(replacements.at(-1)?.step).toBe(999);
    expect(weightsRevision).toBe(1000);
  });

  test('of one step the newest is kept, and a file rather than a value after it', () => {
    const names = (): string[] => appStore.getState().replacements.map(({ name }) => name);
    addReplacement(replaced(3, 'value', 'conv1.weight'));
    addReplacement(replaced(3, 'value', 'fc2.bias'));
    expect(names()).toEqual(['fc2.bias']);
    addReplacement(replaced(3, 'file', 'a.safetensors'));
    addReplacement(replaced(3, 'value', 'conv1.weight'));
    expect(names()).toEqual(['a.safetensors']);
    addReplacement(replaced(3, 'file', 'b.safetensors'));
    expect(names()).toEqual(['b.safetensors']);
  });
});

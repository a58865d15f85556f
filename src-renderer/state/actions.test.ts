import { beforeEach, expect, test } from 'vitest';
import { memoryPortPair } from '../../src-shared/testing/memory-port';
import { SyntheticTrainer } from '../../src-shared/testing/synthetic-trainer';
import { decodeTrainerMessage } from '../../src-shared/protocol/decode';
import type { NonFinite, Ready, Status } from '../../src-shared/protocol/messages';
import {
  addEvaluation,
  addNonFinite,
  beginRun,
  openDrawer,
  select,
  setDraft,
  setEngine,
  setScaleScope,
  setStatus,
  toggleDrawer,
  toggleLock,
} from './actions';
import { appStore, INITIAL_STATE } from './store';

beforeEach(() => {
  appStore.setState(INITIAL_STATE, true);
});

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

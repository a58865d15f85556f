import { beforeEach, describe, expect, test } from 'vitest';
import { memoryPortPair } from '../../src-shared/testing/memory-port';
import { SyntheticTrainer } from '../../src-shared/testing/synthetic-trainer';
import { decodeTrainerMessage } from '../../src-shared/protocol/decode';
import type { Ready } from '../../src-shared/protocol/messages';
import { beginRun, choosePanel, select, toggleLock } from './actions';
import { keepView } from './kept-view';
import { appStore, INITIAL_STATE, type View } from './store';

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

const digit = { testIndex: 0, label: 8, assumedLabel: null, pixels: new Uint8Array(784) };
const storageWith = (
  text: string | null,
): { getItem(): string | null; setItem(key: string, value: string): void } => {
  let kept = text;
  return {
    getItem: () => kept,
    setItem: (_key, value) => {
      kept = value;
    },
  };
};
const shown = (): Pick<View, 'selection' | 'panel' | 'scaleLocked'> => {
  const { selection, panel, scaleLocked } = appStore.getState().view;
  return { selection, panel, scaleLocked };
};

let ready: Ready;
beforeEach(async () => {
  appStore.setState(INITIAL_STATE, true);
  ready = await aReady();
});

test('a reload keeps the chosen kernel, panel and scale lock of the run', () => {
  const storage = storageWith(null);
  keepView(() => storage);
  beginRun(ready, digit);
  select({ layer: 'conv2', filter: 3, input: 7 });
  choosePanel('step');
  toggleLock();
  const before = shown();
  expect(before).toEqual({
    selection: { layer: 'conv2', filter: 3, input: 7 },
    panel: 'step',
    scaleLocked: true,
  });

  appStore.setState(INITIAL_STATE, true);
  keepView(() => storage);
  beginRun(ready, digit);
  expect(shown()).toEqual(before);
  // A lock on the scale of a run that is over.
  beginRun({ ...ready, runId: ready.runId + 1 }, digit);
  expect(shown().scaleLocked).toBe(false);
});

describe('what is stored and makes no sense is passed over', () => {
  const good = {
    runId: 1,
    selection: { layer: 'conv2', filter: 3, input: 7 },
    panel: 'kernel',
    restPanel: 'kernel',
    scaleScope: 'layer',
    scaleLocked: true,
  };
  test.each([
    ['nothing', null],
    ['no JSON', '{'],
    ['another thing', '[1, 2]'],
    ['a panel that is not there', JSON.stringify({ ...good, panel: 'nonsense' })],
    [
      'a kernel with half a number',
      JSON.stringify({ ...good, selection: { layer: 'conv2', filter: 0.5, input: 0 } }),
    ],
    [
      'a kernel beyond the last',
      JSON.stringify({ ...good, selection: { layer: 'conv2', filter: 20, input: 0 } }),
    ],
    [
      'a unit of a conv layer',
      JSON.stringify({ ...good, selection: { layer: 'conv2', filter: 0, input: null } }),
    ],
    [
      'a layer without weights',
      JSON.stringify({ ...good, selection: { layer: 'relu1', filter: 0, input: 0 } }),
    ],
  ])('%s', (_what, text) => {
    keepView(() => storageWith(text));
    beginRun(ready, digit);
    expect(shown().selection).toBeNull();
  });

  test('storage that is forbidden', () => {
    keepView(() => {
      throw new Error('forbidden');
    });
    beginRun(ready, digit);
    select({ layer: 'conv2', filter: 3, input: 7 });
    expect(shown().selection).not.toBeNull();
  });
});

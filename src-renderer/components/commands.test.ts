import { beforeEach, expect, test } from 'vitest';
import { memoryPortPair } from '../../src-shared/testing/memory-port';
import { SyntheticTrainer } from '../../src-shared/testing/synthetic-trainer';
import { Feed } from '../feed/feed';
import { FrameStore } from '../frames/frame-store';
import { MetricsStore } from '../frames/metrics-store';
import { setDraft } from '../state/actions';
import { appStore, INITIAL_STATE } from '../state/store';
import { Commands } from './commands';
import { KEYMAP } from './keymap';

let trainer: SyntheticTrainer;
let commands: Commands;

beforeEach(async () => {
  appStore.setState(INITIAL_STATE, true);
  const frames = new FrameStore();
  const feed = new Feed({
    pace: {
      drawn: (returnCredit) => {
        returnCredit();
      },
    },
    frames,
    metrics: new MetricsStore(),
    now: () => 0,
    connect: () => {
      const [page, end] = memoryPortPair();
      trainer = new SyntheticTrainer(end, { now: () => 0 });
      return Promise.resolve(page);
    },
  });
  commands = new Commands({ send: feed, frames, connect: () => feed.connect() });
  await feed.connect();
  await settle();
});

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

const state = (): string | undefined => appStore.getState().status?.state;

test('the one button plays what stands and pauses what runs', async () => {
  await commands.playOrPause();
  await settle();
  expect(state()).toBe('running');
  await commands.playOrPause();
  await settle();
  expect(state()).toBe('paused');
});

// Catches: a menu that forgets, when it is closed and opened, that engines are being measured, and has it done twice.
test('engines that are being measured are not measured once more for whoever asks meanwhile', async () => {
  let tables = 0;
  const stop = appStore.subscribe(({ ready }, { ready: before }) => {
    if (ready !== before) tables += 1;
  });
  const answers = [commands.measureEngines(), commands.measureEngines()];
  expect(appStore.getState().view.measuring).toBe(true);
  await settle();
  await Promise.all(answers);
  stop();
  expect([tables, appStore.getState().view.measuring]).toEqual([1, false]);
  await commands.playOrPause();
  await settle();
  await commands.measureEngines();
  const { notice, view } = appStore.getState();
  expect([notice?.code, view.measuring]).toEqual(['not-now', false]);
});

test('a new run has what was chosen for it, and the loop that is in use now', async () => {
  await commands.toggleMode();
  await settle();
  setDraft({ recipe: 'keras-paper', seed: 7 });
  await commands.restart();
  await settle();
  const { ready, draft } = appStore.getState();
  expect(ready?.config).toMatchObject({ recipe: 'keras-paper', seed: 7, mode: 'fit' });
  expect(draft).toEqual({});
});

test('Restart after the trainer died brings a new one with the same choices', async () => {
  setDraft({ seed: 7 });
  await commands.restart();
  await settle();
  const first = trainer;
  first.die();
  await settle();
  expect(appStore.getState().connection.state).toBe('lost');
  await commands.restart();
  await settle();
  expect(trainer).not.toBe(first);
  expect(appStore.getState().connection.state).toBe('open');
  expect(appStore.getState().ready?.config.seed).toBe(7);
});

test('test images go round at either end', async () => {
  await commands.nextDigit(-1);
  await settle();
  expect(appStore.getState().digit?.testIndex).toBe(9999);
  await commands.nextDigit(1);
  await settle();
  expect(appStore.getState().digit?.testIndex).toBe(0);
});

test('a drawing takes the place of the test image, and N leads on from where one was', async () => {
  await commands.chooseDigit(41);
  const pixels = new Uint8Array(784).fill(9);
  await commands.drawDigit({ pixels, assumedLabel: 3 });
  await settle();
  expect(appStore.getState().digit).toEqual({ testIndex: null, label: null, assumedLabel: 3, pixels });
  await commands.nextDigit(1);
  expect(appStore.getState().digit?.testIndex).toBe(42);
});

test('a drawing that is under way does not overtake the test image asked for after it', async () => {
  const asked = [
    commands.drawDigit({ pixels: new Uint8Array(784), assumedLabel: null }),
    commands.drawDigit({ pixels: new Uint8Array(784).fill(1), assumedLabel: null }),
    commands.chooseDigit(5),
  ];
  await Promise.all(asked);
  await settle();
  expect(appStore.getState().digit?.testIndex).toBe(5);
});

test('a drawing of the wrong size is refused, and the digit stays', async () => {
  await commands.chooseDigit(7);
  await commands.drawDigit({ pixels: new Uint8Array(9), assumedLabel: null });
  expect(appStore.getState().notice).toMatchObject({ code: 'bad-image' });
  expect(appStore.getState().digit?.testIndex).toBe(7);
});

test('the brackets walk the slider and stop at its ends', async () => {
  await commands.changeSpeed(1);
  await settle();
  expect(appStore.getState().status?.stepsPerSecondLimit).toBeNull();
  for (let press = 0; press < 12; press += 1) {
    await commands.changeSpeed(-1);
    await settle();
  }
  expect(appStore.getState().status?.stepsPerSecondLimit).toBe(1);
});

test('a refusal is said until something works again', async () => {
  setDraft({ epochs: 1 });
  await commands.restart();
  trainer.train(938);
  await settle();
  expect(state()).toBe('finished');
  await commands.play();
  expect(appStore.getState().notice).toMatchObject({ code: 'not-now' });
  await commands.continueRun(2);
  await settle();
  expect(state(), 'it goes on without another press').toBe('running');
  expect(appStore.getState().status?.epochs).toBe(3);
  expect(appStore.getState().notice).toBeNull();
});

test('breakpoints that are set and cleared quickly one after the other are all taken up', async () => {
  const loss = { phase: 'loss', after: 'phase' } as const;
  const step = { phase: 'step', after: 'phase' } as const;
  await Promise.all([
    commands.toggleBreakpoint(loss),
    commands.toggleBreakpoint(step),
    commands.toggleBreakpoint(loss),
  ]);
  await settle();
  expect(appStore.getState().status?.breakpoints).toEqual([step]);
  await commands.clearBreakpoints();
  await settle();
  expect(appStore.getState().status?.breakpoints).toEqual([]);
});

// Catches: an empty box while the page connects, which then fills by itself.
test('the key of the engine menu opens it only once engines are known', () => {
  const engines = KEYMAP.find(({ id }) => id === 'engines');
  const isOpen = (): boolean => appStore.getState().view.engineOpen;
  engines?.run(commands);
  expect(isOpen()).toBe(true);
  engines?.run(commands);
  expect(isOpen()).toBe(false);
  appStore.setState({ ready: null });
  engines?.run(commands);
  expect(isOpen()).toBe(false);
});

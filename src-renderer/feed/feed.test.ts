import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Port } from '../../src-shared/protocol/port';
import type { FrameHead, TrainerMessage } from '../../src-shared/protocol/messages';
import { encodeMessage } from '../../src-shared/protocol/decode';
import { memoryPortPair } from '../../src-shared/testing/memory-port';
import { SyntheticTrainer } from '../../src-shared/testing/synthetic-trainer';
import { FrameStore, type FrameClock } from '../frames/frame-store';
import { MetricsStore } from '../frames/metrics-store';
import { appStore, INITIAL_STATE } from '../state/store';
import { Feed } from './feed';

const AT_ONCE = {
  drawn: (returnCredit: () => void): void => {
    returnCredit();
  },
};

/** Animation frames by hand. */
class HandClock implements FrameClock {
  private readonly painters: ((nowMs: number) => void)[] = [];

  addPainter(_phase: 'read' | 'after', painter: (nowMs: number) => void): () => void {
    this.painters.push(painter);
    return () => undefined;
  }

  invalidate(): void {
    return;
  }

  invalidateAfter(): void {
    return;
  }

  animate(): void {
    for (const painter of this.painters) painter(0);
  }
}

interface Page {
  readonly feed: Feed;
  readonly frames: FrameStore;
  readonly metrics: MetricsStore;
  readonly clock: HandClock;
  /** The trainer of the latest connection, and its port. */
  trainer(): SyntheticTrainer;
  end(): Port;
  /** Lets everything that was sent arrive and be answered, without drawing. */
  settle(): Promise<void>;
}

function openPage(): Page {
  const clock = new HandClock();
  const frames = new FrameStore();
  frames.attach(clock);
  const metrics = new MetricsStore();
  let latest: { trainer: SyntheticTrainer; end: Port } | null = null;
  const current = (): { trainer: SyntheticTrainer; end: Port } => {
    if (latest === null) throw new Error('The page has not connected yet.');
    return latest;
  };
  const feed = new Feed({
    pace: AT_ONCE,
    frames,
    metrics,
    now: () => 5000,
    connect: () => {
      const [page, end] = memoryPortPair();
      latest = { end, trainer: new SyntheticTrainer(end, { now: () => 5000 }) };
      return Promise.resolve(page);
    },
  });
  return {
    feed,
    frames,
    metrics,
    clock,
    trainer: () => current().trainer,
    end: () => current().end,
    settle: async () => {
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    },
  };
}

let page: Page;
beforeEach(async () => {
  appStore.setState(INITIAL_STATE, true);
  page = openPage();
  await page.feed.connect();
  await page.settle();
});
afterEach(() => {
  page.feed.close();
});

test('the first picture of an untrained network comes without being asked for again', () => {
  page.clock.animate();
  const picture = page.frames.latest();
  expect(picture?.step).toBe(0);
  expect(picture?.slot('conv2.weight', 'weight')?.values).toHaveLength(5000);
  expect(picture?.slot('conv2.weight', 'gradient')?.state.freshness).toBe('notYet');
  expect(picture?.slot('output', 'digitProbabilities')?.values).toHaveLength(10);
});

describe('credits', () => {
  test('a page that draws nothing gets two pictures and then none', async () => {
    for (let step = 0; step < 20; step += 1) {
      page.trainer().train(1);
      await page.settle();
    }
    expect(page.trainer().framesSent).toBe(2);
    expect(page.trainer().credits).toBe(0);
  });

  test('every picture that is drawn is paid back, and what was skipped is counted', async () => {
    for (let step = 0; step < 20; step += 1) {
      page.trainer().train(1);
      await page.settle();
    }
    page.clock.animate();
    await page.settle();
    page.clock.animate();
    await page.settle();
    expect(page.frames.latest()?.step).toBe(20);
    expect(page.trainer().credits, 'credits are neither lost nor made').toBe(2);
    // A status brings it along.
    await page.feed.request('setSpeed', { stepsPerSecond: null });
    await page.settle();
    expect(appStore.getState().rates.skipped).toBeGreaterThan(10);
  });

  test('a picture of an earlier run is dropped and paid back', async () => {
    page.clock.animate();
    await page.settle();
    const before = page.trainer().credits;
    const layout = page.frames.latest()?.layoutId ?? 0;
    const old: FrameHead = {
      type: 'frame',
      runId: 99,
      layoutId: layout,
      step: 7,
      phase: 'step',
      layer: null,
      example: null,
      appliedAtMs: 0,
      skipped: 0,
      slots: [],
    };
    page.end().send(encodeMessage(old, new Uint8Array(0)));
    await page.settle();
    page.clock.animate();
    expect(page.frames.latest()?.step).toBe(0);
    expect(page.trainer().credits).toBe(before + 1);
  });

  test('a picture of an earlier layout is dropped and paid back', async () => {
    page.clock.animate();
    await page.settle();
    const before = page.trainer().credits;
    const old: FrameHead = {
      type: 'frame',
      runId: appStore.getState().ready?.runId ?? 0,
      layoutId: 0,
      step: 7,
      phase: 'step',
      layer: null,
      example: null,
      appliedAtMs: 0,
      skipped: 0,
      slots: [],
    };
    page.end().send(encodeMessage(old, new Uint8Array(0)));
    await page.settle();
    expect(page.trainer().credits).toBe(before + 1);
    expect(appStore.getState().connection.state).toBe('open');
  });
});

test('a picture whose digit is of an earlier step is not the last one of where training stands', () => {
  const status = appStore.getState().status;
  if (status === null) throw new Error('no status came');
  const runId = status.runId;
  appStore.setState({ status: { ...status, state: 'paused', step: 7, phase: 'step' } });
  const layoutId = 90;
  const slot = {
    name: 'output',
    kind: 'digitProbabilities' as const,
    shape: [10],
    sentShape: [10],
    block: null,
  };
  page.frames.setLayout({ type: 'layout', layoutId, slots: [{ ...slot, offset: 0, length: 10 }] });
  const show = (digitStep: number): boolean => {
    const state = { freshness: 'fresh' as const, step: digitStep, phase: null, nan: 0, infinite: 0 };
    const head = { runId, layoutId, step: 7, phase: 'step' as const, layer: null, example: null };
    page.frames.put(
      { ...head, type: 'frame', appliedAtMs: 0, skipped: 0, slots: [state] },
      new Float32Array(10),
      () => undefined,
    );
    page.clock.animate();
    return page.feed.pictureIsCurrent;
  };
  expect([show(5), show(7)]).toEqual([false, true]);
});

test('metrics lose no step', async () => {
  for (const steps of [1, 5, 60, 2]) {
    page.trainer().train(steps);
    await page.settle();
  }
  expect(page.metrics.length).toBe(68);
  const losses = page.trainer().run.rows.map(([loss]) => Math.fround(loss ?? NaN));
  const column = page.metrics.column('loss');
  expect(losses.map((_, index) => column.at(index))).toEqual(losses);
});

test('a request is answered with its own reply, or refused with the trainer’s sentence', async () => {
  const [saved, chosen] = await Promise.all([
    page.feed.request('saveWeights', {}),
    page.feed.request('chooseDigit', { testIndex: 3 }),
  ]);
  expect(saved.payload.length).toBeGreaterThan(21_840 * 4);
  expect(chosen.result.testIndex).toBe(3);
  expect(chosen.payload).toHaveLength(784);
  await expect(page.feed.request('chooseDigit', { testIndex: 10_000 })).rejects.toMatchObject({
    code: 'unknown-image',
  });
  expect(page.feed.idle).toBe(true);
});

test('a test image that another page chose is shown here too', async () => {
  const runId = appStore.getState().ready?.runId ?? 0;
  page
    .end()
    .send({ type: 'digit', runId, testIndex: 5, label: 2, assumedLabel: null, pixels: btoa('\x00\x7f\xff') });
  await page.settle();
  expect(appStore.getState().digit).toEqual({
    testIndex: 5,
    label: 2,
    assumedLabel: null,
    pixels: new Uint8Array([0, 127, 255]),
  });
});

describe('weights that were replaced', () => {
  const replaced = (step: number): TrainerMessage => ({
    type: 'weightsReplaced',
    runId: appStore.getState().ready?.runId ?? 0,
    step,
    source: 'value',
    name: 'conv1.weight',
  });

  // Catches: "nothing is measured of these weights yet" five thousand steps later.
  test('are measured once a step has trained them', async () => {
    page.trainer().train(10);
    await page.settle();
    page.end().send(encodeMessage(replaced(10)));
    await page.settle();
    expect(appStore.getState().replacementNews).toMatchObject({ step: 10, isMeasured: false });
    page.trainer().train(1);
    await page.settle();
    expect(appStore.getState().replacementNews).toMatchObject({ step: 10, isMeasured: true });
  });

  // Catches: news that somebody dismissed, or that is hours old, after a reload or in a second page.
  test('before this page came are marked in the chart and are no news', async () => {
    const { ready, status } = appStore.getState();
    if (ready === null || status === null) throw new Error('The trainer has not said how its run stands.');
    for (const message of [ready, replaced(0), status]) page.end().send(encodeMessage(message));
    await page.settle();
    expect(appStore.getState().replacements).toEqual([replaced(0)]);
    expect(appStore.getState().replacementNews).toBeNull();
    page.end().send(encodeMessage(replaced(0)));
    await page.settle();
    expect(appStore.getState().replacementNews).toMatchObject({ name: 'conv1.weight' });
  });
});

test('Restart begins a run with nothing of the last one on the page', async () => {
  page.trainer().train(30);
  await page.settle();
  page.clock.animate();
  const config = appStore.getState().ready?.config;
  if (config === undefined) throw new Error('The trainer has not said ready.');
  await page.feed.request('restart', { config: { ...config, seed: 7 }, weightsFile: null });
  await page.settle();
  page.clock.animate();
  const { ready, status, evaluations } = appStore.getState();
  expect(ready?.config.seed).toBe(7);
  expect(status?.step).toBe(0);
  expect(page.metrics.length).toBe(0);
  expect(evaluations).toHaveLength(1);
  expect(page.frames.latest()?.step).toBe(0);
});

describe('when the trainer goes', () => {
  test('the page says why, fails what was asked, and keeps its picture', async () => {
    page.trainer().train(4);
    await page.settle();
    page.clock.animate();
    const asked = page.feed.request('saveWeights', {});
    page.trainer().die('worker-died', 'The trainer died (signal SIGKILL).');
    await expect(asked).rejects.toMatchObject({ code: 'connection-lost' });
    expect(appStore.getState().connection).toEqual({
      state: 'lost',
      code: 'worker-died',
      message: 'The trainer died (signal SIGKILL).',
    });
    expect(page.frames.latest()).not.toBeNull();
    expect(page.feed.idle).toBe(true);
  });

  test('connecting again finds the new one, and pictures of the old one pay it nothing', async () => {
    page.trainer().train(1);
    await page.settle();
    page.trainer().die();
    await page.settle();
    await page.feed.connect();
    await page.settle();
    page.clock.animate();
    await page.settle();
    expect(appStore.getState().connection.state).toBe('open');
    expect(page.trainer().credits).toBe(2);
  });
});

test.each([
  ['an unknown type', { type: 'gossip' }],
  ['a status without a step', { type: 'status', runId: 1 }],
  ['bytes that are no envelope', new Uint8Array(40)],
])('%s ends the connection with a code', async (_what, message) => {
  page.end().send(message);
  await page.settle();
  expect(appStore.getState().connection).toMatchObject({ state: 'lost', code: 'malformed-message' });
});

test('a trainer that speaks another protocol is refused by name', async () => {
  const { ready } = appStore.getState();
  page.end().send({ ...ready, protocol: 2 });
  await page.settle();
  expect(appStore.getState().connection).toMatchObject({ state: 'lost', code: 'wrong-protocol' });
});

test('a trainer that cannot be reached is named on the page', async () => {
  page.feed.close();
  const refused = vi.fn(() => Promise.reject(new Error('no such port')));
  const feed = new Feed({
    pace: AT_ONCE,
    frames: page.frames,
    metrics: page.metrics,
    now: () => 0,
    connect: refused,
  });
  await expect(feed.connect()).rejects.toThrow('no such port');
  expect(appStore.getState().connection).toMatchObject({ state: 'lost', code: 'internal' });
});

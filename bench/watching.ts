import { randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chromium, type Page } from '@playwright/test';
import { BrowserShell } from '../e2e/support/browser-shell';
import { TrainerClient } from '../e2e/support/trainer-client';
import { chromiumArguments, findChromium } from '../scripts/lib/chromium.mjs';
import type { Ready, TensorKind, WatchItem } from '../src-shared/protocol/messages';
import { engineChoiceSchema } from '../src-shared/model/run-config';
import type { ConsolePerformance } from '../src-renderer/console';
import { machine, median, print, progress, save, table } from './report';

/**
 * What watching costs training, and whether the page stays fluent. One run goes on all the time; in every round each
 * condition has a window of it, in random order, and is compared with the others of the same round.
 */

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '6' },
    engine: { type: 'string', default: 'auto' },
    json: { type: 'string' },
  },
});
const rounds = Number(options.rounds);
const windowMs = Number(options.seconds) * 1000;
/** After a condition begins, before its window: start-up is not what is measured. */
const SETTLE_MS = 1500;
const NOT_WATCHED = 'not watched';

interface Window {
  readonly stepsPerSecond: number;
  /** Pictures that reached the watcher. */
  readonly picturesPerSecond: number;
  readonly page: ConsolePerformance | null;
}

/** Every tensor that the scope grid shows. */
function everything(ready: Ready): WatchItem[] {
  const item = (name: string, kind: TensorKind): WatchItem => ({ name, kind, maxValues: 1_000_000 });
  const ofLayers = ready.network.layers.flatMap(({ kind, name }) => [
    item(name, 'digitOutput'),
    item(name, 'digitError'),
    ...(kind === 'conv2d' || kind === 'dense'
      ? ['weight', 'bias'].flatMap((role) => {
          const parameter = `${name}.${role}`;
          return [item(parameter, 'weight'), item(parameter, 'gradient'), item(parameter, 'update')];
        })
      : []),
  ]);
  return [...ofLayers, item('output', 'digitProbabilities')];
}

/** A connection that watches nothing, or everything with its credits returned at once. */
class Watcher {
  finishedSteps = 0;
  frames = 0;
  private readonly client: TrainerClient;

  constructor(client: TrainerClient) {
    this.client = client;
  }

  listen(): void {
    void this.client.next(({ message }) => {
      if (message.type === 'metrics') this.finishedSteps = message.firstStep + message.count - 1;
      if (message.type === 'frame') {
        this.frames += 1;
        this.client.send({ type: 'credit', count: 1 });
      }
      // The client keeps what it heard for tests to look at; hours of frames would fill the memory.
      if (this.client.received.length > 1000) this.client.received.length = 0;
      return false;
    });
  }

  async watch(items: WatchItem[]): Promise<void> {
    const layout = this.client.next(({ message }) => message.type === 'layout');
    this.client.send({ type: 'watch', items });
    await layout;
  }
}

const shell = await BrowserShell.start();
const client = await TrainerClient.connect(shell.address);
const engine = engineChoiceSchema.parse(options.engine);
await client.request('restart', {
  config: { ...client.ready.config, engine, epochs: 1000 },
  weightsFile: null,
});
const { ready } = client;
const watcher = new Watcher(client);
watcher.listen();
client.send({ type: 'credit', count: 2 });
await client.request('play', {});

const executablePath = findChromium();
if (executablePath === undefined) throw new Error('There is no Chromium; npm test installs one.');
const browser = await chromium.launch({ executablePath, args: chromiumArguments() });
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });

const conditions: Record<
  string,
  { begin: () => Promise<void>; end: () => Promise<ConsolePerformance | null> }
> = {
  [NOT_WATCHED]: { begin: () => Promise.resolve(), end: () => Promise.resolve(null) },
  'every tensor captured and sent': {
    begin: () => watcher.watch(everything(ready)),
    end: async () => {
      await watcher.watch([]);
      return null;
    },
  },
  'a page drawing everything': {
    begin: () => openPage(page),
    end: async () => {
      const performance = await page.evaluate(() => window.gradscope.perf());
      await page.goto('about:blank');
      return performance;
    },
  },
};

async function openPage(page: Page): Promise<void> {
  await page.goto(shell.address);
  await page.getByRole('button', { name: 'Pause' }).waitFor();
}

/** Tests at the end of an epoch and in between are part of training, in every condition alike. */
async function measure(name: string): Promise<Window> {
  const condition = conditions[name];
  if (condition === undefined) throw new Error(`No condition ${name}.`);
  await condition.begin();
  await wait(SETTLE_MS);
  const [steps, frames, start] = [watcher.finishedSteps, watcher.frames, performance.now()];
  await wait(windowMs);
  const seconds = (performance.now() - start) / 1000;
  const stepsPerSecond = (watcher.finishedSteps - steps) / seconds;
  const picturesPerSecond = (watcher.frames - frames) / seconds;
  return { stepsPerSecond, picturesPerSecond, page: await condition.end() };
}

function shuffled(names: readonly string[]): string[] {
  const order = [...names];
  for (let i = order.length - 1; i > 0; i -= 1) {
    const j = randomInt(i + 1);
    const moved = order[i] ?? '';
    order[i] = order[j] ?? '';
    order[j] = moved;
  }
  return order;
}

const results: Record<string, Window>[] = [];
for (let round = 1; round <= rounds; round += 1) {
  const windows: Record<string, Window> = {};
  for (const name of shuffled(Object.keys(conditions))) windows[name] = await measure(name);
  results.push(windows);
  progress(`round ${String(round)} of ${String(rounds)}`);
}
await browser.close();
await client.close();
await shell.stop();

const speeds = (name: string): number[] => results.map((windows) => windows[name]?.stepsPerSecond ?? NaN);
print(
  `${machine()}, engine ${ready.engine.name} (${ready.engine.variant}), recipe ${ready.config.recipe}, ` +
    `${String(rounds)} rounds with ${options.seconds} s for each condition\n`,
);
print(
  table(
    ['condition', 'images/s, median', 'against not watched, median of the rounds', 'lowest', 'highest'],
    Object.keys(conditions).map((name) => {
      const free = speeds(NOT_WATCHED);
      const ratios = speeds(name).map((speed, round) => speed / (free[round] ?? NaN));
      const images = 64 * median(speeds(name));
      return [
        name,
        images.toFixed(0),
        median(ratios).toFixed(3),
        Math.min(...ratios).toFixed(3),
        Math.max(...ratios).toFixed(3),
      ];
    }),
  ),
);
const pages = results.flatMap((windows) => windows['a page drawing everything']?.page ?? []);
const over = (pick: (page: ConsolePerformance) => number): string => median(pages.map(pick)).toFixed(1);
print('\nThe page, medians of the rounds:\n');
print(
  table(
    ['', 'median', '95 %'],
    [
      ['our work in an animation frame, ms', over((perf) => perf.work.p50), over((perf) => perf.work.p95)],
      [
        'between two animation frames, ms',
        over((perf) => perf.interval.p50),
        over((perf) => perf.interval.p95),
      ],
      ['waiting for an animation frame, ms', over((perf) => perf.wait.p50), over((perf) => perf.wait.p95)],
      ['age of the picture when drawn, ms', over((perf) => perf.pictureAgeMs ?? NaN), ''],
    ],
  ),
);
save(options.json, results);

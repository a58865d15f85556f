import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { BrowserShell } from '../e2e/support/browser-shell';
import { descendantsOf, residentMegabytes } from '../e2e/support/processes';
import { TrainerClient } from '../e2e/support/trainer-client';
import { engineChoiceSchema } from '../src-shared/model/run-config';
import { PlainChromium } from './plain-chromium';
import { machine, median, print, progress, checkSavable, save, table } from './report';

/**
 * Memory over time, while training runs and a page shows everything. Of each party the MB in RAM: medians of the first and of
 * the last tenth of the time, once everything has been loaded. Linux only.
 */

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    engine: { type: 'string', default: 'auto' },
    json: { type: 'string' },
  },
});
checkSavable(options.json);
const minutes = Number(options.minutes);
/** Until caches and compilers have what they need. */
const SETTLE_MS = 15_000;
const EVERY_MS = 500;

type Party = 'trainer' | 'shell' | 'page and browser';
interface Sample {
  readonly seconds: number;
  readonly step: number;
  readonly megabytes: Readonly<Record<Party, number>>;
}

const shell = await BrowserShell.start();
const client = await TrainerClient.connect(shell.address);
let step = 0;
let { engine } = client.ready;
void client.next(({ message }) => {
  if (message.type === 'metrics') step = message.firstStep + message.count - 1;
  // Of the run that is measured, and with auto only known when it begins to train.
  if (message.type === 'ready' || message.type === 'engine') ({ engine } = message);
  // The client keeps what it heard for tests to look at.
  client.received.length = 0;
  return false;
});
const { ready } = client;
await client.request('restart', {
  config: { ...ready.config, engine: engineChoiceSchema.parse(options.engine), epochs: 1_000_000 },
  weightsFile: null,
});
const browser = await PlainChromium.start({ width: 1440, height: 900 });
await browser.goto(shell.address);
await client.request('play', {});

const resident = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + residentMegabytes(pid), 0);

await wait(SETTLE_MS);
const samples: Sample[] = [];
const begunMs = performance.now();
for (let nextMs = begunMs; nextMs < begunMs + 60_000 * minutes; nextMs += EVERY_MS) {
  await wait(Math.max(0, nextMs - performance.now()));
  samples.push({
    seconds: (performance.now() - begunMs) / 1000,
    step,
    megabytes: {
      trainer: resident([shell.trainerPid]),
      shell: resident([shell.pid]),
      'page and browser': resident([browser.pid, ...descendantsOf(browser.pid)]),
    },
  });
  if (samples.length % 120 === 0)
    progress(`memory: ${String(samples.length / 120)} of ${String(minutes)} minutes`);
}
await browser.close();
await client.close();
await shell.stop();

const tenth = Math.max(1, Math.floor(samples.length / 10));
const row = (party: Party): string[] => {
  const of = (some: readonly Sample[]): number => median(some.map(({ megabytes }) => megabytes[party]));
  const [first, last] = [of(samples.slice(0, tenth)), of(samples.slice(-tenth))];
  const most = Math.max(...samples.map(({ megabytes }) => megabytes[party]));
  const growth = `${((100 * (last - first)) / first).toFixed(1)} %`;
  return [party, first.toFixed(0), last.toFixed(0), growth, most.toFixed(0)];
};
const steps = (samples.at(-1)?.step ?? 0) - (samples[0]?.step ?? 0);
print(
  `${machine()}, engine ${engine.name} (${engine.variant}), recipe ${ready.config.recipe}, ` +
    `${options.minutes} minutes, ${String(steps)} steps, a page drawing everything. MB in RAM:\n`,
);
print(
  table(
    ['who', 'first tenth, median', 'last tenth, median', 'growth', 'at most'],
    [row('trainer'), row('shell'), row('page and browser')],
  ),
);
save(options.json, samples);

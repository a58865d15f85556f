import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ROOT } from '../scripts/lib/project.mjs';
import { PlainChromium } from './plain-chromium';
import { machine, median, print, progress, checkSavable, save, table } from './report';

/**
 * From `npm start`, everything set up, to the first filters on the screen, in a Chromium that is open already. One start
 * after the other; the first is told apart, because it may have to read from disk what the others find in memory.
 */

const { values: options } = parseArgs({
  options: { starts: { type: 'string', default: '7' }, json: { type: 'string' } },
});
checkSavable(options.json);

/** Seconds from the command on. */
interface Start {
  readonly ready: number;
  readonly firstFilters: number;
}

const FIRST_FILTERS = "window.gradscope?.drawn('conv2.weight', 'weight') != null";

async function start(browser: PlainChromium): Promise<Start> {
  const begunMs = performance.now();
  const since = (): number => (performance.now() - begunMs) / 1000;
  const command = spawn('npm', ['start', '--', '--browser', '--port', '0', '--no-open'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'ignore'],
    // npm passes no signal on to what it runs, so all of them get it.
    detached: true,
  });
  const { pid } = command;
  if (pid === undefined) throw new Error('npm does not start.');
  let address: string | undefined;
  for await (const line of createInterface({ input: command.stdout })) {
    address = /ready at (\S+)/.exec(line)?.[1];
    if (address !== undefined) break;
  }
  if (address === undefined) throw new Error('npm start has ended before it was ready.');
  const ready = since();
  await browser.goto(address);
  while ((await browser.evaluate(FIRST_FILTERS)) !== true) await wait(10);
  const firstFilters = since();
  await browser.goto('about:blank');
  const ended = once(command, 'exit');
  process.kill(-pid, 'SIGTERM');
  await ended;
  return { ready, firstFilters };
}

const browser = await PlainChromium.start({ width: 1440, height: 900 });
const starts: Start[] = [];
for (let count = 1; count <= Number(options.starts); count += 1) {
  starts.push(await start(browser));
  progress(`start ${String(count)} of ${options.starts}`);
}
await browser.close();

const [first, ...others] = starts;
const row = (name: string, pick: (start: Start) => number): string[] => {
  const seconds = others.map(pick);
  return [
    name,
    first === undefined ? '' : pick(first).toFixed(2),
    median(seconds).toFixed(2),
    `${Math.min(...seconds).toFixed(2)} to ${Math.max(...seconds).toFixed(2)}`,
  ];
};
print(`${machine()}, npm start -- --browser, ${options.starts} starts\n`);
print(
  table(
    ['seconds from the command', 'first start', 'the others, median', 'lowest to highest'],
    [
      row('its address is printed', ({ ready }) => ready),
      row('first filters', ({ firstFilters }) => firstFilters),
    ],
  ),
);
save(options.json, starts);

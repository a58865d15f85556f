import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { ConsolePerformance } from '../src-renderer/console';
import { HISTORY } from '../src-renderer/draw/frame-loop';
import { LATENCIES } from '../src-renderer/feed/rates';
import { Refusal } from '../scripts/lib/project.mjs';
import { engineChoiceSchema } from '../src-shared/model/run-config';
import { PlainChromium } from './plain-chromium';
import { machine, print, progress, checkSavable, save } from './report';
import { Rig, type Placement, type Stretch } from './rig';
import { randomFrom, shuffled } from './rounds';
import { canPin } from './threads';
import { watchingTables, type Measured, type Round } from './watching-report';

/**
 * What watching costs training, and whether the page stays fluent. Two trainers for each placement, one of which is watched
 * and one not; they train in turns, a second or two each, so that each stretch is compared with one beside it in time.
 */

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    pairs: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '1.5' },
    engine: { type: 'string', default: 'auto' },
    placements: { type: 'string', default: 'any,left' },
    json: { type: 'string' },
  },
});
checkSavable(options.json);
const rounds = Number(options.rounds);
const pairs = Number(options.pairs);
const windowMs = Number(options.seconds) * 1000;
const random = randomFrom(randomInt(2 ** 31));
/** From the beginning of a condition: start-up is not what is measured, nor a page whose code is still being compiled. */
const SETTLE_MS = 2000;
const PAGE_SETTLE_MS = 10_000;
/** For the pictures and animation frames that a page's figures are of. */
const MOST_PATIENCE_MS = 40_000;
/** Keys that open saliency and the effect of the step. */
const MORE_KEYS = ['i', '7'];

/** How a rig is watched. */
interface Condition {
  begin(rig: Rig): Promise<void>;
  /** What the page, if there is one, measured of itself. */
  page(): Promise<ConsolePerformance | null>;
  end(rig: Rig): Promise<void>;
}

const engine = engineChoiceSchema.parse(options.engine);
const PLACEMENTS: Readonly<Record<string, Placement>> = {
  any: 'any core',
  left: 'one core left to the page',
};
const canLeaveOne = availableParallelism() > 1 && canPin();
const placements = options.placements.split(',').flatMap((name) => {
  const placement = PLACEMENTS[name];
  if (placement === undefined)
    throw new Refusal(`There is no placement ${JSON.stringify(name)}; there is any, left.`, 2);
  return placement === 'any core' || canLeaveOne ? placement : [];
});
const browser = await PlainChromium.start({ width: 1440, height: 900 });

const conditions: Readonly<Record<string, Condition>> = {
  'every tensor captured and sent': {
    begin: async (rig) => {
      await rig.watcher.watch(rig.everything());
      await wait(SETTLE_MS);
    },
    page: () => Promise.resolve(null),
    end: (rig) => rig.watcher.watch([]),
  },
  'a page drawing everything': {
    begin: openPage,
    page: figuresOfPage,
    end: closePage,
  },
  'the same with saliency and the effect of the step': {
    begin: async (rig) => {
      await openPage(rig);
      for (const key of MORE_KEYS) {
        await browser.evaluate(
          `document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '${key}', bubbles: true })), 0`,
        );
      }
    },
    page: figuresOfPage,
    end: closePage,
  },
};

async function openPage({ address }: Rig): Promise<void> {
  await browser.goto(address);
  while ((await browser.evaluate("window.gradscope?.status().state ?? ''")) !== 'running') await wait(100);
}

async function closePage(): Promise<void> {
  await browser.goto('about:blank');
}

/** The page measures over its last pictures and animation frames: those of its first seconds are waited out. */
async function figuresOfPage(): Promise<ConsolePerformance> {
  await wait(PAGE_SETTLE_MS);
  const settled = await perf();
  const untilMs = performance.now() + MOST_PATIENCE_MS;
  for (;;) {
    await wait(100);
    const measured = await perf();
    const isEnough =
      measured.pictures >= settled.pictures + LATENCIES && measured.frames >= settled.frames + HISTORY;
    if (isEnough) return measured;
    if (performance.now() > untilMs) {
      progress('A page drew so little that its figures are partly of its first seconds.');
      return measured;
    }
  }
}

const perf = async (): Promise<ConsolePerformance> =>
  (await browser.evaluate('window.gradscope.perf()')) as ConsolePerformance;

async function measure(condition: Condition, watched: Rig, notWatched: Rig): Promise<Measured> {
  await watched.play();
  await condition.begin(watched);
  if (canLeaveOne) for (const rig of [notWatched, watched]) rig.place();
  const page = await condition.page();
  await watched.pause();
  const measured: [Stretch, Stretch][] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    const isFirst = random() < 0.5;
    const before = isFirst ? await watched.goOn(windowMs) : null;
    const beside = await notWatched.goOn(windowMs);
    measured.push([before ?? (await watched.goOn(windowMs)), beside]);
  }
  await condition.end(watched);
  return { pairs: measured, page };
}

const rigs = new Map<Placement, [Rig, Rig]>();
for (const placement of placements) {
  const start = (): Promise<Rig> => Rig.start(placement, engine, browser.pid);
  rigs.set(placement, [await start(), await start()]);
}
const results: Record<Placement, Round[]> = { 'any core': [], 'one core left to the page': [] };
for (let round = 0; round < rounds; round += 1) {
  for (const [placement, [one, other]] of shuffled([...rigs], random)) {
    // Each is the watched one in every other round: no two processes are quite as fast.
    const [watched, notWatched] = round % 2 === 0 ? [one, other] : [other, one];
    const measured: Record<string, Measured> = {};
    for (const [name, condition] of shuffled(Object.entries(conditions), random)) {
      measured[name] = await measure(condition, watched, notWatched);
    }
    results[placement].push(measured);
  }
  progress(`round ${String(round + 1)} of ${String(rounds)}`);
}
await browser.close();
const all = [...rigs.values()].flat();
for (const rig of all) await rig.stop();

save(options.json, results);
const computed = new Set(all.map(({ watcher: { engine: of } }) => `${of.name} (${of.variant})`));
print(
  `${machine()}, engine ${[...computed].join(' or ')}, recipe ${all[0]!.recipe}, ${String(rounds)} rounds, in each ` +
    `${String(pairs)} pairs of ${options.seconds} s watched and not watched`,
);
for (const placement of placements) {
  print(`\n## ${placement}\n\n${watchingTables(Object.keys(conditions), results[placement])}`);
}

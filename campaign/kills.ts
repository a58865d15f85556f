import { setTimeout as wait } from 'node:timers/promises';
import type { CampaignFigures, CampaignOptions } from './campaign';
import { inTurns, signal, waitFor, type Family } from './family';
import {
  addressOf,
  FOREVER_MS,
  Ground,
  memberOf,
  names,
  rolesOf,
  stackTrace,
  WAYS,
  type Role,
  type Way,
} from './lives';
import { Page } from './page';
import { Random } from './random';

/**
 * Sends signals to the processes of a shell that trains with a page connected. A trainer that is killed: the page hears of what, and
 * the next page gets a new trainer that trains. One that is stopped for a while goes on. Whoever else ends takes all with it.
 */

const LIVES = { short: 2, full: 160 };
const AT_ONCE = { short: 2, full: 4 };
/** Signals to the trainer in each life, before the one that ends it. */
const TRAINER_KILLS = { short: 1, full: 3 };
const LONGEST_RUN_MS = 300;
const LONGEST_STOP_MS = 150;
const STREAM = 2;

const ENDS = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const;
type End = (typeof ENDS)[number];

interface Life {
  readonly number: number;
  readonly way: Way;
  readonly trainerKills: readonly { readonly by: 'SIGKILL' | 'SIGTERM'; readonly afterMs: number }[];
  readonly stopped: Role;
  readonly stoppedForMs: number;
  readonly victim: Role;
  readonly by: End;
  readonly afterMs: number;
}

type Tell = (kind: string, what?: string) => void;

export async function run({ size, seed, say }: CampaignOptions): Promise<CampaignFigures> {
  const random = new Random(seed, STREAM);
  const lives = Array.from({ length: LIVES[size] }, (_, number): Life => {
    const way = WAYS[number % WAYS.length] ?? WAYS[0];
    const roles = rolesOf(way);
    return {
      number,
      way,
      trainerKills: Array.from({ length: TRAINER_KILLS[size] }, () => ({
        by: random.pick(['SIGKILL', 'SIGTERM'] as const),
        afterMs: random.below(LONGEST_RUN_MS),
      })),
      stopped: random.pick(roles),
      stoppedForMs: random.below(LONGEST_STOP_MS),
      victim: random.pick(roles.filter((role) => role !== 'trainer')),
      by: random.pick(ENDS),
      afterMs: random.below(LONGEST_RUN_MS),
    };
  });
  const ground = new Ground();
  const tried: Record<string, number> = {};
  const lost: string[] = [];
  let done = 0;
  try {
    await inTurns(lives, AT_ONCE[size], async (life) => {
      const tell: Tell = (kind, what) => {
        tried[kind] = (tried[kind] ?? 0) + 1;
        if (what === undefined) return;
        lost.push(`Life ${String(life.number)}, "${life.way}", ${kind}: ${what}`);
        say(lost.at(-1) ?? '');
      };
      await live(ground, life, tell);
      done += 1;
      if (done % 10 === 0)
        say(`${String(done)} of ${String(lives.length)} lives, ${String(lost.length)} lost`);
    });
    const leftovers = ground.leftovers();
    if (leftovers.length > 0) lost.push(`Temporary files were left: ${leftovers.slice(0, 5).join(', ')}.`);
  } finally {
    ground.remove();
  }
  return { name: 'kills', tried, lost };
}

async function live(ground: Ground, life: Life, tell: Tell): Promise<void> {
  const family = ground.startShell(life.way);
  const pages: Page[] = [];
  try {
    const address = await addressOf(family);
    if (address === undefined) {
      tell('start', `it never was ready, and said ${JSON.stringify(family.stderr.slice(0, 300))}.`);
      return;
    }
    let page = await training(address, pages);
    for (const { by, afterMs } of life.trainerKills) {
      if (typeof page === 'string') break;
      await wait(afterMs);
      const next = await killTrainer(family, page, by, address, pages);
      tell(`${by} to the trainer`, typeof next === 'string' ? next : undefined);
      page = next;
    }
    if (typeof page === 'string') {
      tell('training', page);
      return;
    }
    tell(`SIGSTOP and SIGCONT to the ${life.stopped}`, await stopForAWhile(family, life, page));
    await wait(life.afterMs);
    const what = isKeptByShell(life) ? 'SIGINT to all, as by Ctrl-C' : `${life.by} to the ${life.victim}`;
    tell(what, await end(family, life));
    const trace = stackTrace(family);
    if (trace !== undefined) tell('words', `a stack trace was printed: ${trace}`);
  } finally {
    for (const page of pages) page.close();
    family.killAll();
  }
}

/** A page whose run goes on; or what went wrong. */
async function training(address: string, pages: Page[]): Promise<Page | string> {
  const page = new Page(address);
  pages.push(page);
  const ready = await page.greeted(FOREVER_MS);
  if (ready === undefined) return 'a page was not greeted.';
  const config = { ...(ready['config'] as object), engine: 'simd', epochs: 100_000 };
  const restarted = await page.asks('restart', { config, weightsFile: null }, FOREVER_MS);
  if (restarted?.['error'] !== null) return `a page could not restart: ${JSON.stringify(restarted)}.`;
  const played = await page.asks('play', {}, FOREVER_MS);
  if (played?.['error'] !== null) return `a page could not play: ${JSON.stringify(played)}.`;
  const moved = await page.hears(({ type, step }) => type === 'status' && Number(step) > 0, FOREVER_MS);
  return moved === undefined ? 'training never went on.' : page;
}

async function killTrainer(
  family: Family,
  page: Page,
  by: NodeJS.Signals,
  address: string,
  pages: Page[],
): Promise<Page | string> {
  const before = memberOf(family, 'trainer');
  if (before === undefined) return 'there was no trainer.';
  signal(before.pid, by);
  const goodbye = await page.goodbye(FOREVER_MS);
  if (
    goodbye?.['code'] !== 'worker-died' ||
    !String(goodbye['message']).startsWith(`The trainer process was ended by ${by}`)
  ) {
    return `the page was told ${JSON.stringify(goodbye)}.`;
  }
  const next = await training(address, pages);
  if (typeof next === 'string') return next;
  const after = memberOf(family, 'trainer');
  return after === undefined || after.pid === before.pid ? 'there is no new trainer.' : next;
}

async function stopForAWhile(
  family: Family,
  { stopped, stoppedForMs }: Life,
  page: Page,
): Promise<string | undefined> {
  const member = memberOf(family, stopped);
  if (member === undefined) return `there was no ${stopped}.`;
  signal(member.pid, 'SIGSTOP');
  await wait(stoppedForMs);
  signal(member.pid, 'SIGCONT');
  for (const method of ['pause', 'play']) {
    const reply = await page.asks(method, {}, FOREVER_MS);
    if (reply?.['error'] !== null) return `the page asked to ${method} and heard ${JSON.stringify(reply)}.`;
  }
  return undefined;
}

/**
 * npm hands SIGINT on to the shell that it starts a script by, and dash keeps it until the script has ended: sent to one of the two
 * alone it reaches nobody. A terminal sends it to all.
 */
const isKeptByShell = ({ victim, by }: Life): boolean =>
  (victim === 'npm' || victim === "npm's shell") && by === 'SIGINT';

async function end(family: Family, life: Life): Promise<string | undefined> {
  const member = memberOf(family, life.victim);
  if (member === undefined) return `there was no ${life.victim}.`;
  const hit = isKeptByShell(life) ? family.members() : [member];
  for (const { pid } of hit) signal(pid, life.by);
  const left = await family.left(FOREVER_MS);
  if (left.length > 0) return `left for ever: ${names(left)}.`;
  await waitFor(() => family.hasEnded, FOREVER_MS);
  return undefined;
}

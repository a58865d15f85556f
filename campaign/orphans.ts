import { setTimeout as wait } from 'node:timers/promises';
import type { CampaignFigures, CampaignOptions } from './campaign';
import { inTurns, signal } from './family';
import { addressOf, FOREVER_MS, Ground, memberOf, names, rolesOf, WAYS, type Role, type Way } from './lives';
import { Random } from './random';

/** Kills the parent of others with SIGKILL while it starts or just has started: nobody may be left behind. */

const LIVES = { short: 6, full: 500 };
const AT_ONCE = { short: 3, full: 5 };
/** Until the last process has loaded, and a little longer. */
const START_MS = 900;
const AFTER_READY_MS = 250;
const STREAM = 1;

interface Life {
  readonly way: Way;
  readonly victim: Role;
  /** after: the ready line; else after the start */
  readonly after: 'start' | 'ready line';
  readonly milliseconds: number;
}

export async function run({ size, seed, say }: CampaignOptions): Promise<CampaignFigures> {
  const random = new Random(seed, STREAM);
  const lives = Array.from({ length: LIVES[size] }, (_, index): Life => {
    const way = WAYS[index % WAYS.length] ?? WAYS[0];
    const after = random.below(2) === 0 ? 'start' : 'ready line';
    // The trainer is nobody's parent.
    const victim = random.pick(rolesOf(way).filter((role) => role !== 'trainer'));
    return { way, victim, after, milliseconds: random.below(after === 'start' ? START_MS : AFTER_READY_MS) };
  });
  const ground = new Ground();
  const tried: Record<string, number> = {};
  const lost: string[] = [];
  let done = 0;
  try {
    await inTurns(lives, AT_ONCE[size], async (life) => {
      const what = await live(ground, life);
      const kind = `${life.victim} of ${life.way}`;
      tried[kind] = (tried[kind] ?? 0) + 1;
      if (what !== undefined) {
        const when = `${String(life.milliseconds)} ms after the ${life.after}`;
        lost.push(`SIGKILL to the ${life.victim} of "${life.way}" ${when}: ${what}`);
        say(lost.at(-1) ?? '');
      }
      done += 1;
      if (done % 25 === 0) say(`${String(done)} of ${String(lives.length)}, ${String(lost.length)} lost`);
    });
    const leftovers = ground.leftovers();
    if (leftovers.length > 0) lost.push(`Temporary files were left: ${leftovers.slice(0, 5).join(', ')}.`);
  } finally {
    ground.remove();
  }
  return { name: 'orphans', tried, lost };
}

/** @returns what went wrong */
async function live(ground: Ground, { way, victim, after, milliseconds }: Life): Promise<string | undefined> {
  const family = ground.startShell(way);
  try {
    if (after === 'ready line' && (await addressOf(family)) === undefined) {
      return `it never was ready, and said ${JSON.stringify(family.stderr.slice(0, 300))}.`;
    }
    await wait(milliseconds);
    // The one that is not there yet has no children: then the one above it is meant, which is the first one.
    const pid = memberOf(family, victim)?.pid ?? family.pid;
    signal(pid, 'SIGKILL');
    const left = await family.left(FOREVER_MS);
    return left.length > 0 ? `left for ever: ${names(left)}.` : undefined;
  } finally {
    family.killAll();
  }
}

import { spawnSync } from 'node:child_process';
import { z } from 'zod';
import type { Recipe } from '../src-shared/model/recipe';
import { ENGINE_NAMES, type EngineName } from '../src-shared/model/run-config';
import { residentMegabytes } from '../e2e/support/processes';
import { inProject } from '../scripts/lib/project.mjs';
import { Peer, PeerRefusal, type Measured, type PeerProgram } from './peer';
import { PEERS, setUpNode24 } from './peers-setup';
import { progress } from './report';
import { inRounds } from './rounds';

/** Which of our engines on which Node. */
export interface OurEngine {
  readonly engine: EngineName;
  readonly node: Node;
}

export interface Node {
  readonly name: string;
  readonly command: string;
}

/** A process that trains, as it is shown in the tables. */
export interface Competitor {
  readonly name: string;
  /** Null: a peer. */
  readonly ours: OurEngine | null;
  readonly threads: number;
  /** Of a peer; ours has those of the comparison. */
  readonly modes: readonly string[];
  readonly peer: Peer;
}

/** What could not be measured, and why, one sentence each. */
export type LeftOut = string[];

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The engines that are raced. */
const RACED = ENGINE_NAMES.filter((name) => name !== 'cpu');

/** Starts every engine that loads, on this Node and on Node 24, and every peer that can be set up. */
export async function startCompetitors(threads: readonly number[], leftOut: LeftOut): Promise<Competitor[]> {
  leftOut.push(
    'cpu: it is the reference in plain JavaScript that the others are held to, and takes no part.',
  );
  const started: Competitor[] = [];
  const start = async (program: PeerProgram, about: Omit<Competitor, 'peer'>): Promise<void> => {
    try {
      started.push({ ...about, peer: await Peer.start(program) });
    } catch (error) {
      leftOut.push(`${about.name}, ${String(about.threads)} threads: ${reason(error)}`);
    }
  };
  const nodes: Node[] = [{ name: `Node ${process.version}`, command: process.execPath }];
  try {
    nodes.push({ name: 'Node 24', command: await setUpNode24() });
  } catch (error) {
    leftOut.push(`Node 24: ${reason(error)}`);
  }
  for (const node of nodes) {
    for (const engine of RACED) {
      for (const count of engine === 'simd' ? threads : [1]) {
        await start(ourProgram(node.command, engine, count), {
          name: `${engine} on ${node.name}`,
          ours: { engine, node },
          threads: count,
          modes: [],
        });
      }
    }
  }
  for (const kind of PEERS) {
    try {
      const program = await kind.setUp();
      for (const count of threads) {
        await start(program(count), { name: kind.name, ours: null, threads: count, modes: kind.modes });
      }
    } catch (error) {
      leftOut.push(`${kind.name}: ${reason(error)}`);
    }
  }
  return started;
}

/** Our own training, as buildOurs() has built it. */
export const ourProgram = (node: string, engine: EngineName, threads: number): PeerProgram => ({
  command: node,
  args: ['--expose-gc', inProject('out/bench/gradscope.js'), engine, String(threads)],
});

/** One way to train, measured once a round. */
export interface Contender {
  readonly competitor: Competitor;
  readonly mode: string;
}

export const nameOf = ({ competitor, mode }: Contender): string => `${competitor.name}, ${mode}`;

/** What `auto` takes on a Node. */
export interface AutoChoice {
  readonly node: Node;
  readonly engine: EngineName;
  readonly variant: string;
  readonly because: string;
}

export interface Speeds {
  readonly recipe: string;
  readonly batchSize: number;
  readonly contenders: readonly Contender[];
  /** By round; null: it failed then. */
  readonly rounds: readonly ReadonlyMap<Contender, Measured | null>[];
  /** MB of RAM that all competitors took while this was prepared. */
  readonly megabytes: number;
  /** Of each Node. */
  readonly auto: readonly AutoChoice[];
}

/** What is trained, and by whom of ours; peers train it in every mode. */
export interface Comparison {
  readonly recipe: Recipe;
  readonly batchSize: number;
  readonly ours: { readonly engines: readonly EngineName[]; readonly modes: readonly string[] };
}

export interface SpeedOptions {
  readonly rounds: number;
  readonly milliseconds: number;
  readonly random: () => number;
  readonly leftOut: LeftOut;
}

/** Trains a network with every competitor in every mode. What a competitor refuses is left out. */
export async function measureSpeeds(
  competitors: readonly Competitor[],
  { recipe, batchSize, ours }: Comparison,
  { rounds, milliseconds, random, leftOut }: SpeedOptions,
): Promise<Speeds> {
  const contenders: Contender[] = [];
  const refused = (contender: Contender, error: unknown): void => {
    if (!(error instanceof PeerRefusal)) throw error;
    const where = `${recipe.name}, batch ${String(batchSize)}`;
    leftOut.push(
      `${nameOf(contender)}, ${String(contender.competitor.threads)} threads, ${where}: ${reason(error)}`,
    );
  };
  for (const competitor of competitors) {
    if (competitor.ours !== null && !ours.engines.includes(competitor.ours.engine)) continue;
    for (const mode of competitor.ours === null ? competitor.modes : ours.modes) {
      const contender = { competitor, mode };
      try {
        await competitor.peer.prepare(mode, mode, batchSize, recipe);
        // Compilers and caches warm up outside of what is measured.
        await competitor.peer.train(mode, Math.min(500, milliseconds));
        contenders.push(contender);
      } catch (error) {
        refused(contender, error);
      }
    }
  }
  const measured = await inRounds(contenders, rounds, random, async (contender) => {
    try {
      return await contender.competitor.peer.train(contender.mode, milliseconds);
    } catch (error) {
      refused(contender, error);
      return null;
    }
  });
  const megabytes = await letGo(competitors);
  const auto = autoChoices(competitors, { ...recipe, batchSize }, leftOut);
  progress(
    `${recipe.name}, batch ${String(batchSize)}: ${String(contenders.length)} contenders measured, ${megabytes.toFixed(0)} MB`,
  );
  return { recipe: recipe.name, batchSize, contenders, rounds: measured, megabytes, auto };
}

/** Two networks of every competitor would not fit into memory. Returns how many MB they took. */
async function letGo(competitors: readonly Competitor[]): Promise<number> {
  const pids = process.platform === 'linux' ? competitors.map(({ peer }) => peer.pid) : [];
  const megabytes = pids.reduce((sum, pid) => sum + residentMegabytes(pid), 0);
  for (const { peer } of competitors) await peer.forget();
  return megabytes;
}

const autoSchema = z.object({ engine: z.enum(ENGINE_NAMES), variant: z.string(), because: z.string() });

/** A Node on which it cannot be found out is left out; what was measured so far stays. */
function autoChoices(competitors: readonly Competitor[], recipe: Recipe, leftOut: LeftOut): AutoChoice[] {
  const nodes = new Set(competitors.flatMap(({ ours }) => ours?.node ?? []));
  return [...nodes].flatMap((node) => {
    const program = inProject('out/bench/gradscope-auto.js');
    const { status, stdout } = spawnSync(node.command, [program, JSON.stringify(recipe)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (status === 0) return { node, ...autoSchema.parse(JSON.parse(stdout)) };
    leftOut.push(`auto on ${node.name}, ${recipe.name}: it ended with exit code ${String(status)}.`);
    return [];
  });
}

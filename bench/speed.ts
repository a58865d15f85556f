import type { Recipe } from '../src-shared/model/recipe';
import { ENGINE_NAMES, modeSchema } from '../src-shared/model/run-config';
import { inProject } from '../scripts/lib/project.mjs';
import { Peer, PeerRefusal, type Measured, type PeerProgram } from './peer';
import { PEERS, setUpNode24 } from './peers-setup';
import { progress } from './report';
import { inRounds } from './rounds';

/** A process that trains, as it is shown in the tables. */
export interface Competitor {
  readonly name: string;
  readonly ours: boolean;
  readonly threads: number;
  readonly modes: readonly string[];
  readonly peer: Peer;
}

/** What could not be measured, and why, one sentence each. */
export type LeftOut = string[];

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Starts every engine that loads, on this Node and on Node 24, and every peer that can be set up. */
export async function startCompetitors(threads: readonly number[], leftOut: LeftOut): Promise<Competitor[]> {
  const started: Competitor[] = [];
  const start = async (program: PeerProgram, about: Omit<Competitor, 'peer'>): Promise<void> => {
    try {
      started.push({ ...about, peer: await Peer.start(program) });
    } catch (error) {
      leftOut.push(`${about.name}, ${String(about.threads)} threads: ${reason(error)}`);
    }
  };
  const nodes = [{ name: `Node ${process.version}`, command: process.execPath }];
  try {
    nodes.push({ name: 'Node 24', command: await setUpNode24() });
  } catch (error) {
    leftOut.push(`Node 24: ${reason(error)}`);
  }
  for (const node of nodes) {
    for (const engine of ENGINE_NAMES) {
      for (const count of engine === 'simd' ? threads : [1]) {
        const name = `${engine} on ${node.name}`;
        const args = [inProject('out/bench/gradscope.js'), engine, String(count)];
        await start(
          { command: node.command, args },
          { name, ours: true, threads: count, modes: modeSchema.options },
        );
      }
    }
  }
  for (const kind of PEERS) {
    try {
      const program = await kind.setUp();
      for (const count of threads) {
        const about = { name: kind.name, ours: false, threads: count, modes: kind.modes };
        await start(program(count), about);
      }
    } catch (error) {
      leftOut.push(`${kind.name}: ${reason(error)}`);
    }
  }
  return started;
}

/** One way to train, measured once a round. */
export interface Contender {
  readonly competitor: Competitor;
  readonly mode: string;
}

export const nameOf = ({ competitor, mode }: Contender): string => `${competitor.name}, ${mode}`;

export interface Speeds {
  readonly recipe: string;
  readonly batchSize: number;
  readonly contenders: readonly Contender[];
  /** By round; null: it failed then. */
  readonly rounds: readonly ReadonlyMap<Contender, Measured | null>[];
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
  recipe: Recipe,
  batchSize: number,
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
  const key = ({ mode }: Contender): string => `${mode}/${recipe.name}/${String(batchSize)}`;
  for (const competitor of competitors) {
    for (const mode of competitor.modes) {
      const contender = { competitor, mode };
      try {
        await competitor.peer.prepare(key(contender), mode, batchSize, recipe);
        // Compilers and caches warm up outside of what is measured.
        await competitor.peer.train(key(contender), Math.min(500, milliseconds));
        contenders.push(contender);
      } catch (error) {
        refused(contender, error);
      }
    }
  }
  const measured = await inRounds(contenders, rounds, random, async (contender) => {
    try {
      return await contender.competitor.peer.train(key(contender), milliseconds);
    } catch (error) {
      refused(contender, error);
      return null;
    }
  });
  progress(`${recipe.name}, batch ${String(batchSize)}: ${String(contenders.length)} contenders measured`);
  return { recipe: recipe.name, batchSize, contenders, rounds: measured };
}

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { z } from 'zod';
import type { Recipe } from '../src-shared/model/recipe';
import { ROOT } from '../scripts/lib/project.mjs';

/** How a peer is started. */
export interface PeerProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const number = z.number().nullable();
const helloSchema = z.object({ id: z.literal(0), versions: z.record(z.string(), z.string()) });
const measuredSchema = z.object({
  images: z.number(),
  seconds: z.number(),
  cpuSeconds: z.number(),
  loss: number,
});
export type Measured = z.infer<typeof measuredSchema>;

/** Live buffers of its engine; MB of the heap with its array buffers, and of what lies in RAM. */
const heldSchema = z.object({ buffers: z.number(), heap: z.number(), resident: z.number() });
export type Held = z.infer<typeof heldSchema>;

/** A peer says so in one sentence; the peer goes on. */
export class PeerRefusal extends Error {
  override readonly name = 'PeerRefusal';
}

/**
 * A program that trains when it is told to (bench/peers/peer.py says in what words). It stays alive, so that rounds can go
 * from one peer to the other without loading anything again; it does nothing while it is not asked.
 */
export class Peer {
  versions: Readonly<Record<string, string>> = {};
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private lastId = 0;
  private errors = '';

  /** 0 when it never started. */
  get pid(): number {
    return this.child.pid ?? 0;
  }

  private constructor(child: ChildProcess, lines: Interface) {
    this.child = child;
    this.lines = lines[Symbol.asyncIterator]();
    child.stderr?.on('data', (chunk: Buffer) => {
      this.errors = (this.errors + chunk.toString()).slice(-4000);
    });
  }

  /** @throws PeerRefusal when it ends before it is ready */
  static async start({ command, args, env }: PeerProgram): Promise<Peer> {
    const child = spawn(command, [...args], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    // Writing to one that has ended is told by the end of its answers.
    child.stdin.on('error', () => undefined);
    child.on('error', () => undefined);
    const peer = new Peer(child, createInterface({ input: child.stdout }));
    peer.versions = helloSchema.parse(await peer.answer()).versions;
    return peer;
  }

  /** @throws PeerRefusal */
  async prepare(as: string, mode: string, batchSize: number, recipe: Recipe): Promise<void> {
    await this.ask({ do: 'prepare', as, mode, batchSize, recipe });
  }

  /** Trains whole minibatches until that time has gone by. @throws PeerRefusal */
  async train(as: string, milliseconds: number): Promise<Measured> {
    return measuredSchema.parse(await this.ask({ do: 'train', as, milliseconds }));
  }

  /** Lets go of everything that was prepared. */
  async forget(): Promise<void> {
    await this.ask({ do: 'forget' });
  }

  /** Trains so many minibatches. Only Gradscope's own peer can. @throws PeerRefusal */
  async trainSteps(as: string, steps: number): Promise<Measured> {
    return measuredSchema.parse(await this.ask({ do: 'train', as, steps }));
  }

  /** What it holds after a garbage collection. Only Gradscope's own peer can say. */
  async look(): Promise<Held> {
    return heldSchema.parse(await this.ask({ do: 'look' }));
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.stdin?.end();
    await ended;
  }

  private async ask(request: object): Promise<unknown> {
    this.lastId += 1;
    this.child.stdin?.write(`${JSON.stringify({ id: this.lastId, ...request })}\n`);
    const answer = z
      .looseObject({ id: z.literal(this.lastId), error: z.string().optional() })
      .parse(await this.answer());
    if (answer.error !== undefined) throw new PeerRefusal(answer.error);
    return answer;
  }

  private async answer(): Promise<unknown> {
    const line: IteratorResult<string, unknown> = await this.lines.next();
    if (line.done === true) {
      const said = this.errors.trim().split('\n');
      const last = said.find((sentence) => sentence.includes('Error: ')) ?? said.at(-1);
      throw new PeerRefusal(`It ended${last === '' ? '' : `: ${last}`}`);
    }
    return JSON.parse(line.value) as unknown;
  }
}

import { createInterface } from 'node:readline';
import { z } from 'zod';
import { planNetwork } from '../../src-shared/model/network';
import { recipeSchema } from '../../src-shared/model/recipe';
import { engineNameSchema } from '../../src-shared/model/run-config';
import { openEngine } from '../../src-worker/engine';
import { openSimdEngine } from '../../src-worker/engine/simd/simd-engine';
import { FitLoop } from '../../src-worker/training/fit-loop';
import { ImperativeLoop } from '../../src-worker/training/imperative-loop';
import type { Gate, TrainingLoop } from '../../src-worker/training/loop';
import { Session } from '../../src-worker/training/session';
import { loadedExamples } from './gradscope-examples';
import { Watched } from './gradscope-watcher';

/**
 * Gradscope's own training as a peer of the benchmark: `node gradscope.js ENGINE THREADS`, and the line protocol of peer.py. It is
 * the trainer's session and its loops, on networks that need not be among the recipes. A session copies every weight, gradient
 * and update out of the engine at every step: that is in every figure. Modes: the two loops, and `watched`, the imperative
 * loop with pictures taken for a page that shows everything.
 *
 * Besides: {"id", "do": "train", "as", "steps"} trains that many minibatches, and {"id", "do": "look"} is answered with
 * {"id", "buffers", "heap", "resident"}: live buffers of the engine, and MB after a garbage collection (--expose-gc).
 */

const id = z.number();
const requestSchema = z.discriminatedUnion('do', [
  z.object({
    id,
    do: z.literal('prepare'),
    as: z.string(),
    mode: z.enum(['imperative', 'fit', 'watched']),
    batchSize: z.number(),
    recipe: recipeSchema,
  }),
  z.object({
    id,
    do: z.literal('train'),
    as: z.string(),
    milliseconds: z.number().optional(),
    steps: z.number().optional(),
  }),
  z.object({ id, do: z.literal('forget') }),
  z.object({ id, do: z.literal('look') }),
]);
type Request = z.infer<typeof requestSchema>;

/** Lets whole minibatches through until time or steps are used up. */
class Limit implements Gate {
  private deadlineMs = 0;
  private stepsLeft = 0;

  set({ milliseconds = Infinity, steps = Infinity }): void {
    this.deadlineMs = performance.now() + milliseconds;
    this.stepsLeft = steps;
  }

  get over(): boolean {
    return this.stepsLeft <= 0 || performance.now() >= this.deadlineMs;
  }

  beforeStep(): 'go' | 'leave' {
    return this.over ? 'leave' : 'go';
  }

  reached(): void {
    // Nobody stands anywhere.
  }

  stepFinished(): void {
    this.stepsLeft -= 1;
  }
}

interface Training {
  readonly session: Session;
  readonly loop: TrainingLoop;
  readonly limit: Limit;
  readonly watched: Watched | null;
  images: number;
  loss: number;
}

const [, , name, threads] = process.argv;
/** Only simd has threads to choose. */
const engine =
  name === 'simd'
    ? await openSimdEngine({ threads: Number(threads) })
    : (await openEngine(engineNameSchema.parse(name))).engine;
const trainings = new Map<string, Training>();

function prepare({ as, mode, batchSize, recipe }: Extract<Request, { do: 'prepare' }>): object {
  const session = new Session({
    engine,
    dataset: loadedExamples(planNetwork(recipe.network)),
    recipe: { ...recipe, batchSize },
    config: { seed: 1, dropout: true, order: null, epochs: 1_000_000 },
  });
  const limit = new Limit();
  const watched = mode === 'watched' ? new Watched(session) : null;
  const onStep = ({ loss }: { readonly loss: number }): void => {
    limit.stepFinished();
    watched?.stepFinished();
    training.images += session.minibatch?.indices.length ?? 0;
    training.loss = loss;
  };
  const Loop = mode === 'fit' ? FitLoop : ImperativeLoop;
  const training: Training = {
    session,
    loop: new Loop(session, limit, onStep),
    limit,
    watched,
    images: 0,
    loss: 0,
  };
  trainings.set(as, training);
  return {};
}

async function train({ as, ...limits }: Extract<Request, { do: 'train' }>): Promise<object> {
  const training = trainings.get(as);
  if (training === undefined) throw new Error(`Nothing was prepared as ${as}.`);
  training.images = 0;
  const [cpu, start] = [process.cpuUsage(), performance.now()];
  training.limit.set(limits);
  // A loop ends with its epoch.
  while (!training.limit.over) await training.loop.run();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { images: training.images, seconds, cpuSeconds: (user + system) / 1e6, loss: training.loss };
}

function forget(): object {
  for (const { session, watched } of trainings.values()) {
    watched?.dispose();
    session.dispose();
  }
  trainings.clear();
  globalThis.gc?.();
  return {};
}

function look(): object {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  return {
    buffers: engine.liveBuffers(),
    heap: (heapUsed + arrayBuffers) / 2 ** 20,
    resident: rss / 2 ** 20,
  };
}

function answer(request: Request): object | Promise<object> {
  switch (request.do) {
    case 'prepare':
      return prepare(request);
    case 'train':
      return train(request);
    case 'forget':
      return forget();
    case 'look':
      return look();
  }
}

const say = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

say({ id: 0, versions: { node: process.version, [engine.name]: engine.variant, ...engine.versions } });
for await (const line of createInterface({ input: process.stdin })) {
  const request = requestSchema.parse(JSON.parse(line));
  try {
    say({ id: request.id, ...(await answer(request)) });
  } catch (error) {
    say({ id: request.id, error: error instanceof Error ? error.message : String(error) });
  }
}

import { createInterface } from 'node:readline';
import { z } from 'zod';
import { planNetwork } from '../../src-shared/model/network';
import { recipeSchema } from '../../src-shared/model/recipe';
import { engineChoiceSchema, modeSchema } from '../../src-shared/model/run-config';
import { loadedExamples } from './gradscope-examples';
import { openEngine } from '../../src-worker/engine';
import { openSimdEngine } from '../../src-worker/engine/simd/simd-engine';
import { FitLoop } from '../../src-worker/training/fit-loop';
import { ImperativeLoop } from '../../src-worker/training/imperative-loop';
import type { Gate, TrainingLoop } from '../../src-worker/training/loop';
import { Session } from '../../src-worker/training/session';

/**
 * Gradscope's own training as a peer of the benchmark: `node gradscope.js ENGINE THREADS`, and the line protocol of peer.py. It is
 * the trainer's session and its loops, in a process without watchers, on networks that need not be among the recipes. A
 * session copies every weight, gradient and update out of the engine at every step: that is in every figure.
 */

const requestSchema = z.discriminatedUnion('do', [
  z.object({
    id: z.number(),
    do: z.literal('prepare'),
    as: z.string(),
    mode: modeSchema,
    batchSize: z.number(),
    recipe: recipeSchema,
  }),
  z.object({ id: z.number(), do: z.literal('train'), as: z.string(), milliseconds: z.number() }),
]);
type Request = z.infer<typeof requestSchema>;

/** Lets whole minibatches through until the time is over. */
class Stopwatch implements Gate {
  private deadlineMs = 0;

  start(milliseconds: number): void {
    this.deadlineMs = performance.now() + milliseconds;
  }

  get over(): boolean {
    return performance.now() >= this.deadlineMs;
  }

  beforeStep(): 'go' | 'leave' {
    return this.over ? 'leave' : 'go';
  }

  reached(): void {
    // Nobody stands anywhere.
  }
}

interface Training {
  readonly loop: TrainingLoop;
  readonly stopwatch: Stopwatch;
  images: number;
  loss: number;
}

const [, , name, threads] = process.argv;
/** Only simd has threads to choose. */
const engine =
  name === 'simd'
    ? await openSimdEngine({ threads: Number(threads) })
    : (await openEngine(engineChoiceSchema.parse(name))).engine;
const trainings = new Map<string, Training>();

function prepare({ as, mode, batchSize, recipe }: Extract<Request, { do: 'prepare' }>): object {
  const session = new Session({
    engine,
    dataset: loadedExamples(planNetwork(recipe.network)),
    recipe: { ...recipe, batchSize },
    config: { seed: 1, dropout: true, order: null, epochs: 1_000_000 },
  });
  const stopwatch = new Stopwatch();
  const onStep = ({ loss }: { readonly loss: number }): void => {
    training.images += session.minibatch?.indices.length ?? 0;
    training.loss = loss;
  };
  const Loop = mode === 'fit' ? FitLoop : ImperativeLoop;
  const training: Training = { loop: new Loop(session, stopwatch, onStep), stopwatch, images: 0, loss: 0 };
  trainings.set(as, training);
  return {};
}

async function train({ as, milliseconds }: Extract<Request, { do: 'train' }>): Promise<object> {
  const training = trainings.get(as);
  if (training === undefined) throw new Error(`Nothing was prepared as ${as}.`);
  training.images = 0;
  const [cpu, start] = [process.cpuUsage(), performance.now()];
  training.stopwatch.start(milliseconds);
  // A loop ends with its epoch.
  while (!training.stopwatch.over) await training.loop.run();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { images: training.images, seconds, cpuSeconds: (user + system) / 1e6, loss: training.loss };
}

const say = (answer: object): void => {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
};

say({ id: 0, versions: { node: process.version, [engine.name]: engine.variant, ...engine.versions } });
for await (const line of createInterface({ input: process.stdin })) {
  const request = requestSchema.parse(JSON.parse(line));
  try {
    say({ id: request.id, ...(request.do === 'prepare' ? prepare(request) : await train(request)) });
  } catch (error) {
    say({ id: request.id, error: error instanceof Error ? error.message : String(error) });
  }
}

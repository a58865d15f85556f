import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { machine, median, percent, print, progress, checkSavable, save, table } from './report';

/** Trains the paper's recipes over several seeds and prints the table of the README. */

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5' },
    engine: { type: 'string', default: 'auto' },
    recipe: { type: 'string', multiple: true, default: ['pytorch-paper', 'keras-paper'] },
    json: { type: 'string' },
  },
});
checkSavable(options.json);

const epochSchema = z.object({
  event: z.literal('epoch'),
  epoch: z.number(),
  runningTrainAccuracy: z.number(),
  testLoss: z.number(),
  testAccuracy: z.number(),
});
type Epoch = z.infer<typeof epochSchema>;

interface Claim {
  readonly epoch: number;
  readonly median: number;
  readonly worst: number;
}

/** Test accuracies below which the paper's result is not reproduced. */
const CLAIMS: Readonly<Record<string, readonly Claim[]>> = {
  'pytorch-paper': [
    { epoch: 1, median: 0.94, worst: 0.935 },
    { epoch: 3, median: 0.965, worst: 0 },
  ],
  'keras-paper': [
    { epoch: 1, median: 0.94, worst: 0 },
    { epoch: 6, median: 0.975, worst: 0 },
  ],
};

const headless = fileURLToPath(new URL('../out/main/headless.js', import.meta.url));

async function train(recipe: string, seed: number): Promise<Epoch[]> {
  const args = [headless, '--recipe', recipe, '--seed', String(seed), '--engine', options.engine, '--json'];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, GRADSCOPE_PARENT: String(process.pid) },
  });
  const exit = once(child, 'exit');
  const epochs: Epoch[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const epoch = epochSchema.safeParse(JSON.parse(line));
    if (epoch.success) epochs.push(epoch.data);
  }
  const [code] = (await exit) as [number | null];
  if (code !== 0) throw new Error(`${recipe} with seed ${String(seed)} ended with code ${String(code)}.`);
  const last = epochs.at(-1);
  progress(`${recipe}, seed ${String(seed)}: test accuracy ${percent(last?.testAccuracy ?? Number.NaN)}`);
  return epochs;
}

const column = (runs: readonly Epoch[][], index: number, field: keyof Epoch): number[] =>
  runs.map((epochs) => Number(epochs[index]?.[field]));

/** Prints one recipe's table. Returns whether every claim holds. */
function report(recipe: string, runs: readonly Epoch[][]): boolean {
  print(`### ${recipe}\n`);
  const head = ['epoch', 'running training accuracy', 'test accuracy', 'lowest', 'highest', 'test loss'];
  const rows = (runs[0] ?? []).map(({ epoch }, index) => {
    const test = column(runs, index, 'testAccuracy');
    return [
      String(epoch),
      percent(median(column(runs, index, 'runningTrainAccuracy'))),
      percent(median(test)),
      percent(Math.min(...test)),
      percent(Math.max(...test)),
      median(column(runs, index, 'testLoss')).toFixed(4),
    ];
  });
  print(`${table(head, rows)}\n`);
  const outcomes = (CLAIMS[recipe] ?? []).map((claim) => {
    const test = column(runs, claim.epoch - 1, 'testAccuracy');
    const holds = median(test) >= claim.median && Math.min(...test) >= claim.worst;
    const worst = claim.worst > 0 ? `, none below ${percent(claim.worst)}` : '';
    print(
      `${holds ? 'Holds' : 'FAILS'}: median after epoch ${String(claim.epoch)} at least ${percent(claim.median)}${worst}.`,
    );
    return holds;
  });
  print('');
  return outcomes.every(Boolean);
}

const seeds = Array.from({ length: Number(options.seeds) }, (_, index) => index + 1);
const results: Record<string, Epoch[][]> = {};
for (const recipe of options.recipe) {
  const runs: Epoch[][] = [];
  for (const seed of seeds) runs.push(await train(recipe, seed));
  results[recipe] = runs;
}
print(`${machine()}, engine ${options.engine}, seeds ${seeds.join(', ')}; medians over the seeds\n`);
const outcomes = Object.entries(results).map(([recipe, runs]) => report(recipe, runs));
save(options.json, results);
process.exitCode = outcomes.every(Boolean) ? 0 : 1;

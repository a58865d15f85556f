import { parseArgs } from 'node:util';
import { Refusal } from '../scripts/lib/project.mjs';
import { ENGINE_NAMES, type EngineName } from '../src-shared/model/run-config';
import { buildOurs } from './build-ours';
import { PAPER } from './networks';
import { Peer, type Held } from './peer';
import { machine, print, progress, checkSavable, save, table } from './report';
import { ourProgram } from './speed';

/**
 * Whether training leaves anything behind: live buffers of the engine, heap and RAM before and after many steps of each engine in
 * each loop, dropout on. Ends with exit code 1 when an engine has more buffers after than before.
 */

const { values: options } = parseArgs({
  options: {
    engines: { type: 'string', default: 'simd,wasm' },
    steps: { type: 'string', default: '10000' },
    batch: { type: 'string', default: '16' },
    json: { type: 'string' },
  },
});
checkSavable(options.json);
const isEngine = (name: string): name is EngineName => ENGINE_NAMES.some((engine) => engine === name);
const engines = options.engines.split(',').map((name) => {
  if (!isEngine(name))
    throw new Refusal(`There is no engine ${name}; there is ${ENGINE_NAMES.join(', ')}.`, 2);
  return name;
});
const [steps, batchSize] = [Number(options.steps), Number(options.batch)];
if (!Number.isInteger(steps) || steps < 10 || !Number.isInteger(batchSize) || batchSize < 1) {
  throw new Refusal('--steps takes a whole number from 10 on and --batch one from 1 on.', 2);
}
const LOOKS = 10;

interface Course {
  readonly engine: EngineName;
  readonly mode: string;
  readonly variant: string;
  /** After the first steps, and then after each tenth of the others. */
  readonly held: readonly Held[];
}

async function follow(engine: EngineName, mode: string): Promise<Course> {
  const peer = await Peer.start(ourProgram(process.execPath, engine, 2));
  try {
    await peer.prepare(mode, mode, batchSize, PAPER);
    // Compilers and caches fill in the first steps.
    await peer.trainSteps(mode, Math.ceil(steps / LOOKS));
    const held = [await peer.look()];
    for (let look = 0; look < LOOKS; look += 1) {
      await peer.trainSteps(mode, Math.floor(steps / LOOKS));
      held.push(await peer.look());
      progress(`${engine}, ${mode}: ${String(((look + 1) * steps) / LOOKS)} steps`);
    }
    return { engine, mode, variant: peer.versions[engine] ?? '', held };
  } finally {
    await peer.close();
  }
}

await buildOurs();
const courses: Course[] = [];
for (const engine of engines) {
  for (const mode of ['imperative', 'fit']) courses.push(await follow(engine, mode));
}
save(options.json, courses);

print(
  `${machine()}, ${PAPER.name}, minibatches of ${String(batchSize)}, ${String(steps)} steps after ${String(steps / LOOKS)}.\n`,
);
print(
  table(
    ['engine', 'loop', 'live buffers', 'heap, MB', 'RAM, MB', 'RAM, least to most'],
    courses.map(({ engine, variant, mode, held }) => {
      const change = (pick: (held: Held) => number, digits: number): string => {
        const values = held.map(pick);
        return `${values[0]!.toFixed(digits)} to ${values[values.length - 1]!.toFixed(digits)}`;
      };
      const resident = held.map((look) => look.resident);
      return [
        `${engine} (${variant})`,
        mode,
        change(({ buffers }) => buffers, 0),
        change(({ heap }) => heap, 2),
        change((look) => look.resident, 1),
        `${Math.min(...resident).toFixed(1)} to ${Math.max(...resident).toFixed(1)}`,
      ];
    }),
  ),
);
const grew = courses.some(({ held: [first, ...later] }) =>
  later.some(({ buffers }) => buffers > (first?.buffers ?? 0)),
);
if (grew) process.exitCode = 1;

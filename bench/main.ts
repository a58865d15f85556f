import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, release, tmpdir, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { inProject, Refusal } from '../scripts/lib/project.mjs';
import { writeWhole } from '../src-node/write-file.mjs';
import { buildOurs } from './build-ours';
import { GROWING, OTHER_NETWORKS, PAPER } from './networks';
import { machine, print, progress, checkSavable, save } from './report';
import { randomFrom } from './rounds';
import { ENGINE_NAMES } from '../src-shared/model/run-config';
import {
  measureSpeeds,
  startCompetitors,
  type Comparison,
  type Competitor,
  type LeftOut,
  type Speeds,
} from './speed';
import { plainSpeeds, speedTable } from './speed-report';

/** `npm run bench`: every section after the other in one run. docs/benchmarks.md says how to read it. */

const SECTIONS = ['engines', 'networks', 'scaling', 'watching', 'memory', 'start'] as const;
type Section = (typeof SECTIONS)[number];

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: SECTIONS.join(',') },
    seed: { type: 'string' },
    rounds: { type: 'string' },
    milliseconds: { type: 'string' },
    batch: { type: 'string' },
    json: { type: 'string' },
    log: { type: 'boolean', default: false },
  },
});
checkSavable(options.json);
const { quick } = options;
const isSection = (name: string): name is Section => SECTIONS.some((section) => section === name);
const sections = options.only.split(',').map((name) => {
  if (!isSection(name))
    throw new Refusal(`There is no section ${JSON.stringify(name)}; there is ${SECTIONS.join(', ')}.`, 2);
  return name;
});
function whole(name: string, text: string | undefined, otherwise: number, least: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isInteger(value) || value < least) {
    throw new Refusal(
      `--${name} takes a whole number from ${String(least)} on, not ${JSON.stringify(text)}.`,
      2,
    );
  }
  return value;
}
/** Batch sizes of section engines. */
const listed = (text: string): number[] => text.split(',').map((size) => whole('batch', size, 0, 1));
const seed = whole('seed', options.seed, randomInt(2 ** 31), 0);
const rounds = whole('rounds', options.rounds, quick ? 3 : 7, 1);
const milliseconds = whole('milliseconds', options.milliseconds, quick ? 150 : 400, 1);
const batchSizes = options.batch === undefined ? (quick ? [64] : [1, 16, 64, 256]) : listed(options.batch);
const threads = availableParallelism() > 1 ? [1, 2] : [1];

const BOTH_LOOPS = { engines: ENGINE_NAMES, modes: ['imperative', 'fit'] };
/** At ten million parameters a minibatch takes even simd most of a second; wasm would take the section's time for itself. */
const SIMD_WATCHED = { engines: ['simd'] as const, modes: ['imperative', 'watched'] };

/** What each section that compares speeds trains. */
const COMPARED: Partial<Record<Section, readonly Comparison[]>> = {
  engines: batchSizes.map((batchSize) => ({ recipe: PAPER, batchSize, ours: BOTH_LOOPS })),
  networks: OTHER_NETWORKS.map((recipe) => ({ recipe, batchSize: 64, ours: BOTH_LOOPS })),
  scaling: (quick ? GROWING.slice(0, 2) : GROWING).map((recipe) => ({
    recipe,
    batchSize: 64,
    ours: SIMD_WATCHED,
  })),
};

const minutes: Record<Section, number> = quick
  ? { engines: 1, networks: 2, scaling: 1.5, watching: 5, memory: 1, start: 0.5 }
  : { engines: 12, networks: 8, scaling: 12, watching: 17, memory: 11, start: 1 };
const expected = sections.reduce((sum, section) => sum + minutes[section], 0);
progress(
  `Sections ${sections.join(', ')}: about ${String(expected)} minutes, and once more to set up the peers. Seed ${String(seed)}.`,
);

const leftOut: LeftOut = [];
const random = randomFrom(seed);
const compared = new Map<Section, Speeds[]>();
const others = new Map<Section, { text: string; json: unknown }>();
let competitors: Competitor[] = [];
try {
  if (sections.some((section) => COMPARED[section] !== undefined)) {
    await buildOurs();
    competitors = await startCompetitors(threads, leftOut);
  }
  for (const section of sections) {
    const speeds: Speeds[] = [];
    for (const comparison of COMPARED[section] ?? []) {
      speeds.push(await measureSpeeds(competitors, comparison, { rounds, milliseconds, random, leftOut }));
    }
    if (speeds.length > 0) compared.set(section, speeds);
  }
} finally {
  await Promise.all(competitors.map(({ peer }) => peer.close()));
}
if (sections.includes('watching')) {
  runOther('watching', ['watching', ...(quick ? ['--rounds', '1', '--pairs', '3'] : [])]);
}
if (sections.includes('memory')) runOther('memory', ['memory', '--minutes', quick ? '0.5' : '10']);
if (sections.includes('start')) runOther('start', ['start-time', '--starts', quick ? '3' : '7']);

/** Watching and starting need the machine for themselves, so they run once the competitors are gone. */
function runOther(section: Section, args: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'gradscope-bench-'));
  const file = join(folder, 'result.json');
  const ended = spawnSync(process.execPath, [inProject('scripts/bench.mjs'), ...args, '--json', file], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (ended.status === 0) {
    others.set(section, { text: ended.stdout, json: JSON.parse(readFileSync(file, 'utf8')) as unknown });
  } else leftOut.push(`${section}: ended with exit code ${String(ended.status)}.`);
  rmSync(folder, { recursive: true });
}

const versions = competitors.map(({ name, threads: count, peer }) => ({
  name,
  threads: count,
  ...peer.versions,
}));
const about = `${machine()}, ${(totalmem() / 2 ** 30).toFixed(0)} GB, ${type()} ${release()}`;
const resultFile = options.json ?? join(tmpdir(), `gradscope-bench-${String(process.pid)}.json`);
save(resultFile, {
  date: new Date().toISOString(),
  machine: about,
  seed,
  rounds,
  milliseconds,
  versions,
  leftOut,
  speeds: Object.fromEntries([...compared].map(([section, speeds]) => [section, speeds.map(plainSpeeds)])),
  ...Object.fromEntries([...others].map(([section, { json }]) => [section, json])),
});

const report = [
  `${about}. Seed ${String(seed)}, ${String(rounds)} rounds of ${String(milliseconds)} ms.`,
  ...(compared.size > 0
    ? [
        '',
        'Ratios are to the fastest setting of any peer in the same round: median (95 % interval, or lowest to highest).',
      ]
    : []),
  ...[...compared].flatMap(([section, speeds]) => [
    `\n## ${section}\n`,
    ...speeds.map((of) => `${speedTable(of, threads)}\n`),
  ]),
  ...[...others].flatMap(([section, { text }]) => [`\n## ${section}\n`, text]),
  ...(versions.length > 0 ? ['\nVersions:\n'] : []),
  ...versions.map(
    ({ name, threads: count, ...of }) => `- ${name}, ${String(count)} threads: ${JSON.stringify(of)}`,
  ),
  ...(leftOut.length > 0 ? ['\nLeft out:\n', ...leftOut.map((sentence) => `- ${sentence}`)] : []),
].join('\n');
print(report);
progress(`The figures of every round are in ${resultFile}.`);
if (options.log) appendToLog(report);

/** Newest first: in front of the first entry. */
function appendToLog(entry: string): void {
  const file = inProject('docs/performance-log.md');
  const text = readFileSync(file, 'utf8');
  const at = text.indexOf('\n## ');
  const date = new Date().toISOString().slice(0, 10);
  const command = `npm run bench -- ${process.argv.slice(2).join(' ')}`;
  const nested = entry.replace(/^(#+) /gm, '#$1 ');
  writeWhole(file, `${text.slice(0, at)}\n## ${date}: \`${command.trim()}\`\n\n${nested}\n${text.slice(at)}`);
}

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import { inProject } from '../scripts/lib/project.mjs';
import { readHeadlessRun } from '../src-main/headless/options';
import { TrainerClient } from '../src-main/headless/trainer-client';
import { forkTrainer } from '../src-main/worker-host/forked-trainer';
import { RelayHost } from '../src-main/worker-host/relay-host';
import { Supervisor } from '../src-main/worker-host/supervisor';
import { planNetwork } from '../src-shared/model/network';
import { recipeNamed } from '../src-shared/model/recipe';
import { readSafetensors, writeSafetensors } from '../src-shared/model/safetensors';
import { GradscopeError, type ErrorCode } from '../src-shared/protocol/errors';
import { loadDataset } from '../src-worker/data/dataset';
import { EngineTables } from '../src-worker/training/engine-tables';
import { BYTE_MUTATIONS, HEADER_MUTATIONS, withHeader, type Mutation } from './broken-files';
import type { CampaignFigures, CampaignOptions } from './campaign';
import { plainIdx, plainWeights } from './plain-decoders';
import { Random } from './random';

/**
 * Breaks files of every kind that Gradscope reads, and has the real readers read them. A file is either taken, and then every value is
 * the one that its bytes say, or it is refused by one sentence of at most 300 characters that names it, and nothing has changed.
 */

const HOW_OFTEN = {
  short: { weights: 1_000, datasets: 100, orders: 200, tables: 50, trainer: 30, commands: 1 },
  full: { weights: 80_000, datasets: 12_000, orders: 6_000, tables: 3_000, trainer: 4_000, commands: 24 },
} as const;
const MOST_CHARACTERS = 300;
const STREAM = 0xf11e;

const PLAN = planNetwork(recipeNamed('pytorch-paper').network);

export async function run(options: CampaignOptions): Promise<CampaignFigures> {
  const { size, seed } = options;
  const say = (line: string): void => {
    options.say(line);
  };
  const random = new Random(seed, STREAM);
  const tried: Record<string, number> = {};
  const lost: string[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'gradscope-campaign-'));
  const often = HOW_OFTEN[size];
  const attempts = (what: keyof typeof often, attempt: (name: string) => string | null): void => {
    for (let i = 0; i < often[what]; i++) {
      const name = `${what} ${i}`;
      const loss = attempt(`${what}-${i}`);
      if (loss !== null) lost.push(`${name}: ${loss}`);
    }
    tried[what] = often[what];
    say(`${often[what]} ${what}, ${lost.length} lost so far`);
  };
  try {
    const bases = soundWeights(random);
    attempts('weights', (name) => tryWeights(brokenWeights(bases, random), name));
    const sound = soundDataset(random);
    attempts('datasets', () => tryDataset(sound, join(folder, 'data'), random));
    attempts('orders', (name) => tryOrder(join(folder, `${name}.json`), random));
    attempts('tables', () => tryTable(join(folder, 'tables'), random));
    lost.push(...(await tryTrainer(bases, often.trainer, random)));
    tried['files into a trainer'] = often.trainer;
    say(`${often.trainer} files into a trainer, ${lost.length} lost so far`);
    attempts('commands', (name) =>
      tryCommand(brokenWeights(bases, random), join(folder, `${name}.safetensors`)),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
  return { name: 'files', tried, lost };
}

/** The sentence of a refusal as it should be; else what is wrong with it. */
function faultOf(error: unknown, file: string, codes: readonly ErrorCode[]): string | null {
  if (!(error instanceof GradscopeError)) return `threw ${String(error).slice(0, 200)}`;
  if (!codes.includes(error.code)) return `was refused with the code ${error.code}: ${error.message}`;
  return faultOfSentence(error.message, file);
}

function faultOfSentence(sentence: string, file: string): string | null {
  if (sentence.length > MOST_CHARACTERS)
    return `said ${sentence.length} characters: ${sentence.slice(0, 100)}`;
  if (/[\n\r]/.test(sentence)) return `said several lines: ${sentence}`;
  return sentence.includes(file) ? null : `did not name ${file}: ${sentence}`;
}

// ---------------------------------------------------------------- weights

/** One sound file of each type and name that is read. */
function soundWeights(random: Random): Uint8Array[] {
  const tensors = PLAN.parameters.map(({ name, shape, size }) => ({
    name,
    shape,
    values: Float32Array.from({ length: size }, () => (random.below(2001) - 1000) / 1024),
  }));
  const plain = writeSafetensors(tensors);
  const prefixed = (prefix: string): Uint8Array =>
    withHeader(plain, (text) => text.replaceAll(/"(conv|fc)/g, `"${prefix}$1`));
  const half = (bytes: number, dtype: string): Uint8Array => {
    // Any bits that are finite will do.
    const size = tensors.reduce((sum, { values }) => sum + values.length, 0);
    const data = Uint8Array.from({ length: size * bytes }, (_, i) =>
      i % bytes === bytes - 1 ? 0x20 + random.below(0x18) : random.below(256),
    );
    let end = 0;
    const header = Object.fromEntries(
      tensors.map(({ name, shape, values }) => {
        const begin = end;
        end += values.length * bytes;
        return [name, { dtype, shape, data_offsets: [begin, end] }];
      }),
    );
    const start = withHeader(plain, () => JSON.stringify(header));
    return Buffer.concat([start.subarray(0, start.length - size * 4), data]);
  };
  return [
    plain,
    plain,
    prefixed('module.'),
    prefixed('_orig_mod.module.'),
    half(2, 'F16'),
    half(2, 'BF16'),
    half(8, 'F64'),
  ];
}

function brokenWeights(bases: readonly Uint8Array[], random: Random): Uint8Array {
  let file = random.pick(bases);
  const mutations: readonly Mutation[] = [...BYTE_MUTATIONS, ...HEADER_MUTATIONS];
  for (let changes = random.below(3); changes >= 0; changes--) {
    const [, change] = random.pick(mutations);
    try {
      file = change(file, random);
    } catch {
      // A header that is broken already cannot be edited: it stays as it is.
    }
  }
  return file;
}

function tryWeights(file: Uint8Array, name: string): string | null {
  const before = createHash('sha256').update(file).digest('hex');
  let fault: string | null;
  try {
    fault = differenceOf(readSafetensors(file, PLAN.parameters, name).values, plainWeights(file));
  } catch (error) {
    fault = faultOf(error, name, ['bad-weights']);
  }
  if (createHash('sha256').update(file).digest('hex') !== before) return 'changed the bytes that it read';
  return fault;
}

function differenceOf(
  found: ReadonlyMap<string, Float32Array>,
  expected: ReadonlyMap<string, readonly number[]>,
): string | null {
  for (const { name, size } of PLAN.parameters) {
    const [mine, plain] = [found.get(name), expected.get(name)];
    if (mine?.length !== size || plain?.length !== size) return `has another number of values in ${name}`;
    const at = plain.findIndex((value, i) => !Object.is(value, mine[i]) || !Number.isFinite(value));
    if (at >= 0) return `read ${String(mine[at])} where ${String(plain[at])} stands in ${name} at ${at}`;
  }
  return null;
}

// ---------------------------------------------------------------- datasets

const IDX_NAMES = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
] as const;

function soundDataset(random: Random): Uint8Array[] {
  const words = (...values: number[]): Buffer => {
    const bytes = Buffer.alloc(values.length * 4);
    for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, i * 4);
    return bytes;
  };
  return [12, 5].flatMap((count) => [
    Buffer.concat([words(0x803, count, 6, 6), random.bytes(count * 36)]),
    Buffer.concat([words(0x801, count), Uint8Array.from({ length: count }, () => random.below(10))]),
  ]);
}

/** One of the four files is broken; it may be compressed or have a dot in its name. */
function tryDataset(sound: readonly Uint8Array[], folder: string, random: Random): string | null {
  rmSync(folder, { recursive: true, force: true });
  const broken = random.below(4);
  const files = sound.map((file, i) => {
    let bytes = i === broken ? random.pick(BYTE_MUTATIONS)[1](file, random) : file;
    let name: string = IDX_NAMES[i]!;
    if (random.below(3) === 0) name = name.replace('-idx', '.idx');
    if (random.below(3) === 0) {
      name += '.gz';
      bytes = gzipSync(bytes, { level: 1 });
      if (i === broken && random.below(2) === 0) bytes = random.pick(BYTE_MUTATIONS)[1](bytes, random);
    }
    return { name, bytes };
  });
  mkdirSync(folder, { recursive: true });
  for (const { name, bytes } of files) writeFileSync(join(folder, name), bytes);
  try {
    const { train, test } = loadDataset(folder, 'campaign');
    const found = [train.pixels, train.labels, test.pixels, test.labels];
    const at = found.findIndex((values, i) => plainIdx(files[i]!.bytes).join() !== [...values].join());
    return at < 0 ? null : `read other bytes than those of ${files[at]!.name}`;
  } catch (error) {
    // The counts of two files may differ, so the one that is named need not be the one that was broken.
    return faultOf(error, folder.slice(-20), ['bad-dataset']);
  }
}

// ---------------------------------------------------------------- JSON

function tryOrder(file: string, random: Random): string | null {
  const batches = Array.from({ length: 1 + random.below(5) }, () =>
    Array.from({ length: 1 + random.below(5) }, () => random.below(60_000)),
  );
  const bytes = random.pick(BYTE_MUTATIONS)[1](Buffer.from(JSON.stringify(batches)), random);
  writeFileSync(file, bytes);
  try {
    const { order } = readHeadlessRun(['--order', file]).config;
    const plain = JSON.stringify(JSON.parse(Buffer.from(bytes).toString('utf8')));
    return JSON.stringify(order) === plain ? null : `read ${JSON.stringify(order)} where ${plain} stands`;
  } catch (error) {
    return faultOf(error, file.slice(-20), ['bad-order']);
  } finally {
    rmSync(file);
  }
}

/** What was measured before is taken or measured anew; it never ends anything. */
function tryTable(folder: string, random: Random): string | null {
  const table = [
    { name: 'simd', variant: 'SIMD', versions: { kernels: '1' }, imagesPerSecond: 20_000, reason: null },
  ] as const;
  const warnings: string[] = [];
  const open = (): EngineTables => new EngineTables(folder, (sentence) => warnings.push(sentence));
  rmSync(folder, { recursive: true, force: true });
  open().put('key', table);
  const [name = ''] = readdirSync(folder);
  const file = join(folder, name);
  const sound = readFileSync(file);
  writeFileSync(file, random.pick(BYTE_MUTATIONS)[1](sound, random));
  try {
    open().get('key');
    const tables = open();
    tables.put('key', table);
    const kept = open().get('key');
    return isDeepStrictEqual(kept, table) ? null : `kept ${JSON.stringify(kept)}`;
  } catch (error) {
    return `threw ${String(error).slice(0, 200)}`;
  }
}

// ---------------------------------------------------------------- a trainer, and the command

/** Through the real connection into a real run: its weights are those of the file, or the ones of before. */
async function tryTrainer(bases: readonly Uint8Array[], times: number, random: Random): Promise<string[]> {
  const lost: string[] = [];
  const host = new RelayHost(new Supervisor({ spawn: () => forkTrainer(inProject('out/main/worker.js')) }));
  try {
    let tellReady = (): void => undefined;
    const ready = new Promise<void>((resolve) => (tellReady = resolve));
    const client = new TrainerClient(host.connect(), ({ type }) => {
      if (type === 'ready') tellReady();
    });
    await Promise.race([ready, client.lost]);
    const shaNow = async (): Promise<string> =>
      (await client.request('saveWeights', {})).result.weightsSha256;
    let before = await shaNow();
    for (let i = 0; i < times; i++) {
      const file = brokenWeights(bases, random);
      const name = `trainer-${i}`;
      const fault = await client.request('loadWeights', { fileName: name }, file).then(
        () => {
          before = shaOf(plainWeights(file));
          return null;
        },
        (error: unknown) => faultOf(error, name, ['bad-weights']),
      );
      const now = await shaNow();
      if (fault !== null) lost.push(`${name}: ${fault}`);
      else if (now !== before) lost.push(`${name}: left other weights than those that it should`);
      before = now;
    }
  } finally {
    await host.stop();
  }
  return lost;
}

function shaOf(values: ReadonlyMap<string, readonly number[]>): string {
  const hash = createHash('sha256');
  for (const { name } of PLAN.parameters) {
    hash.update(new Uint8Array(Float32Array.from(values.get(name) ?? []).buffer));
  }
  return hash.digest('hex');
}

/** As a user runs it: exit code 0, or 2 with one sentence and nothing on stdout. */
function tryCommand(bytes: Uint8Array, file: string): string | null {
  writeFileSync(file, bytes);
  const args = ['--init', file, '--steps', '1', '--engine', 'simd', '--json'];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [inProject('out/main/headless.js'), ...args],
    {
      encoding: 'utf8',
    },
  );
  if (status === 0) return stdout.includes('"done"') ? null : `ended well without a word: ${stdout}`;
  if (status !== 2 || stdout !== '') return `ended with exit code ${String(status)}: ${stderr.slice(0, 300)}`;
  return faultOfSentence(stderr.trimEnd(), file.slice(-20));
}

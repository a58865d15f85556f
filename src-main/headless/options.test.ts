import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RECIPES } from '../../src-shared/model/recipe';
import { ENGINE_NAMES } from '../../src-shared/model/run-config';
import { exitCodeOf, sentenceOf } from '../program';
import { readHeadlessRun } from './options';

const ENGINES = ['auto', ...ENGINE_NAMES].join(', ');

let folder: string;
const inFolder = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradscope-options-'));
  const files: Readonly<Record<string, string>> = {
    'order.json': '[[3, 1, 2], [0]]',
    'wrong.json': JSON.stringify([Array(300_000).fill(1.5)]),
    'deep.json': '['.repeat(100_000) + ']'.repeat(100_000),
    'wide.json': JSON.stringify([Array(900_000).fill(1)]),
    'text.json': 'batches',
    'words.json': '[[0], [1, "two"]]',
    'fraction.json': '[[0.5]]',
    'negative.json': '[[-1]]',
    'flat.json': '[1, 2]',
    'none.json': '[]',
    'hollow.json': '[[0], []]',
    'weights.safetensors': 'whatever; the trainer looks into it',
    large: '',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(inFolder(name), text);
  // As large as a message may be; sparse.
  await truncate(inFolder('large'), 64 * 1024 * 1024);
  execFileSync('mkfifo', [inFolder('pipe')]);
});
afterAll(() => rm(folder, { recursive: true }));

function refusalOf(...args: string[]): { code: number; sentence: string } {
  try {
    readHeadlessRun(args);
  } catch (error) {
    return { code: exitCodeOf(error), sentence: sentenceOf(error).replaceAll(folder, '') };
  }
  throw new Error('It was not refused.');
}

describe('the options of npm run train', () => {
  // Catches: a default that differs from what is documented.
  it('have the documented defaults', () => {
    expect(readHeadlessRun([])).toEqual({
      config: {
        recipe: 'pytorch-paper',
        mode: 'imperative',
        seed: 1,
        engine: 'auto',
        epochs: null,
        stopAtStep: null,
        dropout: true,
        order: null,
      },
      weights: null,
      orderFile: null,
      saveTo: null,
      json: false,
      steps: false,
    });
  });

  // Catches: an option that is read and then not used.
  it('all reach the run', () => {
    const run = readHeadlessRun([
      ...[
        '--recipe',
        'keras-paper',
        '--mode',
        'fit',
        '--steps',
        '7',
        '--seed',
        '4294967295',
        '--engine',
        'cpu',
      ],
      ...['--init', inFolder('weights.safetensors'), '--order', inFolder('order.json'), '--no-dropout'],
      ...['--save', 'out.safetensors', '--json'],
    ]);
    expect(run.config).toEqual({
      recipe: 'keras-paper',
      mode: 'fit',
      seed: 0xffff_ffff,
      engine: 'cpu',
      epochs: 7,
      stopAtStep: 7,
      dropout: false,
      order: [[3, 1, 2], [0]],
    });
    expect(run.weights?.bytes).toHaveLength(35);
    expect([run.saveTo, run.json, run.steps]).toEqual(['out.safetensors', true, true]);
    expect(readHeadlessRun(['--epochs', '2']).config).toMatchObject({ epochs: 2, stopAtStep: null });
  });

  // Catches: a typing error that trains for hours with a default instead, or a refusal that does not say what was wrong.
  it.each([
    [['--bogus'], "Unknown option '--bogus'."],
    [['--epoch', '1'], "Unknown option '--epoch'. (Did you mean --epochs?)"],
    [['fit'], 'Too many arguments. Expected 0 arguments but got 1.'],
    [['--save'], "Option '--save <file>' argument missing."],
    [
      ['--recipe', 'x'],
      `There is no recipe called "x"; there is ${RECIPES.map(({ name }) => name).join(', ')}.`,
    ],
    [
      ['--mode', 'both'],
      "Option '--mode <loop>' argument 'both' is invalid: it should be imperative or fit.",
    ],
    [['--engine', 'x'], `There is no engine called "x"; there is ${ENGINES}.`],
    [['--epochs', '1', '--steps', '1'], "Option '--steps <n>' cannot be used with option '--epochs <n>'."],
  ])('%j are refused', (args, sentence) => {
    expect(refusalOf(...args)).toEqual({ code: 2, sentence });
  });

  // Catches: a sentence without a subject, such as " cannot be read".
  it.each([
    ['--recipe', 'There is no recipe called "'],
    ['--mode', "Option '--mode <loop>' argument '' is invalid: it should be imperative or fit."],
    ['--epochs', "Option '--epochs <n>' argument '' is invalid: it should be a whole number from 1 on."],
    ['--steps', "Option '--steps <n>' argument '' is invalid: it should be a whole number from 1 on."],
    [
      '--seed',
      "Option '--seed <n>' argument '' is invalid: it should be a whole number from 0 to 4294967295.",
    ],
    ['--engine', 'There is no engine called ""; there is'],
    ['--init', "Option '--init <file>' argument '' is invalid: it should be the path of a file."],
    ['--order', "Option '--order <file>' argument '' is invalid: it should be the path of a file."],
    ['--save', "Option '--save <file>' argument '' is invalid: it should be the path of a file."],
  ])('refuse %s with nothing as its value', (option, sentence) => {
    const refusal = refusalOf(option, '');
    expect(refusal.code).toBe(2);
    expect(refusal.sentence.startsWith(sentence), refusal.sentence).toBe(true);
  });

  // Catches: Number()'s ideas of a number: '', ' 1', '1e3', '0x10', 'Infinity'.
  it.each(['', ' 1', '1e3', '0x10', 'Infinity', '-1', '1.5', '99999999999999999999'])(
    'numbers do not look like %j',
    (text) => {
      for (const option of ['--seed', '--epochs', '--steps']) {
        expect(refusalOf(`${option}=${text}`).code).toBe(2);
      }
    },
  );

  // Catches: a bad file noticed after an hour, or a message that names no file.
  it.each([
    ['--order', 'missing.json', '/missing.json cannot be read: there is no such file or folder.'],
    ['--order', '', ' cannot be read: it is a folder, where a regular file is expected.'],
    ['--order', 'text.json', '/text.json: expected JSON, found something else.'],
    ['--order', 'words.json', 'in batch 1 at position 1, found "two".'],
    ['--order', 'fraction.json', 'in batch 0 at position 0, found 0.5.'],
    ['--order', 'negative.json', 'in batch 0 at position 0, found -1.'],
    ['--order', 'flat.json', 'expected batch 0 to be a list'],
    ['--order', 'none.json', '/none.json: expected at least one batch, found none.'],
    ['--order', 'hollow.json', 'expected batch 1 to be a list'],
    ['--order', 'wrong.json', '; 1.5 in batch 0 at position 1; 1.5 in batch 0 at position 2; 299997 more.'],
    [
      '--order',
      'deep.json',
      '/deep.json: expected at most 32 arrays and objects inside one another, found more.',
    ],
    [
      '--order',
      'wide.json',
      '/wide.json: expected at most 900000 indices and batches all together, found more.',
    ],
    [
      '--init',
      'missing.safetensors',
      '/missing.safetensors cannot be read: there is no such file or folder.',
    ],
    ['--init', '', ' cannot be read: it is a folder, where a regular file is expected.'],
    ['--init', 'pipe', '/pipe cannot be read: it is a pipe, where a regular file is expected.'],
    ['--order', 'pipe', '/pipe cannot be read: it is a pipe, where a regular file is expected.'],
    ['--init', 'large', '/large cannot be read: it has 67108864 bytes, where at most 67043328 are allowed.'],
  ])('%s %s is refused', (option, file, part) => {
    const { code, sentence } = refusalOf(option, inFolder(file));
    expect(code).toBe(2);
    expect(sentence).toContain(part);
  });
});

// Catches: a hundred thousand characters of an argument on the terminal, or one that moves the cursor.
it.each([`--${'a'.repeat(100_000)}`, '--\u001b[2J'])(
  'an option that nobody knows is quoted in one line',
  (option) => {
    const error = new CommanderError(1, 'commander.unknownOption', `error: unknown option '${option}'`);
    expect(sentenceOf(error).length).toBeLessThanOrEqual(500);
    expect(sentenceOf(error)).toMatch(/^Unknown option '--(a+|\\u001b\[2J)/);
  },
);

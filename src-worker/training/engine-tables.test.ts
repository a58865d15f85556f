import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EngineTables, engineTableFolder } from './engine-tables';
import type { MeasuredEngine } from './measure-engines';

const TABLE: MeasuredEngine[] = [
  { name: 'simd', variant: 'SIMD', versions: { kernels: '1' }, imagesPerSecond: 20_000, reason: null },
  { name: 'wasm', variant: null, versions: {}, imagesPerSecond: null, reason: 'It cannot load.' },
];

let folder: string;
let warnings: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gradscope-tables-'));
  warnings = [];
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const open = (where: string | null = folder): EngineTables =>
  new EngineTables(where, (sentence) => warnings.push(sentence));
const onlyFile = (): string => {
  const [name = '', ...others] = readdirSync(folder);
  expect(others).toEqual([]);
  return join(folder, name);
};

describe('EngineTables', () => {
  // Catches: measuring again at every start; one network's table taken for another's.
  it('knows at the next start what was measured, under its own key only', () => {
    open().put('paper', TABLE);
    expect(open().get('paper')).toEqual(TABLE);
    expect(open().get('lenet')).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  // Catches: a file that was cut off or comes from another version ending the program, or being believed.
  it.each([
    ['cut off', (text: string) => text.slice(0, text.length / 2)],
    ['of another format', (text: string) => text.replace('"format":1', '"format":0')],
    ['of another key', (text: string) => text.replace('"paper"', '"lenet"')],
    ['with a speed that is no number', (text: string) => text.replace('20000', '"fast"')],
    ['empty', () => ''],
  ])('takes a file that is %s as not there, and writes it anew', (_what, spoil) => {
    open().put('paper', TABLE);
    writeFileSync(onlyFile(), spoil(readFileSync(onlyFile(), 'utf8')));
    const tables = open();
    expect(tables.get('paper')).toBeUndefined();
    tables.put('paper', TABLE);
    expect(open().get('paper')).toEqual(TABLE);
    expect(warnings).toEqual([]);
  });

  // Catches: a run that fails, or complains each time, because a folder cannot be written.
  it('remembers within the program where nothing can be written, and says so once', () => {
    const tables = open(join(onlyFileAsFolder(), 'engines'));
    tables.put('paper', TABLE);
    tables.put('lenet', TABLE);
    expect(tables.get('paper')).toEqual(TABLE);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('cannot be kept');
  });

  it('needs no folder', () => {
    const tables = open(null);
    tables.put('paper', TABLE);
    expect(tables.get('paper')).toEqual(TABLE);
    expect(warnings).toEqual([]);
  });
});

/** A file where a folder should be: not even root can write into it. */
function onlyFileAsFolder(): string {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  return file;
}

describe('engineTableFolder', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  // Catches: tests and benchmarks that write among what the user has measured.
  it.each([
    ['/g', '/g/engines'],
    ['', '/x/gradscope/engines'],
  ])('with GRADSCOPE_CACHE=%s is %s', (own, expected) => {
    vi.stubEnv('XDG_CACHE_HOME', '/x');
    vi.stubEnv('GRADSCOPE_CACHE', own);
    expect(engineTableFolder()).toBe(expected);
  });
});

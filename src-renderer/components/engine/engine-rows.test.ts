import { describe, expect, it } from 'vitest';
import { RECIPES } from '../../../src-shared/model/recipe';
import { DEFAULT_RUN_CONFIG } from '../../../src-shared/model/run-config';
import { PROTOCOL_VERSION, type Ready } from '../../../src-shared/protocol/messages';
import { engineRows, shortVariant, switchWords } from './engine-rows';

const [recipe] = RECIPES;
if (recipe === undefined) throw new Error('There are no recipes.');

const READY: Ready = {
  type: 'ready',
  protocol: PROTOCOL_VERSION,
  runId: 1,
  trainer: { name: 'Gradscope', version: '1' },
  engine: { name: 'simd', variant: 'SIMD, 2 threads', versions: {}, chosenBecause: 'asked for by name' },
  engines: ['simd', 'wasm', 'cpu'],
  engineTable: [
    { name: 'simd', variant: 'SIMD, 2 threads', imagesPerSecond: 20_130.4, reason: null },
    {
      name: 'wasm',
      variant: null,
      imagesPerSecond: null,
      reason: 'The engine wasm cannot load: it is broken.',
    },
    { name: 'cpu', variant: 'plain JavaScript', imagesPerSecond: 290, reason: null },
  ],
  dataset: {
    name: 'MNIST',
    trainExamples: 1,
    testExamples: 1,
    height: 28,
    width: 28,
    classes: 10,
    samples: [],
  },
  recipes: [recipe],
  config: DEFAULT_RUN_CONFIG,
  network: recipe.network,
  metricColumns: [],
  digit: { testIndex: 0, label: 0, assumedLabel: null, pixels: '' },
  clockMs: 0,
  heartbeatMs: null,
};

describe('the engine menu', () => {
  // Catches: a speed without its unit, a reason that is not shown, an engine left out.
  it('has auto first, then every engine with its speed or the reason why it cannot', () => {
    expect(engineRows(READY)).toEqual([
      {
        name: 'auto',
        choice: 'auto',
        speed: null,
        words: 'takes the fastest: simd',
        cannot: false,
        now: false,
      },
      {
        name: 'simd',
        choice: 'simd',
        speed: '20,130 images/s',
        words: 'SIMD, 2 threads',
        cannot: false,
        now: true,
      },
      {
        name: 'wasm',
        choice: 'wasm',
        speed: null,
        words: 'The engine wasm cannot load: it is broken.',
        cannot: true,
        now: false,
      },
      {
        name: 'cpu',
        choice: 'cpu',
        speed: '290 images/s',
        words: 'plain JavaScript',
        cannot: false,
        now: false,
      },
    ]);
  });

  // Catches: an engine that could be set up and that nobody hears of.
  it('ends with the engines that cannot be asked for here, and why', () => {
    const reason = 'The engine tensorflow cannot load: it is not set up.';
    const other = { name: 'tensorflow', variant: null, imagesPerSecond: null, reason };
    const rows = engineRows({ ...READY, engineTable: [other, ...READY.engineTable] });
    expect(rows).toHaveLength(5);
    expect(rows.at(-1)).toMatchObject({ name: 'tensorflow', choice: null, words: reason, cannot: true });
  });

  // Catches: a speed beside an engine that cannot be chosen, and no word why.
  it('says of an engine that was taken away since it was measured that it is not there', () => {
    const other = { name: 'tensorflow', variant: 'CPU', imagesPerSecond: 3300, reason: null };
    const rows = engineRows({ ...READY, engineTable: [other, ...READY.engineTable] });
    expect(rows.at(-1)).toMatchObject({ speed: null, cannot: true });
    expect(rows.at(-1)?.words).toContain('is not now');
  });

  it('says so when nothing is measured', () => {
    const rows = engineRows({ ...READY, engineTable: [] });
    expect(rows.map(({ words }) => words)).toEqual([
      'measures them before the first step',
      'SIMD, 2 threads',
      'not measured',
      'not measured',
    ]);
  });

  // Catches: a button that does nothing, or that promises another engine than auto takes.
  it('offers to switch the run only where that changes something, and names the engine', () => {
    expect(switchWords(READY, 'auto')).toBeNull();
    expect(switchWords(READY, 'cpu')).toBe('Switch this run to cpu');
    expect(switchWords(READY, 'simd')).toBe('Keep this run on simd');
    const pinned: Ready = {
      ...READY,
      config: { ...DEFAULT_RUN_CONFIG, engine: 'cpu' },
      engine: { ...READY.engine, name: 'cpu' },
    };
    expect(switchWords(pinned, 'auto')).toBe('Switch this run to simd');
    expect(switchWords({ ...pinned, engineTable: [] }, 'auto')).toBe('Switch this run to the fastest engine');
  });
});

// Catches: a badge that says "simd SIMD", or in which two builds of an engine look alike.
it.each([
  ['simd', 'relaxed SIMD', 'relaxed'],
  ['simd', 'SIMD', 'plain'],
  ['wasm', 'SIMD', 'SIMD'],
  ['wasm', 'no SIMD', 'no SIMD'],
  ['cpu', 'plain JavaScript', 'JavaScript'],
  ['tensorflow', 'CPU', 'CPU'],
  ['tensorflow-gpu', 'GPU', ''],
])('the variant of %s, %s, is "%s" in short', (name, variant, short) => {
  expect(shortVariant({ name, variant })).toBe(short);
});

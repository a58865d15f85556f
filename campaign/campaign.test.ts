import { beforeAll, expect, it } from 'vitest';
import { ensureBuilt } from '../scripts/lib/build.mjs';
import { figuresText } from './campaign';
import { CAMPAIGNS } from './campaigns';
import { Random } from './random';

const SEED = 1;

// Campaigns start the programs of out/, as a user does.
beforeAll(ensureBuilt);

it.each(Object.entries(CAMPAIGNS))(
  'the short form of %s loses nothing',
  async (name, run) => {
    const figures = await run({ size: 'short', seed: SEED, say: () => undefined });
    expect(figures.name).toBe(name);
    expect(Object.values(figures.tried).reduce((sum, times) => sum + times, 0)).toBeGreaterThan(0);
    expect(figures.lost).toEqual([]);
  },
  600_000,
);

// Catches: a loss that the table counts but nobody can read.
it('prints a row for each campaign, and every loss in words', () => {
  const text = figuresText([
    { name: 'first', tried: { 'bad texts': 1200, 'bad bytes': 34 }, lost: [], seconds: 12.4 },
    { name: 'second', tried: { kills: 2 }, lost: ['Kill 2 left a process.'], seconds: 0.6 },
  ]);
  expect(text.split('\n')).toEqual([
    '| campaign | tried | of which | lost | seconds |',
    '|---|---:|---|---:|---:|',
    '| first | 1,234 | bad texts 1,200, bad bytes 34 | 0 | 12 |',
    '| second | 2 | kills 2 | 1 | 1 |',
    '',
    'second: Kill 2 left a process.',
  ]);
});

// Catches: a loss that cannot be tried again, because the same seed gives other inputs.
it('gives the same random numbers for the same seed and stream, and others for another', () => {
  const first = (random: Random): number[] => Array.from({ length: 20 }, () => random.below(1000));
  expect(first(new Random(5))).toEqual(first(new Random(5)));
  expect(first(new Random(6))).not.toEqual(first(new Random(5)));
  expect(first(new Random(5, 1))).not.toEqual(first(new Random(5)));
});

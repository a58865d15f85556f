import { describe, expect, it } from 'vitest';
import { planNetwork } from '../src-shared/model/network';
import { GROWING, OTHER_NETWORKS } from './networks';

describe('networks of the benchmark', () => {
  it('fit together and tell ten classes apart', () => {
    for (const { network } of [...OTHER_NETWORKS, ...GROWING]) expect(planNetwork(network).classes).toBe(10);
  });

  it('grow from about 20 thousand to about 10 million parameters', () => {
    const counts = GROWING.map(({ network }) => planNetwork(network).parameterCount);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(counts[0]).toBe(21_840);
    expect(counts.at(-1)).toBeGreaterThan(9_000_000);
  });
});

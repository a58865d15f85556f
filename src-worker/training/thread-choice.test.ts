import { describe, expect, it } from 'vitest';
import type { Threads } from '../engine/engine';
import { ThreadChoice } from './thread-choice';

/** Steps take as long as `msOf` says for the number of threads in use. */
function machine(
  most: number,
  cores: number,
  msOf: (threads: number) => number,
): { choice: ThreadChoice; threads: Threads; train: (steps: number) => Set<number> } {
  let inUse = most;
  const threads: Threads = {
    most,
    get inUse() {
      return inUse;
    },
    use: (count) => {
      inUse = count;
    },
  };
  const choice = new ThreadChoice(threads, cores);
  return {
    choice,
    threads,
    train: (steps) => {
      const used = new Set<number>();
      for (let i = 0; i < steps; i += 1) {
        used.add(inUse);
        choice.finishedStep(msOf(inUse));
      }
      return used;
    },
  };
}

describe('the number of threads', () => {
  it('is the one whose steps are fastest', () => {
    const { threads, train } = machine(8, 8, (count) => 10 / Math.min(count, 4) + 0.3 * count);
    expect([...train(200)].toSorted()).toEqual([1, 2, 4, 8]);
    expect(threads.inUse).toBe(4);
    expect([...train(100)]).toEqual([4]);
  });

  it('is the smaller one where more gain nothing', () => {
    const { threads, train } = machine(2, 2, (count) => (count === 1 ? 1.01 : 1));
    train(200);
    expect(threads.inUse).toBe(1);
  });

  it('is not moved by single slow steps', () => {
    let step = 0;
    const { threads, train } = machine(2, 2, (count) => ((step += 1) % 4 === 0 ? 80 : 4 / count));
    train(200);
    expect(threads.inUse).toBe(2);
  });

  it('is measured again soon and then ever more rarely, as the machine may be another', () => {
    let isBusy = true;
    const { threads, train } = machine(2, 2, (count) => (isBusy && count === 2 ? 30 : 20 / count));
    train(60);
    expect(threads.inUse).toBe(1);
    isBusy = false;
    train(100);
    expect(threads.inUse).toBe(2);
    // Hours later a measurement is half a minute away at most.
    train(100_000);
    isBusy = true;
    train(3200);
    expect(threads.inUse).toBe(1);
  });

  it('leaves one core to the page from the moment somebody watches', () => {
    const { choice, threads, train } = machine(8, 4, (count) => 12 / count);
    train(200);
    expect(threads.inUse).toBe(4);
    choice.setWatched(true);
    expect(Math.max(...train(200))).toBe(3);
    expect(threads.inUse).toBe(3);
    choice.setWatched(false);
    train(200);
    expect(threads.inUse).toBe(4);
  });

  it('is one on two cores while somebody watches, and nothing is measured for it', () => {
    const { choice, train } = machine(2, 2, (count) => 12 / count);
    choice.setWatched(true);
    expect([...train(100)]).toEqual([1]);
  });

  it('is at least one', () => {
    const { choice, threads } = machine(1, 1, () => 1);
    choice.setWatched(true);
    expect(threads.inUse).toBe(1);
  });
});

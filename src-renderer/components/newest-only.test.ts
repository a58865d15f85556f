import { expect, test } from 'vitest';
import { newestOnly } from './newest-only';

test('while one is under way only the newest of the others is kept', async () => {
  const done: number[] = [];
  const gates: (() => void)[] = [];
  const run = newestOnly<number>(async (value) => {
    await new Promise<void>((resolve) => gates.push(resolve));
    done.push(value);
  });
  const all = [run(1), run(2), run(3), run(4)];
  gates.shift()?.();
  while (gates.length === 0) await Promise.resolve();
  gates.shift()?.();
  await Promise.all(all);
  expect(done).toEqual([1, 4]);
});

test('a task that fails does not block the next', async () => {
  const run = newestOnly<boolean>((fails) => (fails ? Promise.reject(new Error('no')) : Promise.resolve()));
  await expect(run(true)).rejects.toThrow('no');
  await expect(run(false)).resolves.toBeUndefined();
});

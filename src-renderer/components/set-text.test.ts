import { expect, test } from 'vitest';
import { setFilled } from './set-text';

/** A style that gives lengths back as browsers do: 50% where 50.0% was set. */
function barOnHand(): { bar: HTMLElement; set: string[] } {
  const set: string[] = [];
  const style = {
    get backgroundSize(): string {
      return (set.at(-1) ?? '').replaceAll(/[\d.]+/gu, (number) => String(Number(number)));
    },
    set backgroundSize(size: string) {
      set.push(size);
    },
  };
  return { bar: { style } as HTMLElement, set };
}

// Catches: a style that is set, and computed, again in every picture because its text never is the one that was set.
test.each([0, 0.01, 0.123, 0.5, 0.29, 0.9996, 1])(
  'a bar that is filled to %d is not touched again for that',
  (share) => {
    const { bar, set } = barOnHand();
    setFilled(bar, share);
    setFilled(bar, share);
    expect(set).toHaveLength(1);
    expect(Number.parseFloat(set[0] ?? '')).toBeCloseTo(share * 100, 0);
  },
);

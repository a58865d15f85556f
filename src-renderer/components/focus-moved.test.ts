import { expect, test } from 'vitest';
import { isFocusMoved, watchKeys } from './focus-moved';

const keyEvent = (type: string, key: string): Event => Object.assign(new Event(type), { key });

// Catches: a tooltip that opens, and stays, when a dialog gives the focus back.
test('the focus was moved only while a key is down that leads somewhere', () => {
  const page = new EventTarget();
  watchKeys(page);
  expect(isFocusMoved()).toBe(false);
  for (const [key, moves] of [
    ['Tab', true],
    ['ArrowDown', true],
    ['c', true],
    ['Escape', false],
    ['Enter', false],
    [' ', false],
  ] as const) {
    page.dispatchEvent(keyEvent('keydown', key));
    expect(isFocusMoved(), key).toBe(moves);
    page.dispatchEvent(keyEvent('keyup', key));
    expect(isFocusMoved(), `${key} let go`).toBe(false);
  }
  page.dispatchEvent(keyEvent('keydown', 'Tab'));
  page.dispatchEvent(new Event('pointerdown'));
  expect(isFocusMoved()).toBe(false);
});

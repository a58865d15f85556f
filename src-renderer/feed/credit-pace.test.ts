import { describe, expect, test } from 'vitest';
import { CreditPace } from './credit-pace';

function paceOnHand(costMs: number) {
  let nowMs = 1000;
  const timers: { dueMs: number; callback: () => void }[] = [];
  const returned: number[] = [];
  const pace = new CreditPace(
    {
      now: () => nowMs,
      after: (delayMs, callback) => {
        timers.push({ dueMs: nowMs + delayMs, callback });
      },
    },
    () => costMs,
    3,
  );
  return {
    pace,
    returned,
    draw: () => {
      pace.drawn(() => returned.push(nowMs));
    },
    pass: (ms: number) => {
      const end = nowMs + ms;
      for (const timer of timers.splice(0).toSorted((a, b) => a.dueMs - b.dueMs)) {
        if (timer.dueMs > end) timers.push(timer);
        else {
          nowMs = timer.dueMs;
          timer.callback();
        }
      }
      nowMs = end;
    },
  };
}

describe('the pace of credits', () => {
  test('a picture that costs little gives its credit back at once', () => {
    const { draw, pass, returned } = paceOnHand(2);
    draw();
    pass(16);
    draw();
    expect(returned).toEqual([1000, 1016]);
  });

  test('pictures take no more than a third of the time, and no credit is lost', () => {
    const { draw, pass, returned } = paceOnHand(10);
    draw();
    draw();
    draw();
    expect(returned).toEqual([1000]);
    pass(100);
    expect(returned).toEqual([1000, 1030, 1060]);
  });

  test('ten pictures a second come however slow the page is', () => {
    const { draw, pass, returned } = paceOnHand(500);
    draw();
    draw();
    pass(100);
    expect(returned).toEqual([1000, 1100]);
  });

  test('when training stands nobody waits: what is held goes back, and what follows at once', () => {
    const { pace, draw, pass, returned } = paceOnHand(30);
    draw();
    draw();
    draw();
    pass(10);
    pace.setRunning(false);
    expect(returned).toEqual([1000, 1010, 1010]);
    draw();
    pass(1000);
    expect(returned).toEqual([1000, 1010, 1010, 1010]);
  });
});

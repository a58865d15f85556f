import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { FrameHead, Layout, SlotState } from '../../src-shared/protocol/messages';
import { FrameStore, type FrameClock } from './frame-store';

const layout = (layoutId: number): Layout => ({
  type: 'layout',
  layoutId,
  slots: [
    {
      name: 'fc1.weight',
      kind: 'weight',
      shape: [2, 2],
      sentShape: [2, 2],
      block: null,
      offset: 0,
      length: 4,
    },
    {
      name: 'fc1.weight',
      kind: 'gradient',
      shape: [2, 2],
      sentShape: [2, 2],
      block: null,
      offset: 4,
      length: 4,
    },
  ],
});
const fresh = (step: number): SlotState => ({ freshness: 'fresh', step, phase: 'step', nan: 0, infinite: 0 });
const head = (step: number, layoutId = 1): FrameHead => ({
  type: 'frame',
  runId: 1,
  layoutId,
  step,
  phase: 'step',
  layer: null,
  example: null,
  appliedAtMs: 0,
  skipped: 0,
  slots: [fresh(step), fresh(step)],
});
const payload = (value: number): Float32Array => new Float32Array(8).fill(value);

/** Animation frames by hand. */
class HandClock implements FrameClock {
  readonly painters = { read: new Set<(nowMs: number) => void>(), after: new Set<(nowMs: number) => void>() };
  asked = 0;
  later: number[] = [];

  addPainter(phase: 'read' | 'after', painter: (nowMs: number) => void): () => void {
    this.painters[phase].add(painter);
    return () => this.painters[phase].delete(painter);
  }
  invalidate(): void {
    this.asked += 1;
  }
  invalidateAfter(delayMs: number): void {
    this.later.push(delayMs);
  }
  frame(nowMs: number, paint: () => void = () => undefined): void {
    for (const painter of this.painters.read) painter(nowMs);
    paint();
    for (const painter of this.painters.after) painter(nowMs);
  }
}

function joined(): { store: FrameStore; clock: HandClock } {
  const store = new FrameStore();
  const clock = new HandClock();
  store.attach(clock);
  store.setLayout(layout(1));
  return { store, clock };
}

describe('FrameStore', () => {
  test('gives a frame out only from the next animation frame on, and calls drawn after it was painted', () => {
    const { store, clock } = joined();
    const drawn = vi.fn();
    store.put(head(7), payload(7), drawn);
    expect(clock.asked).toBe(1);
    expect(store.latest()).toBeNull();
    clock.frame(16, () => {
      expect(store.latest()?.slot('fc1.weight', 'gradient')?.values).toEqual(new Float32Array(4).fill(7));
      expect(drawn).not.toHaveBeenCalled();
    });
    expect(drawn).toHaveBeenCalledOnce();
    clock.frame(32);
    expect(drawn).toHaveBeenCalledOnce();
  });

  test('a frame that was overtaken gives its credit back with the one that overtook it, not before', () => {
    const { store, clock } = joined();
    const first = vi.fn();
    const second = vi.fn();
    store.put(head(1), payload(1), first);
    store.put(head(2), payload(2), second);
    expect(first).not.toHaveBeenCalled();
    clock.frame(16);
    expect(store.latest()?.step).toBe(2);
    expect([first.mock.calls.length, second.mock.calls.length]).toEqual([1, 1]);
  });

  test('a page that stops drawing gives no credit back', () => {
    const { store } = joined();
    const drawn = vi.fn();
    for (let step = 1; step <= 50; step += 1) store.put(head(step), payload(step), drawn);
    expect(drawn).not.toHaveBeenCalled();
    expect(store.pending).toBe(50);
  });

  test('in whatever order frames, animation frames and new runs come, every frame is answered exactly once', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('put', 'paint', 'stale', 'clear', 'slow', 'fast')), (events) => {
        const { store, clock } = joined();
        const answers: number[] = [];
        let nowMs = 0;
        for (const event of events) {
          const id = answers.length;
          const drawn = (): void => {
            answers[id] = (answers[id] ?? 0) + 1;
          };
          if (event === 'put') {
            answers.push(0);
            store.put(head(id), payload(id), drawn);
          } else if (event === 'stale') {
            answers.push(0);
            store.put(head(id, 99), payload(id), drawn);
            expect(answers[id]).toBe(1);
          } else if (event === 'paint') clock.frame((nowMs += 16));
          else if (event === 'clear') store.clear();
          else store.setMinimumInterval(event === 'slow' ? 250 : 0);
        }
        store.setMinimumInterval(0);
        clock.frame(nowMs + 1000);
        expect(answers.every((count) => count === 1)).toBe(true);
        expect(store.pending).toBe(0);
      }),
    );
  });

  test('with reduced motion shows a new picture four times a second at most, and asks to be woken', () => {
    const { store, clock } = joined();
    store.setMinimumInterval(250);
    const shown: (number | undefined)[] = [];
    for (let frame = 0; frame < 40; frame += 1) {
      store.put(head(frame), payload(frame), () => undefined);
      clock.frame(1000 + frame * 16);
      shown.push(store.latest()?.step);
    }
    expect(new Set(shown).size).toBe(3);
    expect(clock.later.every((delayMs) => delayMs > 0 && delayMs <= 250)).toBe(true);
  });

  // Catches: words of which one half is of one picture and the other of the next, as they take several animation frames.
  test('words are of the picture with which they began, until they begin again', () => {
    const store = new FrameStore();
    const clock = new HandClock();
    let begin: () => void = () => undefined;
    store.attach(
      Object.assign(clock, {
        onSweep: (listener: () => void) => {
          begin = listener;
          return () => undefined;
        },
      }),
    );
    store.setLayout(layout(1));
    const show = (step: number): void => {
      store.put(head(step), payload(step), () => undefined);
      clock.frame(16 * step);
    };
    show(1);
    begin();
    show(2);
    expect([store.latest()?.step, store.inWords()?.step]).toEqual([2, 1]);
    begin();
    expect(store.inWords()?.step).toBe(2);
    store.clear();
    expect(store.inWords()).toBeNull();
  });

  test('a picture keeps its layout when another one is agreed', () => {
    const { store, clock } = joined();
    store.put(head(1), payload(1), () => undefined);
    clock.frame(16);
    store.setLayout({ type: 'layout', layoutId: 2, slots: [] });
    expect(store.latest()?.slot('fc1.weight', 'weight')?.values).toHaveLength(4);
  });

  test('refuses a frame whose size is not what the layout says', () => {
    const { store } = joined();
    expect(() => {
      store.put(head(1), new Float32Array(7), () => undefined);
    }).toThrow('should hold 8 values, but it holds 7');
    expect(() => {
      store.put({ ...head(1), slots: [fresh(1)] }, payload(1), () => undefined);
    }).toThrow('should describe 2 tensors, but it describes 1');
  });

  test('stops following the animation frames when parted from them', () => {
    const store = new FrameStore();
    const clock = new HandClock();
    const part = store.attach(clock);
    part();
    expect([clock.painters.read.size, clock.painters.after.size]).toEqual([0, 0]);
  });
});

import { describe, expect, test, vi } from 'vitest';
import { FrameLoop, type FrameHost } from './frame-loop';

class HandHost implements FrameHost {
  nowMs = 0;
  readonly reported: unknown[] = [];
  private waiting: { handle: number; callback: (nowMs: number) => void } | null = null;
  private handles = 0;
  rendered: (() => void)[] = [];
  timers: { dueMs: number; callback: () => void }[] = [];

  requestFrame(callback: (nowMs: number) => void): number {
    if (this.waiting !== null) throw new Error('two animation frames at once');
    this.waiting = { handle: ++this.handles, callback };
    return this.handles;
  }
  cancelFrame(handle: number): void {
    if (this.waiting?.handle === handle) this.waiting = null;
  }
  now(): number {
    return this.nowMs;
  }
  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.nowMs + delayMs, callback };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }
  whenRendered(callback: () => void): void {
    this.rendered.push(callback);
  }
  report(error: unknown): void {
    this.reported.push(error);
  }
  get asked(): boolean {
    return this.waiting !== null;
  }
  refresh(): void {
    this.nowMs += 16;
    for (const timer of this.timers.filter(({ dueMs }) => dueMs <= this.nowMs)) {
      this.timers = this.timers.filter((other) => other !== timer);
      timer.callback();
    }
    const { waiting } = this;
    this.waiting = null;
    waiting?.callback(this.nowMs);
    for (const callback of this.rendered.splice(0)) callback();
  }
}

function loopOnHand(): { loop: FrameLoop; host: HandHost } {
  const host = new HandHost();
  return { loop: new FrameLoop(host), host };
}

describe('FrameLoop', () => {
  test('runs the phases in their order, whatever the order in which painters came', () => {
    const { loop, host } = loopOnHand();
    const order: string[] = [];
    for (const phase of ['after', 'draw', 'read', 'draw'] as const)
      loop.addPainter(phase, () => order.push(phase));
    host.refresh();
    expect(order).toEqual(['read', 'draw', 'draw', 'after']);
  });

  test('sleeps while nothing is invalid, and asks once however often it is invalidated', () => {
    const { loop, host } = loopOnHand();
    const paint = vi.fn();
    loop.addPainter('draw', paint);
    host.refresh();
    expect([loop.idle, host.asked]).toEqual([true, false]);
    host.refresh();
    loop.invalidate();
    loop.invalidate();
    host.refresh();
    expect(paint).toHaveBeenCalledTimes(2);
  });

  test('what is invalidated while painting is painted in the next frame, not in this one', () => {
    const { loop, host } = loopOnHand();
    let paints = 0;
    loop.addPainter('draw', () => {
      paints += 1;
      if (paints === 1) loop.invalidate();
    });
    host.refresh();
    expect([paints, loop.idle]).toEqual([1, false]);
    host.refresh();
    expect([paints, loop.idle]).toEqual([2, true]);
  });

  test('a painter that throws is reported and takes nobody with it', () => {
    const { loop, host } = loopOnHand();
    const after = vi.fn();
    loop.addPainter('draw', () => {
      throw new Error('no paint');
    });
    loop.addPainter('after', after);
    host.refresh();
    expect(after).toHaveBeenCalledOnce();
    expect(host.reported).toHaveLength(1);
  });

  test('says when it is idle', async () => {
    const { loop, host } = loopOnHand();
    loop.invalidate();
    let idle = false;
    const waiting = loop.whenIdle().then(() => {
      idle = true;
    });
    await Promise.resolve();
    expect(idle).toBe(false);
    host.refresh();
    await waiting;
    expect(idle).toBe(true);
  });

  test('of several wishes for later the earliest counts, and waiting for it is idle', () => {
    const { loop, host } = loopOnHand();
    loop.invalidateAfter(100);
    loop.invalidateAfter(20);
    loop.invalidateAfter(60);
    expect([loop.idle, host.timers.length]).toEqual([true, 1]);
    host.refresh();
    expect(host.asked).toBe(false);
    host.refresh();
    expect(loop.perf().frames).toBe(1);
    expect(host.timers).toHaveLength(0);
  });

  test('measures each phase and the whole', () => {
    const { loop, host } = loopOnHand();
    loop.addPainter('read', () => {
      host.nowMs += 1;
    });
    loop.addPainter('draw', () => {
      host.nowMs += 4;
    });
    host.refresh();
    const { phases, work, wait } = loop.perf();
    expect([phases.read.p50, phases.draw.p50, phases.after.p50, work.p95]).toEqual([1, 4, 0, 5]);
    expect(wait.p50).toBe(16);
  });

  // Catches: words that come on top of a picture, at another pace than theirs, or never where every frame has a picture; the
  // last of them left out.
  test('words keep their own pace, in frames between the pictures if there are such', () => {
    const { loop, host } = loopOnHand();
    const written: number[] = [];
    loop.addPainter('words', () => written.push(host.nowMs));
    loop.setWordsInterval(100);
    const pictureIn = (frames: number, every: number): void => {
      for (let frame = 0; frame < frames; frame += 1) {
        if (frame % every === 0) loop.invalidate();
        host.refresh();
      }
    };
    pictureIn(1, 1);
    expect([written, host.asked]).toEqual([[], true]);
    pictureIn(14, 2);
    expect(written, 'every other frame has a picture').toEqual([48, 176]);
    pictureIn(16, 1);
    expect(written, 'each has one').toEqual([48, 176, 304, 432]);
    pictureIn(1, 1);
    while (!loop.idle && host.nowMs < 2000) host.refresh();
    expect([written.length, loop.idle, host.asked], 'the last').toEqual([5, true, false]);
  });

  // Catches: a sweep that takes a picture's time, a word that a sweep leaves out or writes twice, one that takes long and
  // always comes on top of others.
  test('at a pace words are written slice by slice, each once a sweep, and what takes long for itself', () => {
    const { loop, host } = loopOnHand();
    const slow = (name: string, tookMs: number) => () => {
      host.nowMs += tookMs;
      written.push(name);
    };
    const written: string[] = [];
    const times = { a: 0.25, b: 0.25, c: 0.25, d: 5, e: 0.25 };
    for (const [name, tookMs] of Object.entries(times)) loop.addPainter('words', slow(name, tookMs));
    loop.setWordsInterval(100);
    const inFrames: string[] = [];
    for (let frame = 0; frame < 80; frame += 1) {
      loop.invalidate();
      host.refresh();
      inFrames.push(written.splice(0).join(''));
    }
    const sweeps = inFrames
      .filter((some) => some !== '')
      .join(' ')
      .split(/(?<=e)\s/);
    // The last may not be through.
    sweeps.pop();
    expect(sweeps.length).toBeGreaterThan(3);
    expect(sweeps.every((sweep) => sweep.replaceAll(' ', '') === 'abcde')).toBe(true);
    expect(sweeps.at(-1), 'times are known by now').toBe('ab c d e');
    loop.setWordsInterval(0);
    host.refresh();
    expect(written.join(''), 'free, all in one').toBe('abcde');
  });

  test('a word that is taken away in the middle of a sweep is not written any more', () => {
    const { loop, host } = loopOnHand();
    const late = vi.fn();
    loop.addPainter('words', () => {
      host.nowMs += 5;
    });
    const remove = loop.addPainter('words', late);
    loop.setWordsInterval(30);
    host.refresh();
    remove();
    for (let frame = 0; !loop.idle && frame < 100; frame += 1) host.refresh();
    expect([late.mock.calls.length, loop.idle]).toEqual([0, true]);
  });

  test('words are written with every picture as soon as their pace is taken off', () => {
    const { loop, host } = loopOnHand();
    let written = 0;
    loop.addPainter('words', () => (written += 1));
    loop.setWordsInterval(100);
    host.refresh();
    host.refresh();
    loop.invalidate();
    host.refresh();
    expect([written, loop.idle]).toEqual([1, false]);
    loop.setWordsInterval(0);
    host.refresh();
    expect([written, loop.idle]).toEqual([2, true]);
  });

  test('knows how long frames keep the page busy, layout and paint after them included', () => {
    const { loop, host } = loopOnHand();
    host.whenRendered = (callback) => {
      host.nowMs += 7;
      callback();
    };
    for (let frame = 0; frame < 200; frame += 1) {
      loop.invalidate();
      host.refresh();
    }
    expect(loop.perf().busy.p50).toBe(7);
    expect(loop.cost).toBeCloseTo(7);
  });

  test('removed painters and a stopped loop paint no more, and nothing stays behind', async () => {
    const { loop, host } = loopOnHand();
    const paint = vi.fn();
    const remove = loop.addPainter('draw', paint);
    remove();
    host.refresh();
    loop.addPainter('draw', paint);
    loop.invalidateAfter(5);
    loop.stop();
    loop.invalidate();
    host.refresh();
    expect(paint).not.toHaveBeenCalled();
    expect([host.asked, host.timers.length]).toEqual([false, 0]);
    await loop.whenIdle();
  });
});

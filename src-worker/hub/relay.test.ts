import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RelayToHost } from '../../src-shared/protocol/host-messages';
import { listenToRelay } from './relay';

/** A host with some counted clients, whose messages each take so long to read, ms. */
function hostOf(
  clients: number,
  readingMs: number,
): {
  say: (client: number, data?: string) => void;
  taken: number[];
} {
  const taken: number[] = [];
  let receive: (message: unknown) => void = () => undefined;
  listenToRelay(
    {
      send: (message: RelayToHost) => {
        if (message.event === 'taken') taken.push(message.client);
      },
      onMessage: (receiver) => (receive = receiver),
    },
    (port) => {
      port.onMessage(() => {
        vi.advanceTimersByTime(readingMs);
      });
    },
  );
  for (let client = 0; client < clients; client += 1) receive({ client, event: 'open', counted: true });
  return {
    taken,
    say: (client, data = '{}') => {
      receive({ client, event: 'message', data });
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a client that is counted', () => {
  it('is read on at once while reading it takes no time', () => {
    const { say, taken } = hostOf(1, 0);
    say(0);
    vi.advanceTimersByTime(0);
    expect(taken).toEqual([0]);
  });

  // Catches: one client whose long messages keep the hub from everybody else, however few they are.
  it('is read on after four times as long as reading it took', () => {
    const { say, taken } = hostOf(1, 100);
    say(0);
    vi.advanceTimersByTime(399);
    expect(taken).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(taken).toEqual([0]);
  });

  // Catches: several such clients that together do what one cannot.
  it('shares that with others that rest', () => {
    const { say, taken } = hostOf(2, 100);
    say(0);
    vi.advanceTimersByTime(0);
    say(1);
    vi.advanceTimersByTime(400);
    expect(taken).toEqual([0]);
    vi.advanceTimersByTime(400);
    expect(taken).toEqual([0, 1]);
  });

  // Catches: messages of many megabytes, one after the other, that leave others no room on the channel.
  it('is read on after a millisecond for each 20,000 bytes', () => {
    const { say, taken } = hostOf(1, 0);
    say(0, 'x'.repeat(2_000_000));
    vi.advanceTimersByTime(99);
    expect(taken).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(taken).toEqual([0]);
  });

  it('is heard again after a second at the latest', () => {
    const { say, taken } = hostOf(1, 10_000);
    say(0);
    vi.advanceTimersByTime(1000);
    expect(taken).toEqual([0]);
  });
});

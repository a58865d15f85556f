import { expect, test } from 'vitest';
import { GradscopeError } from '../../../src-shared/protocol/errors';
import type { RequestClient } from '../../state/request-client';
import { HistorySource, type HistoryWish } from './history-source';

interface Asked {
  readonly params: unknown;
  readonly answer: (steps: readonly number[]) => Promise<void>;
  readonly refuse: (sentence: string) => Promise<void>;
}

/** A trainer that answers when the test says so. */
function heldClient(): { send: RequestClient; asked: Asked[] } {
  const asked: Asked[] = [];
  const send = {
    request: (_: string, params: unknown) =>
      new Promise((resolve, reject) => {
        asked.push({
          params,
          answer: async (steps) => {
            const values = Float32Array.from([steps, steps, steps, steps, steps].flat());
            resolve({
              result: { count: steps.length, activeAfter: 'relu1' },
              payload: new Uint8Array(values.buffer),
            });
            for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
          },
          refuse: async (sentence) => {
            reject(new GradscopeError('not-now', sentence));
            for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
          },
        });
      }),
  } as unknown as RequestClient;
  return { send, asked };
}

const wish = (change: Partial<HistoryWish> = {}): HistoryWish => ({
  runId: 1,
  selection: { layer: 'conv2', filter: 3, input: 7 },
  step: 10,
  running: false,
  nowMs: 0,
  ...change,
});

test('asks once for what stands, and again when a step was done', async () => {
  const { send, asked } = heldClient();
  const source = new HistorySource(send, () => undefined);
  source.wish(wish());
  source.wish(wish());
  await asked[0]?.answer([0, 10]);
  source.wish(wish({ nowMs: 5000 }));
  expect(asked, 'a page that stands keeps asking').toHaveLength(1);
  expect(asked[0]?.params).toEqual({ layer: 'conv2', filter: 3, input: 7 });
  expect([...(source.series?.steps ?? [])]).toEqual([0, 10]);
  source.wish(wish({ step: 11 }));
  expect(asked).toHaveLength(2);
});

test('asks at most once a second while training runs, and never twice at a time', async () => {
  const { send, asked } = heldClient();
  const source = new HistorySource(send, () => undefined);
  for (let nowMs = 0; nowMs < 3000; nowMs += 100) {
    source.wish(wish({ running: true, step: nowMs, nowMs }));
    await asked.at(-1)?.answer([0, nowMs]);
  }
  expect(asked).toHaveLength(3);
  source.wish(wish({ running: true, step: 9000, nowMs: 9000 }));
  source.wish(wish({ running: true, step: 9999, nowMs: 99_999 }));
  expect(asked).toHaveLength(4);
});

test('what comes for a kernel that is not chosen any more is not shown for the one that is', async () => {
  const { send, asked } = heldClient();
  const source = new HistorySource(send, () => undefined);
  source.wish(wish());
  const other = wish({ selection: { layer: 'fc1', filter: 2, input: null } });
  source.wish(other);
  await asked[0]?.answer([0, 10]);
  expect(source.series).toBeNull();
  source.wish(other);
  expect(asked[1]?.params).toEqual({ layer: 'fc1', filter: 2, input: null });
});

test('a refusal is told and not tried again for that kernel', async () => {
  const { send, asked } = heldClient();
  let changes = 0;
  const source = new HistorySource(send, () => {
    changes += 1;
  });
  source.wish(wish());
  await asked[0]?.refuse('The network is too large.');
  expect([source.failure, changes]).toEqual(['The network is too large.', 1]);
  source.wish(wish({ step: 11 }));
  expect(asked).toHaveLength(1);
  source.wish(wish({ selection: { layer: 'fc1', filter: 2, input: null } }));
  expect(source.failure).toBeNull();
});

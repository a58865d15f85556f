import { describe, expect, test } from 'vitest';
import type { NonFinite, Status } from '../../src-shared/protocol/messages';
import { messagesOf, type MessageState } from './messages';

const QUIET: MessageState = {
  connection: { state: 'open', code: null, message: null },
  status: null,
  notice: null,
  nonFinite: null,
  lost: null,
  silentSeconds: 0,
  replacementNews: null,
};
const status = (change: Partial<Status>): Status =>
  ({
    state: 'paused',
    step: 938,
    epoch: 1,
    stepInEpoch: 938,
    stepsPerEpoch: 938,
    failure: null,
    ...change,
  }) as Status;
const failed = status({ state: 'failed', failure: { code: 'internal', message: 'It broke.' } });
const MET: NonFinite = {
  step: 7,
  phase: 'backward',
  layer: 'conv1',
  tensor: 'conv1.weight',
  kind: 'gradient',
  nan: 80_886,
  infinite: 1,
};

const kinds = (change: Partial<MessageState>): string[] =>
  messagesOf({ ...QUIET, ...change }).map(({ kind }) => kind);

test('nothing is said when there is nothing to say', () => {
  expect(kinds({})).toEqual([]);
  expect(kinds({ status: status({ state: 'running' }) })).toEqual([]);
});

describe('of several messages', () => {
  test('the gravest comes first', () => {
    const notice = { code: 'bad-weights', message: 'The file holds NaN.' };
    const connection = { state: 'lost', code: 'worker-died', message: 'The trainer died.' } as const;
    expect(kinds({ nonFinite: MET, status: failed, notice, connection })).toEqual([
      'gone',
      'refused',
      'stopped',
      'nonFinite',
    ]);
    expect(kinds({ nonFinite: MET, status: status({ state: 'finished' }) })).toEqual([
      'nonFinite',
      'finished',
    ]);
  });

  test('each says what, why and its code', () => {
    expect(messagesOf({ ...QUIET, status: failed })[0]).toMatchObject({
      what: 'Training failed',
      why: 'It broke. Restart begins a new run.',
      code: 'internal',
      tone: 'warn',
    });
    expect(messagesOf({ ...QUIET, nonFinite: MET })[0]).toMatchObject({
      what: '80,886 NaN and 1 infinite',
      why: 'first met in the gradient of conv1.weight in backward of step 7',
      tone: 'nan',
    });
  });
});

describe('a trainer that has gone', () => {
  const lost = {
    code: 'worker-died',
    message: 'It was ended by SIGKILL.',
    runId: 1,
    step: 205,
    foundStep: null,
  };
  const why = (change: Partial<MessageState>): string => messagesOf({ ...QUIET, ...change })[0]?.why ?? '';
  const connection = { state: 'lost', code: lost.code, message: lost.message } as const;

  test('is named with what was lost, before a new one is found and after', () => {
    expect(why({ connection, lost })).toBe(
      'It was ended by SIGKILL. 205 steps were lost. Looking for a trainer.',
    );
    const connecting = { state: 'connecting', code: null, message: null } as const;
    expect(why({ connection: connecting, lost })).toBe(why({ connection, lost }));
    expect(why({ lost: { ...lost, foundStep: 0 } })).toBe(
      'It was ended by SIGKILL. 205 steps were lost. This is a new run, from step 0.',
    );
    expect(why({ lost: { ...lost, step: 1, foundStep: 0 } })).toContain('1 step was lost.');
  });

  // Catches: "from step 0" of a run that another page has trained meanwhile.
  test('and whose successor has trained already is not said to begin', () => {
    expect(why({ lost: { ...lost, foundStep: 5000 } })).toBe(
      'It was ended by SIGKILL. 205 steps were lost. ' +
        'This is a new run; it was at step 5,000 when this page found it.',
    );
  });

  // Catches: "205 steps were lost" where another page pressed Restart while the connection was broken.
  test('and only could not be reached has lost no step, whatever run it has now', () => {
    const broken = { ...lost, code: 'connection-lost', message: 'It broke.', foundStep: 5000 };
    expect(messagesOf({ ...QUIET, lost: broken })[0]).toMatchObject({
      what: 'Another run',
      why: 'It broke. Another run was begun meanwhile.',
    });
  });

  test('and only cannot be reached may still have its run', () => {
    expect(why({ connection, lost: { ...lost, code: 'connection-lost', message: 'It broke.' } })).toBe(
      'It broke. What is shown is old, of step 205. Looking for a trainer.',
    );
  });
});

test('silence is said from three seconds on, and not of a trainer that has gone', () => {
  const whats = (silentSeconds: number, state: 'open' | 'lost' = 'open'): string[] =>
    messagesOf({ ...QUIET, silentSeconds, connection: { state, code: null, message: null } }).map(
      ({ why }) => why,
    );
  expect(whats(2)).toEqual([]);
  expect(whats(12)).toEqual([expect.stringContaining('no answer for 12 s')]);
  expect(whats(12, 'lost')).toEqual([expect.not.stringContaining('no answer')]);
});

test('of weights and the end of the run the newer comes first', () => {
  const replaced = {
    type: 'weightsReplaced',
    runId: 1,
    step: 12,
    source: 'file',
    name: 'a.safetensors',
    isMeasured: false,
  } as const;
  expect(kinds({ replacementNews: replaced, status: status({ state: 'finished' }) })).toEqual([
    'finished',
    'weightsReplaced',
  ]);
  expect(
    kinds({ replacementNews: { ...replaced, step: 938 }, status: status({ state: 'finished' }) }),
  ).toEqual(['weightsReplaced', 'finished']);
});

test('nothing is said to be not measured once something is', () => {
  const replaced = { type: 'weightsReplaced', runId: 1, step: 10 } as const;
  const why = (source: 'file' | 'value', name: string, isMeasured: boolean): string | undefined =>
    messagesOf({ ...QUIET, replacementNews: { ...replaced, source, name, isMeasured } })[0]?.why;
  expect(why('file', 'a.safetensors', false)).toBe(
    'from a.safetensors at step 10; the memory of the optimiser was cleared; nothing is measured of these weights yet',
  );
  expect(why('file', 'a.safetensors', true)).toBe(
    'from a.safetensors at step 10; the memory of the optimiser was cleared',
  );
  expect(why('value', 'fc2.bias', false)).toBe(
    'in fc2.bias after step 10; nothing is measured of these weights yet',
  );
  expect(why('value', 'fc2.bias', true)).toBe('in fc2.bias after step 10');
});

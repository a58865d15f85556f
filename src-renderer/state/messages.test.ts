import { describe, expect, test } from 'vitest';
import type { NonFinite, Status } from '../../src-shared/protocol/messages';
import { messagesOf, type MessageState } from './messages';

const QUIET: MessageState = {
  connection: { state: 'open', code: null, message: null },
  status: null,
  notice: null,
  nonFinite: null,
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

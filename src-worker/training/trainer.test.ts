import { memory } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_RUN_CONFIG, type RunConfig } from '../../src-shared/model/run-config';
import { GradscopeError } from '../../src-shared/protocol/errors';
import type { Status } from '../../src-shared/protocol/messages';
import { openEngine } from '../engine';
import { request, runScript } from '../testing/scripted-trainer';
import { type SmallMnist, smallMnist } from '../testing/small-mnist';
import { Session } from './session';
import type { ThreadCommand, ThreadMessage, ThreadReply } from './thread-messages';

const CONFIG: RunConfig = {
  ...DEFAULT_RUN_CONFIG,
  engine: 'cpu',
  stopAtStep: 1000,
  epochs: 1000,
  // Two images a minibatch: quick on the cpu engine.
  order: Array.from({ length: 8 }, (_, i) => [2 * i, 2 * i + 1]),
};

let mnist: SmallMnist;
beforeAll(() => {
  mnist = smallMnist(16, 10);
});
afterAll(() => {
  mnist.remove();
});

let open: typeof openEngine;
beforeEach(() => {
  open = openEngine;
});

const restart = (changes: Partial<RunConfig> = {}): ThreadCommand =>
  request('restart', { config: { ...CONFIG, ...changes }, weightsFile: null });

async function train(...commands: ThreadCommand[]): Promise<{ said: ThreadMessage[]; statuses: Status[] }> {
  const said = await runScript(mnist.folder, commands, open);
  return { said, statuses: said.filter((message): message is Status => message.type === 'status') };
}

const errors = (said: readonly ThreadMessage[]): (string | null)[] =>
  said
    .filter((message): message is ThreadReply => message.type === 'reply')
    .map(({ error }) => error?.code ?? null);

// Catches: a figure that is not there, that no step made, or that is still told when another loop trains.
it('tells in fit mode what fit() itself takes of a step', async () => {
  const inLoop = await train(restart(), request('stepBatch'));
  expect(inLoop.statuses.map(({ fitTime }) => fitTime)).toEqual(inLoop.statuses.map(() => null));
  const { statuses } = await train(
    restart({ mode: 'fit' }),
    request('stepBatch'),
    request('stepBatch'),
    request('setMode', { mode: 'imperative' }),
    request('stepBatch'),
  );
  const at = (steps: number): Status['fitTime'] | undefined =>
    statuses.findLast(({ step, mode }) => step === steps && mode === 'fit')?.fitTime;
  expect(at(0)).toBeNull();
  const { ownMs = Number.NaN, stepMs = Number.NaN } = at(2) ?? {};
  expect(Number.isFinite(ownMs) && Number.isFinite(stepMs)).toBe(true);
  expect(stepMs).toBeGreaterThanOrEqual(ownMs);
  expect(statuses.at(-1)).toMatchObject({ step: 3, mode: 'imperative', fitTime: null });
});

describe('a training that fails', () => {
  it('says so, refuses to go on, and begins anew at a restart', async () => {
    const failing = vi.spyOn(Session.prototype, 'update').mockImplementationOnce(() => {
      throw new GradscopeError('engine-cannot-run', 'The engine broke.');
    });
    const { said, statuses } = await train(
      restart(),
      request('stepBatch'),
      request('play'),
      request('restart', { config: CONFIG, weightsFile: null }),
      request('stepBatch'),
    );
    failing.mockRestore();
    expect(statuses.find(({ state }) => state === 'failed')?.failure).toEqual({
      code: 'engine-cannot-run',
      message: 'The engine broke.',
    });
    expect(errors(said)).toEqual([null, null, 'not-now', null, null]);
    expect(statuses.at(-1)).toMatchObject({ runId: 2, state: 'paused', step: 1, failure: null });
  });
});

describe('a restart on an engine that cannot be had', () => {
  const refuse = (): void => {
    open = (choice) =>
      choice === 'wasm'
        ? Promise.reject(new GradscopeError('engine-unavailable', 'No.'))
        : openEngine(choice);
  };

  it('leaves the run where it stood, inside a minibatch too', async () => {
    refuse();
    const { said, statuses } = await train(
      restart(),
      request('stepBatch'),
      request('stepPhase'),
      request('stepPhase'),
      restart({ engine: 'wasm' }),
      request('stepPhase'),
      request('stepBatch'),
      request('stepBatch'),
    );
    expect(errors(said)).toEqual([null, null, null, null, 'engine-unavailable', null, null, null]);
    const stops = statuses.filter(({ state }) => state === 'paused').map(({ step, phase }) => [step, phase]);
    expect(stops).toEqual([
      [0, null],
      [1, 'step'],
      [1, 'zeroGrad'],
      [1, 'forward'],
      [1, 'forward'],
      [1, 'loss'],
      [2, 'step'],
      [3, 'step'],
    ]);
    expect(said.filter(({ type }) => type === 'run')).toHaveLength(1);

    open = openEngine;
    const undisturbed = await train(
      restart(),
      request('stepBatch'),
      request('stepBatch'),
      request('stepBatch'),
    );
    expect(statuses.at(-1)?.weightsSha256).toEqual(undisturbed.statuses.at(-1)?.weightsSha256);
  });

  it('is told to who asks for the first run', async () => {
    refuse();
    const { said } = await train(restart({ engine: 'wasm' }), request('play'));
    expect(errors(said)).toEqual(['engine-unavailable', 'not-now']);
  });
});

describe('what a run holds', () => {
  it('is freed when another takes its place, on the same engine or another', async () => {
    const round = [
      restart(),
      request('stepBatch'),
      request('setMode', { mode: 'fit' }),
      request('stepBatch'),
      request('stepPhase'),
      restart({ engine: 'wasm', mode: 'fit' }),
      request('stepBatch'),
    ];
    await train(...round);
    const after = memory().numTensors;
    await train(...round, ...round, ...round);
    expect(memory().numTensors).toBe(after);
  });
});

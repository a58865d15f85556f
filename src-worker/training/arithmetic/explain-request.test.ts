import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG, type Mode } from '../../../src-shared/model/run-config';
import { REQUESTS, type Status } from '../../../src-shared/protocol/messages';
import { request, runScript } from '../../testing/scripted-trainer';
import { type SmallMnist, smallMnist } from '../../testing/small-mnist';
import type { ThreadCommand, ThreadMessage, ThreadReply } from '../thread-messages';

const CONFIG = {
  ...DEFAULT_RUN_CONFIG,
  engine: 'cpu',
  order: [
    [0, 1, 2],
    [3, 4],
  ],
} as const;

let mnist: SmallMnist;
beforeAll(() => {
  mnist = smallMnist(16, 10);
});
afterAll(() => {
  mnist.remove();
});

const restart = (mode: Mode): ThreadCommand =>
  request('restart', { config: { ...CONFIG, mode }, weightsFile: null });
const ask = (name: string, kind: string, index = 0, example = 0): ThreadCommand =>
  request('explain', { name, kind, index, example });
const train = (...commands: ThreadCommand[]): Promise<ThreadMessage[]> => runScript(mnist.folder, commands);

const repliesOf = (said: readonly ThreadMessage[]): ThreadReply[] =>
  said.filter((message): message is ThreadReply => message.type === 'reply');
const explainedOf = (said: readonly ThreadMessage[]): ThreadReply[] =>
  repliesOf(said).filter(({ result, error }) => 'form' in result || error !== null);
const lastSha = (said: readonly ThreadMessage[]): Status['weightsSha256'] | undefined =>
  said.findLast((message): message is Status => message.type === 'status' && message.weightsSha256 !== null)
    ?.weightsSha256;
const refusals = (said: readonly ThreadMessage[]): (string | undefined)[] =>
  explainedOf(said).map(({ error }) => error?.message);

/** Questions of every kind, of which some are refused wherever training stands. */
const questions = (): ThreadCommand[] => [
  ask('conv1.weight', 'gradient', 3),
  ask('conv2.bias', 'gradient', 1),
  ask('fc1.weight', 'update', 77),
  ...['conv1', 'pool1', 'relu2', 'dropout1', 'flatten', 'fc2'].flatMap((layer) =>
    ['output', 'error', 'digitOutput', 'digitError'].map((kind) => ask(layer, kind, 2, 1)),
  ),
];

describe.each<Mode>(['imperative', 'fit'])('explaining in the %s loop', (mode) => {
  it('leaves the weights of the steps that follow as they are without it', async () => {
    const stops = Array.from({ length: 20 }, () => request('stepLayer'));
    const free = await train(
      restart(mode),
      request('stepBatch'),
      ...stops,
      request('stepBatch'),
      request('stepBatch'),
    );
    const asked = await train(
      restart(mode),
      ...questions(),
      request('stepBatch'),
      ...questions(),
      ...stops.flatMap(() => [request('stepLayer'), ...questions()]),
      request('stepBatch'),
      ...questions(),
      request('stepBatch'),
    );
    expect(lastSha(asked)?.step).toBe(3);
    expect(lastSha(asked)).toEqual(lastSha(free));
    const answers = explainedOf(asked).filter(({ error }) => error === null);
    expect(answers.length).toBeGreaterThan(22 * 6);
    for (const { result } of answers) expect(() => REQUESTS.explain[1].parse(result)).not.toThrow();
  });
});

describe('a question that cannot be answered is refused in one sentence', () => {
  it('when there is no such tensor, value or example', async () => {
    const said = await train(
      restart('imperative'),
      request('stepLayer'),
      request('stepLayer'),
      ask('conv9', 'output'),
      ask('conv1', 'gradient'),
      ask('conv1.weight', 'gradient', 250),
      ask('conv1', 'output', 0, 3),
    );
    expect(refusals(said)).toEqual([
      'There is no layer called conv9.',
      'There is no parameter called conv1.',
      'conv1.weight has 250 values and none at 250.',
      'This minibatch has examples 0 to 2, but number 3 was asked for.',
    ]);
  });

  it('when it is not computed yet, or what made it is gone', async () => {
    const value = { name: 'fc1.weight', index: 0, value: 0.5 };
    const said = await train(
      restart('imperative'),
      ask('fc1.weight', 'update'),
      ask('fc1.weight', 'gradient'),
      ask('conv1', 'output'),
      request('stepLayer'),
      ask('fc1.weight', 'gradient'),
      ask('conv1', 'output'),
      request('stepBatch'),
      request('setWeight', value),
      ask('fc1.weight', 'update'),
    );
    expect(refusals(said)).toEqual([
      'There was no update yet, so what fc1.weight was made of is not known.',
      'The gradient of fc1.weight is not computed yet.',
      'Training stands between two minibatches, so no example is under way.',
      'The gradient of fc1.weight is cleared and not computed yet in this step.',
      'The output of conv1 is not computed yet in this step.',
      'The weights were replaced since the last update, so what fc1.weight was made of is not known.',
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { planNetwork } from '../../src-shared/model/network';
import { GradscopeError } from '../../src-shared/protocol/errors';
import { openEngine } from './index';
import { enginesHere } from './testing/describe-engines';
import { forwardAll, randomMinibatch, sgd, trainStep } from './testing/drive';

const cannotLoad = (): Promise<never> =>
  Promise.reject(new GradscopeError('engine-unavailable', 'The engine wasm cannot load: it is broken.'));

const none = {
  simd: cannotLoad,
  'tensorflow-gpu': cannotLoad,
  tensorflow: cannotLoad,
  wasm: cannotLoad,
  cpu: cannotLoad,
};

describe('openEngine', () => {
  // Catches: a backend that does not load under Node, or that another one silently stands in for.
  it.each(enginesHere())('opens %s by its name, again after it was disposed', async (name) => {
    for (let time = 0; time < 2; time++) {
      const { engine } = await openEngine(name);
      expect(engine.name).toBe(name);
      engine.dispose();
    }
  });

  // Catches: tensors of the engine before that are looked for on the backend of the one after it.
  it('can dispose the engine before when the next is open', async () => {
    const plan = planNetwork({
      input: [1, 4, 4],
      layers: [
        { kind: 'flatten', name: 'flatten' },
        { kind: 'dense', name: 'logits', units: 2 },
      ],
      loss: 'softmaxCrossEntropy',
    });
    const batch = randomMinibatch(plan, 2, 1, { dropout: false });
    const { engine: before } = await openEngine('wasm');
    const network = before.createNetwork(plan);
    trainStep(network, network.createPass(), batch, sgd(0.1, 0));
    const { engine: after } = await openEngine('cpu');
    before.dispose();
    expect(after.liveBuffers()).toBe(0);
    const next = after.createNetwork(plan);
    expect(forwardAll(next.createPass(), plan, batch).loss).toBeCloseTo(Math.log(2), 6);
    after.dispose();
  });

  // Catches: a named engine quietly replaced by another.
  it('refuses with the reason when the engine cannot load', async () => {
    await expect(openEngine('wasm', none)).rejects.toMatchObject({ code: 'engine-unavailable' });
  });
});

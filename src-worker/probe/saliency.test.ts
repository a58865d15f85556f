import { expect, it } from 'vitest';
import { RECIPES } from '../../src-shared/model/recipe';
import { DEFAULT_RUN_CONFIG } from '../../src-shared/model/run-config';
import { openDataset } from '../data/dataset';
import { openEngine } from '../engine';
import { describeEngines } from '../engine/testing/describe-engines';
import { entry, relativeDifference } from '../engine/testing/drive';
import { parityFixture, saliencyFixture } from '../engine/testing/fixtures';
import { Session } from '../training/session';
import { DigitProbe } from './digit';
import { planSlots } from './layout';

const saliencies = saliencyFixture();

describeEngines('the saliency on %s, held to real PyTorch', (name) => {
  // Catches: a wrong seed of the backward pass, a first layer that is not gone through, the unit of the pixels.
  it('is the gradient of the score with respect to the ink of each pixel', async () => {
    const { engine } = await openEngine(name);
    const dataset = openDataset({});
    let compared = 0;
    for (const recipe of RECIPES.filter((one) =>
      [...saliencies.keys()].some((key) => key.startsWith(`${one.name}/`)),
    )) {
      const session = new Session({ engine, dataset, recipe, config: DEFAULT_RUN_CONFIG });
      const { tensors } = parityFixture(recipe.name);
      for (const parameter of session.plan.parameters) {
        session.network.writeParameter(parameter, entry(tensors, `wasm.${parameter.name}`));
      }
      for (const testIndex of [0, 61]) {
        const digit = new DigitProbe({
          network: session.network,
          dataset,
          input: recipe.input,
          choice: { testIndex },
          step: () => 0,
          now: () => 0,
        });
        digit.update({ errors: false, saliencies: new Set(['0', '3', '7']) }, true);
        for (const ofClass of ['0', '3', '7']) {
          const [slot] = planSlots(session.plan, [
            { name: ofClass, kind: 'digitSaliency', maxValues: 10_000 },
          ]);
          if (slot === undefined) throw new Error('There is no saliency.');
          const expected = entry(saliencies, `${recipe.name}/${String(testIndex)}/${ofClass}`);
          expect(relativeDifference(digit.read(slot), expected)).toBeLessThan(1e-5);
          compared += 1;
        }
        digit.dispose();
      }
      session.dispose();
    }
    expect(compared, 'something in the reference that was left out').toBe(saliencies.size);
    engine.dispose();
  });
});

import type { Locator } from '@playwright/test';
import type { PageTensor } from './support/gradscope-page';
import { expect, test } from './fixtures';
import type { GradscopePage } from './support/gradscope-page';

type LayerKind = 'activation' | 'error' | 'mask';

/** Values of one example of the minibatch. */
async function example(
  { page }: GradscopePage,
  name: string,
  kind: LayerKind,
  index: number,
): Promise<readonly number[]> {
  const { shape, values } = await page.evaluate(
    async ([layer, which]) => {
      const found = await window.gradscope.tensor(layer, which);
      return { shape: found.shape, values: Array.from(found.values) };
    },
    [name, kind] as const,
  );
  const size = values.length / (shape[0] ?? 1);
  return values.slice(index * size, (index + 1) * size);
}

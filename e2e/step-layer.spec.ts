import type { DrawnPicture } from '../src-renderer/draw/picture';
import { colourIndex, colourTable } from '../src-renderer/scene/colour-table';
import { rungOf, rungValue, wholeOf } from '../src-renderer/scene/scale';
import { expect, test } from './fixtures';
import type { GradscopePage } from './support/gradscope-page';

/** Colours of a picture as drawn, and those that the tensor of one example of the minibatch must have. */
async function drawnAndExpected(
  { page }: GradscopePage,
  layer: string,
  kind: 'activation' | 'error',
  example: number,
): Promise<{ drawn: string[]; expected: string[] } | null> {
  const found = await page.evaluate(
    async ([name, which]) => {
      const { shape, values } = await window.gradscope.tensor(name, which);
      const picture: DrawnPicture | null = window.gradscope.drawn(
        name,
        which === 'error' ? 'error' : 'output',
      );
      return { n: shape[0] ?? 1, values: Array.from(values), data: Array.from(picture?.data ?? []) };
    },
    [layer, kind] as const,
  );
  const size = found.values.length / found.n;
  const values = new Float32Array(found.values.slice(example * size, (example + 1) * size));
  const rung = rungOf([wholeOf(values)]);
  const { css } = colourTable('dark');
  const expected = Array.from(
    values,
    (value) => css[colourIndex(value, rung === null ? 1 : rungValue(rung))] ?? '',
  );
  // After the maps may come their mean.
  const drawn = expected.map((_, at) => `rgb(${found.data.slice(at * 4, at * 4 + 3).join(' ')})`);
  return { drawn, expected };
}

async function expectTrue(
  gradscope: GradscopePage,
  layer: string,
  kind: 'activation' | 'error',
  example: number,
): Promise<void> {
  const pair = await drawnAndExpected(gradscope, layer, kind, example);
  const wrong = pair?.expected.filter((colour, at) => colour !== pair.drawn[at]) ?? [''];
  expect(wrong.length, `${layer} ${kind} of example ${String(example)}`).toBe(0);
}

test('one walks from conv1 to the loss and back, layer by layer', async ({ gradscope, trainer }) => {
  const { page } = gradscope;
  const layers = trainer.ready.network.layers.map(({ name }) => name);
  await gradscope.step('batch');
  await gradscope.step('layer');
  await expect(gradscope.status('Phase')).toContainText('zeroGrad');
  await expect(
    page.getByRole('img', { name: 'conv1 output of example 0 of the minibatch, not yet' }),
  ).toBeVisible();
  for (const layer of layers) {
    await gradscope.step('layer');
    expect(await gradscope.state()).toMatchObject({ step: 1, phase: 'forward', layer });
    if (layer === 'conv2') {
      await expectTrue(gradscope, 'conv1', 'activation', 0);
      await expectTrue(gradscope, 'conv2', 'activation', 0);
      await expect(
        page.getByRole('img', { name: 'fc1 output of example 0 of the minibatch, not yet' }),
      ).toBeVisible();
    }
  }
  await gradscope.step('layer');
  expect(await gradscope.state()).toMatchObject({ step: 1, phase: 'loss', layer: null });
  await page.getByRole('spinbutton', { name: 'Example of the minibatch' }).fill('3');
  await expect(page.getByText('example 3 of 64').first()).toBeVisible();
  await gradscope.idle();
  for (const [at, layer] of layers.toReversed().entries()) {
    await gradscope.step('layer');
    expect(await gradscope.state()).toMatchObject({ step: 1, phase: 'backward', layer });
    if (layer !== 'conv2') continue;
    await expect(
      page.getByRole('list', {
        name: `backward at conv2, layer ${String(at + 1)} of ${String(layers.length)}`,
      }),
    ).toBeVisible();
    await expectTrue(gradscope, 'conv2', 'error', 3);
    await expectTrue(gradscope, 'conv2', 'activation', 3);
    await expect(
      page.getByRole('img', { name: 'conv1 error of example 3 of the minibatch, not yet' }),
    ).toBeVisible();
  }
  await expectTrue(gradscope, 'conv1', 'error', 3);
  await gradscope.step('layer');
  expect(await gradscope.state()).toMatchObject({ step: 2, phase: 'step', layer: null });
  await expect(page.getByRole('img', { name: 'conv1 output of the digit' })).toBeVisible();
});

test('the walk goes by key in fit() too, survives a reload, and leaves the weights alone', async ({
  gradscope,
  trainer,
}) => {
  const { page } = gradscope;
  await gradscope.radio('fit() + callbacks').click();
  await expect(gradscope.radio('fit() + callbacks')).toBeChecked();
  const before = await trainer.place();
  for (let press = 0; press < 5; press += 1) {
    await page.keyboard.press('l');
    await gradscope.idle();
  }
  const { layer, phase } = await gradscope.state();
  expect([phase, layer]).toEqual(['forward', 'conv2']);
  await page.keyboard.press('x');
  await expect(page.getByRole('spinbutton', { name: 'Example of the minibatch' })).toHaveValue('1');
  await gradscope.idle();
  await expectTrue(gradscope, 'conv2', 'activation', 1);
  expect(await trainer.place()).toEqual(before);
  await page.reload();
  await expect(gradscope.button('Play')).toBeVisible();
  await gradscope.idle();
  expect(await gradscope.state()).toMatchObject({ step: 0, phase: 'forward', layer: 'conv2', mode: 'fit' });
  await expectTrue(gradscope, 'conv2', 'activation', 0);
  await gradscope.step('phase');
  expect(await gradscope.state()).toMatchObject({ step: 0, phase: 'forward', layer: null });
  await gradscope.step('batch');
  expect(await gradscope.state()).toMatchObject({ step: 1, phase: 'step', layer: null });
});

test('nothing in the bar is cut off at the design size', async ({ gradscope }) => {
  const cut = await gradscope.page
    .getByRole('banner')
    .evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
  expect(cut).toBe(0);
});

import type { Locator } from '@playwright/test';
import { expect, test } from './fixtures';
import type { GradscopePage } from './support/gradscope-page';

const cardOf = ({ page }: GradscopePage): Locator => page.getByRole('region', { name: /^Arithmetic of / });

/** Rests the pointer on the middle of an element, or on that share of it. */
async function restOn(
  { page }: GradscopePage,
  element: Locator,
  x = 0.5,
  y = 0.5,
): Promise<{ x: number; y: number }> {
  const box = (await element.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const point = { x: box.x + box.width * x, y: box.y + box.height * y };
  await page.mouse.move(point.x, point.y);
  return point;
}

const numberIn = (text: string | undefined): number =>
  Number((text ?? 'NaN').replaceAll('\u2212', '-').replaceAll(',', ''));

/** `... = 0.382; tensor 0.382`: the sum and what it is held against, as they are read on the card. */
async function readSum(card: Locator): Promise<{ sum: number; tensor: number }> {
  const text = await card.getByText(/; tensor /).innerText();
  const [, sum] = / ?= (\S+); tensor/.exec(text) ?? [];
  const [, tensor] = /; tensor (\S+)$/.exec(text) ?? [];
  return { sum: numberIn(sum), tensor: numberIn(tensor) };
}

/** The numbers in the name of the card: map, row and column, or filter, input, row and column. */
async function placeOf(card: Locator): Promise<number[]> {
  const name = (await card.getAttribute('aria-label')) ?? '';
  return [...name.replace(/^Arithmetic of \w+/, '').matchAll(/\d+/g)].map(([digits]) => Number(digits));
}

/** Shown with four figures. */
const expectSame = (shown: number, value: number | undefined): void => {
  expect(Math.abs(shown - (value ?? NaN))).toBeLessThanOrEqual(Math.abs(value ?? NaN) * 6e-4);
};

test('the sum behind an output, a gradient and an update is what the tensors hold', async ({
  gradscope,
  trainer,
}) => {
  const { page } = gradscope;
  const card = cardOf(gradscope);
  await gradscope.step('batch');
  await gradscope.step('batch');
  const before = await trainer.place();

  await restOn(gradscope, gradscope.kernel('conv2 filter 3 input 7 gradient'));
  await expect(card.getByRole('columnheader', { name: 'product' })).toBeVisible();
  const [filter = 0, input = 0, row = 0, column = 0] = await placeOf(card);
  expect([filter, input]).toEqual([3, 7]);
  const index = ((filter * 10 + input) * 5 + row) * 5 + column;
  const gradient = await readSum(card);
  expectSame(gradient.sum, (await gradscope.tensor('conv2.weight', 'gradient')).values[index]);
  expectSame(gradient.tensor, gradient.sum);

  await restOn(gradscope, gradscope.kernel('conv2 filter 16 input 2 update'));
  await expect(card.getByRole('rowheader', { name: 'v = 0.5 v + g' })).toBeVisible();
  const [f = 0, i = 0, y = 0, x = 0] = await placeOf(card);
  const update = await readSum(card);
  const updates = await gradscope.tensor('conv2.weight', 'update');
  expectSame(update.tensor, update.sum);
  expectSame(update.tensor, updates.values[((f * 10 + i) * 5 + y) * 5 + x]);

  for (let layer = 0; layer < 2; layer += 1) await gradscope.step('layer');
  expect(await gradscope.state()).toMatchObject({ phase: 'forward', layer: 'conv1' });
  await restOn(
    gradscope,
    page.getByRole('img', { name: 'conv1 output of example 0 of the minibatch' }),
    0.3,
    0.3,
  );
  await expect(card.getByRole('table', { name: 'products' })).toBeVisible();
  await expect(card.getByText(/^sum of 25 products .* \+ bias /)).toBeVisible();
  const [map = 0, top = 0, left = 0] = await placeOf(card);
  const output = await readSum(card);
  const value = await page.evaluate(
    async (at) => (await window.gradscope.tensor('conv1', 'activation')).values[at],
    (map * 24 + top) * 24 + left,
  );
  expectSame(output.sum, value);
  expectSame(output.tensor, value);
  expect(await trainer.place()).toEqual(before);
});

test('the card is by its value, never under the pointer and never off the screen', async ({ gradscope }) => {
  const { page } = gradscope;
  const card = cardOf(gradscope);
  await gradscope.step('batch');
  for (const [width, height] of [
    [1440, 900],
    [1024, 700],
  ] as const) {
    await page.setViewportSize({ width, height });
    await gradscope.idle();
    for (const [x, y] of [
      [0.02, 0.02],
      [0.7, 0.7],
      [0.98, 0.02],
    ] as const) {
      for (const name of [
        'conv1 output of the digit',
        'conv2 output of the digit',
        'fc2 error of the digit',
      ]) {
        const pointer = await restOn(gradscope, page.getByRole('img', { name }), x, y);
        await expect(card).toBeVisible();
        const box = (await card.boundingBox()) ?? { x: NaN, y: NaN, width: 0, height: 0 };
        expect(box.x).toBeGreaterThanOrEqual(0);
        expect(box.y).toBeGreaterThanOrEqual(0);
        expect(box.x + box.width).toBeLessThanOrEqual(width);
        expect(box.y + box.height).toBeLessThanOrEqual(height);
        const isUnder =
          pointer.x >= box.x &&
          pointer.x <= box.x + box.width &&
          pointer.y >= box.y &&
          pointer.y <= box.y + box.height;
        expect(isUnder, `${name} at ${String(width)}`).toBe(false);
        await page.mouse.move(1, 1);
        await expect(card).toHaveCount(0);
      }
    }
  }
});

test('by keyboard it opens at the kernel in focus, walks, follows a step, and gives the focus back', async ({
  gradscope,
}) => {
  const { page } = gradscope;
  const card = cardOf(gradscope);
  await gradscope.step('batch');
  const kernel = gradscope.kernel('conv2 filter 3 input 7 gradient');
  await kernel.focus();
  await page.keyboard.press('a');
  await expect(card).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('PageDown');
  await expect(card).toHaveAccessibleName('Arithmetic of conv2 filter 3 input 8, row 1 column 1: gradient');
  const first = await readSum(card);
  const index = ((3 * 10 + 8) * 5 + 1) * 5 + 1;
  expectSame(first.sum, (await gradscope.tensor('conv2.weight', 'gradient')).values[index]);
  await page.keyboard.press('b');
  await expect(card.getByText(/step 2$/)).toBeVisible();
  await gradscope.idle();
  expectSame((await readSum(card)).sum, (await gradscope.tensor('conv2.weight', 'gradient')).values[index]);
  await page.keyboard.press('Escape');
  await expect(card).toHaveCount(0);
  await expect(kernel).toBeFocused();
});

test('nothing is explained while training runs', async ({ gradscope, trainer }) => {
  const { page } = gradscope;
  await gradscope.step('batch');
  await restOn(gradscope, gradscope.kernel('conv1 filter 2 input 0 gradient'));
  await expect(cardOf(gradscope)).toBeVisible();
  await page.keyboard.press('Space');
  await expect(cardOf(gradscope)).toHaveCount(0);
  const question = { name: 'conv1.weight', kind: 'gradient', index: 0, example: 0 } as const;
  await expect(trainer.request('explain', question)).rejects.toThrow('not-now: Arithmetic is shown while');
  await page.keyboard.press('a');
  await expect(
    page.getByText('Arithmetic is shown while training stands still; pause it first.'),
  ).toBeVisible();
  await gradscope.pause();
  await expect(trainer.request('explain', { ...question, index: 250 })).rejects.toThrow('unknown-tensor');
});

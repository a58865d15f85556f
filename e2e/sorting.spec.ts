import { colourIndex, colourTable } from '../src-renderer/scene/colour-table';
import { rungOf, rungValue, wholeOf } from '../src-renderer/scene/scale';
import { expect, test } from './fixtures';
import type { Box, GradscopePage } from './support/gradscope-page';
import { cellColours, screenshot } from './support/screenshot';

const [FILTERS, INPUTS, SIZE] = [20, 10, 25];

const sortBy = async (gradscope: GradscopePage, name: string, measure: string): Promise<void> => {
  await gradscope.page.getByRole('combobox', { name, exact: true }).selectOption({ label: measure });
  await gradscope.idle();
};

/** Indices by the norm of their values, largest first. */
function byNorm(count: number, valuesOf: (index: number) => number[]): number[] {
  const norms = Array.from({ length: count }, (_, index) =>
    valuesOf(index).reduce((sum, value) => sum + value * value, 0),
  );
  return norms.map((_, index) => index).sort((a, b) => (norms[b] ?? 0) - (norms[a] ?? 0));
}

const filterOf = (values: readonly number[], filter: number): number[] =>
  values.slice(filter * INPUTS * SIZE, (filter + 1) * INPUTS * SIZE);

/** Filters of conv2 from top to bottom, as the names of what is on the screen have it. */
async function filtersOnScreen(gradscope: GradscopePage): Promise<number[]> {
  const boxes = await gradscope.kernelBoxes();
  const top = (filter: number): number =>
    boxes.get(`conv2 filter ${String(filter)} input 0 gradient`)?.y ?? Number.NaN;
  return Array.from({ length: FILTERS }, (_, filter) => filter).sort((a, b) => top(a) - top(b));
}

test('the sorted picture is the permuted tensor, and drawn() stays in the order of the tensor', async ({
  gradscope,
  trainer,
  context,
}) => {
  await gradscope.step('batch');
  const before = await trainer.place();
  const { values } = await gradscope.tensor('conv2.weight', 'gradient');
  const drawn = (): Promise<number[]> =>
    gradscope.page.evaluate(() => Array.from(window.gradscope.drawn('conv2.weight', 'gradient')?.data ?? []));
  const unsorted = await drawn();
  expect(unsorted.length).toBe(FILTERS * INPUTS * SIZE * 4);

  await sortBy(gradscope, 'Sort conv2 filters by', '|g|');
  await sortBy(gradscope, 'Sort conv2 inputs by', '|g|');
  const rows = byNorm(FILTERS, (filter) => filterOf(values, filter));
  const columns = byNorm(INPUTS, (input) =>
    Array.from({ length: FILTERS }, (_, filter) =>
      values.slice((filter * INPUTS + input) * SIZE, (filter * INPUTS + input + 1) * SIZE),
    ).flat(),
  );
  expect(rows, 'an order that is none proves nothing').not.toEqual(rows.toSorted((a, b) => a - b));

  // What is at row r and column c of the screen, by geometry alone, is the kernel that the tensor says.
  await gradscope.page.mouse.move(0, 0);
  const picture = await screenshot(gradscope.page, context);
  const grid = await gradscope.page.getByRole('grid', { name: 'conv2 gradient' }).boundingBox();
  const [left, top] = [grid?.x ?? 0, grid?.y ?? 0];
  const rung = rungOf([wholeOf(Float32Array.from(values))]);
  const scale = rung === null ? 1 : rungValue(rung);
  const { css } = colourTable('dark');
  const wrong: string[] = [];
  for (const [row, filter] of rows.entries()) {
    for (const [column, input] of columns.entries()) {
      const box: Box = { x: left + column * 16, y: top + row * 16, width: 15, height: 15 };
      const start = (filter * INPUTS + input) * SIZE;
      const expected = values.slice(start, start + SIZE).map((value) => css[colourIndex(value, scale)]);
      const shown = cellColours(picture, box, 5, 5);
      if (shown.some((colour, at) => colour !== expected[at]))
        wrong.push(`row ${String(row)}, column ${String(column)}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(await filtersOnScreen(gradscope)).toEqual(rows);
  expect(await drawn(), 'drawn() follows the screen').toEqual(unsorted);
  expect(await trainer.place(), 'sorting changed the run').toEqual(before);
});

test('an order holds still until it is asked for again', async ({ gradscope }) => {
  await gradscope.step('batch');
  await sortBy(gradscope, 'Sort conv2 filters by', '|g|');
  const taken = await filtersOnScreen(gradscope);
  await gradscope.step('batch');
  expect(await filtersOnScreen(gradscope), 'rows that move by themselves').toEqual(taken);
  await expect(gradscope.page.getByText('Filters by |g| of step 1.')).toBeVisible();
  await gradscope.button('Sort conv2 again').click();
  await gradscope.idle();
  const { values } = await gradscope.tensor('conv2.weight', 'gradient');
  expect(await filtersOnScreen(gradscope)).toEqual(byNorm(FILTERS, (filter) => filterOf(values, filter)));
  await expect(gradscope.page.getByText('Filters by |g| of step 2.')).toBeVisible();
});

test('by change: how far the weights have gone since the step that is told', async ({ gradscope }) => {
  await gradscope.step('batch');
  const { values: from } = await gradscope.tensor('conv2.weight', 'weight');
  for (let step = 0; step < 10; step += 1) await gradscope.step('batch');
  const { values: to } = await gradscope.tensor('conv2.weight', 'weight');
  await sortBy(gradscope, 'Sort conv2 filters by', 'change, 10 steps');
  await expect(gradscope.page.getByText('Filters by change of W from step 1 to 11.')).toBeVisible();
  const moved = to.map((value, index) => Math.fround(value - (from[index] ?? 0)));
  expect(await filtersOnScreen(gradscope)).toEqual(byNorm(FILTERS, (filter) => filterOf(moved, filter)));
});

test('kernels keep their names where they go: pressed, walked and sorted by key', async ({ gradscope }) => {
  await gradscope.step('batch');
  await gradscope.page.locator('body').click({ position: { x: 2, y: 2 } });
  // By |W|, then by |g|: all layers, as no kernel is chosen.
  await gradscope.page.keyboard.press('s');
  await gradscope.page.keyboard.press('s');
  await gradscope.idle();
  const select = gradscope.page.getByRole('combobox', { name: 'Sort conv2 filters by', exact: true });
  await expect(select).toHaveValue('gradient');
  await expect(gradscope.page.getByRole('combobox', { name: 'Sort fc1 inputs by', exact: true })).toHaveValue(
    'gradient',
  );
  const [first, second] = await filtersOnScreen(gradscope);
  const boxes = await gradscope.kernelBoxes();
  const left = (input: number): number =>
    boxes.get(`conv2 filter ${String(first)} input ${String(input)} gradient`)?.x ?? 0;
  const input = Array.from({ length: INPUTS }, (_, at) => at).sort((a, b) => left(a) - left(b))[0];
  const grid = gradscope.page.getByRole('grid', { name: 'conv2 gradient' });
  // The top left kernel of the picture, wherever it is from.
  await grid.click({ position: { x: 7, y: 7 } });
  await expect(
    gradscope.page.getByRole('heading', { name: `conv2 filter ${String(first)} input ${String(input)}` }),
  ).toBeVisible();
  await gradscope.page.keyboard.press('ArrowDown');
  await expect(
    gradscope.kernel(`conv2 filter ${String(second)} input ${String(input)} gradient`),
  ).toBeFocused();
  // With a kernel chosen the key is for its layer.
  await gradscope.page.keyboard.press('s');
  await expect(select).toHaveValue('ratio');
  await expect(gradscope.page.getByRole('combobox', { name: 'Sort fc1 units by', exact: true })).toHaveValue(
    'gradient',
  );
});

test('what cannot be sorted by yet is said, and nothing moves', async ({ gradscope }) => {
  await sortBy(gradscope, 'Sort conv2 filters by', '|g|');
  await expect(gradscope.page.getByRole('alert')).toContainText(
    'conv2 stays in the order of its indices: there is no gradient yet.',
  );
  await expect(
    gradscope.page.getByRole('combobox', { name: 'Sort conv2 filters by', exact: true }),
  ).toHaveValue('index');
  expect(await filtersOnScreen(gradscope)).toEqual(Array.from({ length: FILTERS }, (_, filter) => filter));
});

test('the loupe shows the weight under the pointer and under the focus, in the sorted matrix too', async ({
  gradscope,
}) => {
  await gradscope.step('batch');
  const { values } = await gradscope.tensor('fc1.weight', 'gradient');
  await sortBy(gradscope, 'Sort fc1 units by', '|g|');
  await sortBy(gradscope, 'Sort fc1 inputs by', '|g|');
  const [unit = 0] = byNorm(50, (row) => values.slice(row * 320, (row + 1) * 320));
  const inputs = byNorm(320, (column) =>
    Array.from({ length: 50 }, (_, row) => values[row * 320 + column] ?? 0),
  );
  // At first in the tip at the pointer; where that rests, in the arithmetic of the value.
  const tip = gradscope.page.locator('.hover-tip:visible, .arithmetic');
  const magnified = tip.locator('.loupe');
  await gradscope.page.getByRole('grid', { name: 'fc1 gradient' }).hover({ position: { x: 3.5, y: 0.5 } });
  await expect(tip).toContainText(`fc1 unit ${String(unit)}, input ${String(inputs[3])}`);
  await expect(magnified).toBeVisible();
  await gradscope.page.mouse.move(0, 0);
  await expect(tip).toHaveCount(0);

  await gradscope.kernel(`fc1 unit ${String(unit)} gradient`).focus();
  await gradscope.page.keyboard.press('Home');
  await expect(tip).toContainText(`fc1 unit ${String(unit)}, input ${String(inputs[0])}`);
  await gradscope.page.keyboard.press('ArrowRight');
  await expect(tip).toContainText(`fc1 unit ${String(unit)}, input ${String(inputs[1])}`);
  // Training stands, so the tip gives way to the arithmetic of the value, with the loupe in it.
  const name = new RegExp(`^Arithmetic of fc1 unit ${String(unit)}, input ${String(inputs[1])}\\b`);
  const inCard = gradscope.page.getByRole('region', { name }).locator('.loupe');
  await expect(inCard).toBeVisible();
  await gradscope.idle();
  const box = await inCard.boundingBox();
  expect(box?.x ?? -1).toBeGreaterThanOrEqual(0);
  expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(900);
  // The picture says the same as the words: the outlined weight has the colour of its value.
  const colour = await inCard
    .locator('canvas:not(.marks)')
    .nth(1)
    .evaluate((canvas: HTMLCanvasElement) =>
      Array.from(canvas.getContext('2d')?.getImageData(1, 0, 1, 1).data.slice(0, 3) ?? []),
    );
  const rung = rungOf([wholeOf(Float32Array.from(values))]);
  const value = values[unit * 320 + (inputs[1] ?? 0)] ?? 0;
  const expected = colourTable('dark').css[colourIndex(value, rung === null ? 1 : rungValue(rung))];
  expect(`rgb(${colour.join(' ')})`).toBe(expected);
});

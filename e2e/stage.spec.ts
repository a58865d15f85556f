import type { Locator } from '@playwright/test';
import { expect, test } from './fixtures';
import type { GradscopePage } from './support/gradscope-page';

const EXAMPLE = 3;

/** Values of the example, as the trainer has them. */
async function tensor(
  { page }: GradscopePage,
  name: string,
  kind: 'activation' | 'error' | 'mask',
): Promise<readonly number[]> {
  const { n, values } = await page.evaluate(
    async ([layer, which]) => {
      const found = await window.gradscope.tensor(layer, which);
      return { n: found.shape[0] ?? 1, values: Array.from(found.values) };
    },
    [name, kind] as const,
  );
  const size = values.length / n;
  return values.slice(EXAMPLE * size, (EXAMPLE + 1) * size);
}

/** Steps by layer until training stands there. */
async function walkTo(gradscope: GradscopePage, phase: string, layer: string | null): Promise<void> {
  for (let stop = 0; stop < 40; stop += 1) {
    await gradscope.step('layer');
    const state = await gradscope.state();
    if (state.phase === phase && state.layer === layer) return;
  }
  throw new Error(`Training never stood at ${phase} ${String(layer)}.`);
}

/** Of each value of a square map: whether it is outlined, and whether it is crossed. */
const marksOf = (picture: Locator, side: number): Promise<{ outlined: boolean; crossed: boolean }[]> =>
  picture.evaluate((host, cells) => {
    const marks = host.querySelector<HTMLCanvasElement>('canvas.marks');
    const context = marks?.getContext('2d') ?? null;
    if (marks === null || context === null || marks.hidden) throw new Error('Nothing is marked.');
    const margin = 2;
    const cell = (marks.width - 2 * margin) / cells;
    const mark = getComputedStyle(document.documentElement).getPropertyValue('--mark').trim();
    const middle = Math.floor(cell / 2);
    const pixel = (x: number, y: number): string => {
      const [red = 0, green = 0, blue = 0] = context.getImageData(x, y, 1, 1).data;
      return `#${[red, green, blue].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
    };
    return Array.from({ length: cells * cells }, (_, index) => {
      const x = margin + (index % cells) * cell;
      const y = margin + Math.floor(index / cells) * cell;
      const alpha = context.getImageData(x + middle, y + middle, 1, 1).data[3] ?? 0;
      // Beside the middle of its left edge only its own outline can lie.
      return { outlined: pixel(x - 1, y + middle) === mark, crossed: alpha > 0 };
    });
  }, side);

test('the way back from the loss to conv1 is told layer by layer', async ({ gradscope, trainer }) => {
  const { page } = gradscope;
  await walkTo(gradscope, 'loss', null);
  await page.getByRole('spinbutton', { name: 'Example of the minibatch' }).fill(String(EXAMPLE));
  await gradscope.idle();
  const { minibatch } = await gradscope.state();
  const label = String(minibatch?.labels?.[EXAMPLE]);
  const section = page.getByRole('region', { name: 'Example', exact: true });
  await expect(section.getByRole('heading')).toHaveText(
    `Example ${String(EXAMPLE)} of ${String(minibatch?.indices.length)}, label ${label}`,
  );
  await expect(section.getByRole('img', { name: `image of the example, label ${label}` })).toBeVisible();
  const before = await trainer.place();

  const stage = page.getByRole('region', { name: 'Stage' });
  const standsAt = async (layer: string): Promise<void> => {
    await walkTo(gradscope, 'backward', layer);
    await expect(stage.getByRole('heading')).toContainText(`Standing at ${layer}, backward`);
    await expect(stage.getByRole('img', { name: 'flows back up' })).toBeVisible();
  };
  const arrived = (what: string): Locator =>
    stage.getByRole('img', { name: new RegExp(`^Error that arrived: dL/d output, ${what}$`) });
  const passed = (what: string): Locator =>
    stage.getByRole('img', { name: new RegExp(`^Error it passes on: dL/d input, ${what}$`) });

  await standsAt('fc2');
  await expect(arrived('10 units')).toBeVisible();
  await expect(passed('50 units')).toBeVisible();
  await expect(stage.getByRole('img', { name: /^g of unit \d of fc2$/ })).toBeVisible();

  await standsAt('dropout2');
  const units = await tensor(gradscope, 'dropout2', 'mask');
  const kept = `kept ${String(units.filter((factor) => factor > 0).length)} of 50`;
  await expect(stage.getByRole('img', { name: `dropout2 mask, ${kept}` })).toBeVisible();
  await expect(stage).toContainText('error of kept values times 2; of dropped ones 0');

  await standsAt('relu3');
  await expect(stage).toContainText('stopped: the input was not above 0');

  await standsAt('fc1');
  await expect(stage).toContainText('stopped by ReLU');
  await expect(passed('320 units, as 20 × 4 × 4')).toBeVisible();

  await standsAt('flatten');
  await expect(stage).toContainText('the same errors in another shape');

  await standsAt('pool2');
  await expect(stage).toContainText('max-pool 2 sends it to the winner only; the others get 0');
  await expect(arrived('map \\d+ of 20, 4 × 4')).toBeVisible();
  await expect(passed('map \\d+ of 20, 8 × 8')).toBeVisible();

  await standsAt('dropout1');
  await expect(stage).toContainText(/Map \d+ was kept, times 2\./);

  await standsAt('conv2');
  await expect(stage).toContainText('won, but stopped by ReLU');
  await expect(stage.getByRole('table', { name: 'gradient of the chosen kernel' })).toBeVisible();
  const map = Number(/map (\d+)/.exec((await stage.getByRole('heading').textContent()) ?? '')?.[1]);
  await page.keyboard.press('f');
  await expect(stage.getByRole('heading')).toContainText(`map ${String((map + 1) % 20)}`);
  await stage.getByRole('button', { name: 'Previous map' }).click();
  await expect(stage.getByRole('heading')).toContainText(`map ${String(map)}`);
  await expect(stage.getByRole('heading'), 'choosing leaves the stage').toContainText('Standing at conv2');

  await standsAt('conv1');
  await expect(arrived('map \\d+ of 10, 24 × 24')).toBeVisible();
  await expect(stage).toContainText('The image needs no error');
  expect(await trainer.place(), 'looking has moved training').toEqual(before);
});

test('the way forward shows what comes in and goes out, and which of the four is the largest', async ({
  gradscope,
}) => {
  const { page } = gradscope;
  const stage = page.getByRole('region', { name: 'Stage' });
  await walkTo(gradscope, 'forward', 'conv1');
  await expect(stage.getByRole('heading')).toContainText('Standing at conv1, forward');
  await expect(stage.getByRole('img', { name: 'What comes in: the image, 28 × 28' })).toBeVisible();
  await expect(
    stage.getByRole('img', { name: /^What goes out: output, map \d of 10, 24 × 24$/ }),
  ).toBeVisible();
  await expect(stage.getByRole('img', { name: 'flows down' })).toBeVisible();
  await walkTo(gradscope, 'forward', 'pool1');
  await expect(stage).toContainText('keeps the largest of each 2 × 2');
  await walkTo(gradscope, 'forward', 'relu1');
  await expect(stage).toContainText('ReLU lets through what is above 0');
});

test('an outline is where the error comes through, a cross where ReLU stopped the winner', async ({
  gradscope,
}) => {
  const { page } = gradscope;
  await walkTo(gradscope, 'loss', null);
  await page.getByRole('spinbutton', { name: 'Example of the minibatch' }).fill(String(EXAMPLE));
  await walkTo(gradscope, 'backward', 'conv2');
  const picture = page.getByRole('img', { name: /^Error that arrived: dL\/d output, map \d+ of 20, 8 × 8$/ });
  const map = Number(/map (\d+) of/.exec((await picture.getAttribute('aria-label')) ?? '')?.[1]);
  const [error, pooledFrom, rectified, mask] = [
    await tensor(gradscope, 'conv2', 'error'),
    await tensor(gradscope, 'dropout1', 'activation'),
    await tensor(gradscope, 'relu2', 'activation'),
    await tensor(gradscope, 'dropout1', 'mask'),
  ];
  expect(mask[map], 'the map with the largest error was kept').toBe(2);
  const ofMap = error.slice(map * 64, (map + 1) * 64);
  const inputs = pooledFrom.slice(map * 64, (map + 1) * 64);
  const outputs = rectified.slice(map * 16, (map + 1) * 16);
  const expected = ofMap.map((value, index) => {
    const [row, column] = [Math.floor(index / 8), index % 8];
    const corner = (row - (row % 2)) * 8 + column - (column % 2);
    const window = [corner, corner + 1, corner + 8, corner + 9];
    const most = Math.max(...window.map((at) => inputs[at] ?? 0));
    const isWinner = window.find((at) => inputs[at] === most) === index;
    const isStopped = outputs[Math.floor(row / 2) * 4 + Math.floor(column / 2)] === 0;
    expect(value !== 0, `error at ${String(index)}`).toBe(isWinner && !isStopped);
    return { outlined: value !== 0, crossed: isWinner && isStopped };
  });
  expect(expected.some(({ outlined }) => outlined)).toBe(true);
  expect(await marksOf(picture, 8)).toEqual(expected);
});

import { expect, test } from './fixtures';
import type { GradscopePage } from './support/gradscope-page';

const number = (text: string): number => Number(text.replaceAll('\u2212', '-'));

/** What stands beside a word in the panel. */
async function figure({ page }: GradscopePage, term: string): Promise<string> {
  const panel = page.getByRole('region', { name: 'Step effect' });
  const found = await panel
    .locator('dt', { hasText: term })
    .locator('xpath=following-sibling::dd[1]')
    .innerText();
  return found.trim();
}

test('one sees whether a step helped, what the slope had promised and which layer promised how much', async ({
  gradscope,
  trainer,
  openAnother,
}) => {
  const { page } = gradscope;
  await page.getByRole('tab', { name: 'Step' }).click();
  const panel = page.getByRole('region', { name: 'Step effect' });
  await expect(panel).toContainText('After a step');
  await expect(panel).not.toContainText('undefined');

  await gradscope.step('batch');
  const before = await trainer.place();
  const verdict = panel.getByRole('status', { name: 'Whether the step helped' });
  await expect(verdict).toContainText(/It helped: the loss fell by \S+, \d+ % of what the slope promised/);
  await expect(panel).toContainText('step 1');

  // The same numbers as the trainer's, and g . dW as the page's own tensors have it.
  const { result } = await trainer.request('measureStep', {});
  const lossAt = (share: number): number =>
    Number(result.points.find((point) => point.share === share)?.loss);
  expect(await figure(gradscope, 'loss')).toBe(`${lossAt(0).toFixed(4)} to ${lossAt(1).toFixed(4)}`);
  let slope = 0;
  for (const layer of ['conv1', 'conv2', 'fc1', 'fc2']) {
    for (const name of [`${layer}.weight`, `${layer}.bias`]) {
      const gradient = await gradscope.tensor(name, 'gradient');
      const update = await gradscope.tensor(name, 'update');
      slope += gradient.values.reduce((sum, value, at) => sum + value * (update.values[at] ?? 0), 0);
    }
  }
  expect(Number(result.slope)).toBeCloseTo(slope, 9);
  expect(number(await figure(gradscope, 'promised by the slope'))).toBeCloseTo(slope, 3);
  const shares = await panel
    .getByRole('table', { name: 'Change of the loss promised by each layer' })
    .getByRole('row')
    .evaluateAll((rows) => rows.map((row) => row.lastElementChild?.textContent ?? ''));
  expect(shares).toHaveLength(4);
  expect(shares.reduce((sum, text) => sum + number(text.replace(' %', '')), 0)).toBeGreaterThan(97);
  await expect(panel.getByRole('img', { name: /^Loss along the step/ })).toBeVisible();

  // Looking at it from two pages changes nothing, and training goes on to the same weights.
  const other = await openAnother();
  await other.page.keyboard.press('7');
  await other.idle();
  await expect(other.page.getByRole('region', { name: 'Step effect' })).toContainText('step 1');
  expect(await trainer.place()).toEqual(before);
  await page.bringToFront();
  await gradscope.step('batch');
  await expect(panel).toContainText('step 2');
});

test('inside the next step the last one can still be looked at, and while training runs it moves on', async ({
  gradscope,
}) => {
  const { page } = gradscope;
  await gradscope.step('batch');
  await gradscope.step('layer');
  await page.keyboard.press('7');
  const panel = page.getByRole('region', { name: 'Step effect' });
  await expect(panel).toContainText('step 1');
  await gradscope.button('Play').click();
  await expect
    .poll(async () => number(/step ([\d,]+)/.exec(await panel.innerText())?.[1] ?? '0'))
    .toBeGreaterThan(1);
  await gradscope.pause();
  const { step } = await gradscope.state();
  await expect(panel).toContainText(`step ${String(step)}`);
});

test('weights set by hand leave nothing to measure, and the panel says so', async ({
  gradscope,
  trainer,
}) => {
  const { page } = gradscope;
  await gradscope.step('batch');
  await trainer.request('setWeight', { name: 'fc2.bias', index: 0, value: 1 });
  await page.keyboard.press('7');
  const panel = page.getByRole('region', { name: 'Step effect' });
  await expect(panel).toContainText('The weights were set by hand after step 1');
});

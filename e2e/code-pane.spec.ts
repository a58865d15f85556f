import type { Locator } from '@playwright/test';
import { expect, test } from './fixtures';
import type { GradscopePage } from './support/gradscope-page';

const place = ({ page }: GradscopePage): Locator => page.getByRole('status', { name: 'Place in the code' });
const breakpoint = ({ page }: GradscopePage, name: string): Locator =>
  page.getByRole('button', { name: `Breakpoint at ${name}`, exact: true });
const view = ({ page }: GradscopePage, name: string): Locator =>
  page.getByRole('tablist', { name: 'Code view' }).getByRole('tab', { name, exact: true });
/** The line at which training is. */
const lit = ({ page }: GradscopePage): Locator =>
  page.getByRole('region', { name: 'Code', exact: true }).locator('[aria-current="step"]');

/** Plays and waits until training stands again of itself. */
async function playToStop(gradscope: GradscopePage, sentence: string): Promise<void> {
  await gradscope.button('Play').click();
  await expect(place(gradscope)).toHaveText(sentence);
  await expect(gradscope.button('Play')).toBeVisible();
  await gradscope.idle();
}

test('in the loop, a click sets a breakpoint, and play walks the layers of backward to it', async ({
  gradscope,
  trainer,
  openAnother,
}) => {
  await expect(view(gradscope, 'loop')).toHaveAttribute('aria-selected', 'true');
  await expect(place(gradscope)).toHaveText('Not begun: no line was run yet.');
  await gradscope.step('batch');
  await expect(lit(gradscope)).toContainText('p.w -= 0.01 * p.v');
  const before = await trainer.place();

  const line = breakpoint(gradscope, 'line 9, backward');
  await line.click();
  await expect(line).toHaveAttribute('aria-pressed', 'true');
  await playToStop(gradscope, 'Stopped at the breakpoint on line 9: backward, fc2.');
  expect(await gradscope.state()).toMatchObject({
    state: 'paused',
    step: 1,
    phase: 'backward',
    layer: 'fc2',
  });
  await expect(lit(gradscope)).toContainText('err = layer.backward(err)');
  await playToStop(gradscope, 'Stopped at the breakpoint on line 9: backward, dropout2.');
  await gradscope.step('layer');
  await expect(place(gradscope)).toHaveText('Stands after line 9: backward, relu3.');
  expect(await trainer.place()).toEqual(before);

  // Another page and a page that is opened again have the same breakpoint, as it is the trainer's.
  const other = await openAnother();
  await expect(breakpoint(other, 'line 9, backward')).toHaveAttribute('aria-pressed', 'true');
  await other.page.getByRole('button', { name: 'Clear all breakpoints' }).click();
  await expect(line).toHaveAttribute('aria-pressed', 'false');
  await breakpoint(gradscope, 'line 7, loss').click();
  await gradscope.page.reload();
  await expect(breakpoint(gradscope, 'line 7, loss')).toHaveAttribute('aria-pressed', 'true');
  await playToStop(gradscope, 'Stopped at the breakpoint on line 7: loss.');
  await expect(gradscope.page.getByRole('list', { name: 'stopped at a breakpoint' })).toBeVisible();
  expect((await trainer.place()).step).toBe(2);
});

test('in fit(), a breakpoint is set by key, and the pane says what a callback sees', async ({
  gradscope,
}) => {
  const { page } = gradscope;
  await gradscope.radio('fit() + callbacks').click();
  await expect(view(gradscope, 'fit()')).toHaveAttribute('aria-selected', 'true');
  await gradscope.step('batch');
  await gradscope.step('batch');
  await page.keyboard.press('c');
  await expect(breakpoint(gradscope, 'line 7, step')).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(breakpoint(gradscope, 'line 8, loss')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(breakpoint(gradscope, 'line 8, loss')).toHaveAttribute('aria-pressed', 'true');
  await playToStop(gradscope, 'Stopped at the breakpoint on line 8: loss.');
  expect(await gradscope.state()).toMatchObject({ step: 2, phase: 'loss', mode: 'fit' });
  await expect(lit(gradscope)).toContainText('loss=nll)');
  await playToStop(gradscope, 'Stopped at the breakpoint on line 8: loss.');
  expect(await gradscope.state()).toMatchObject({ step: 3, phase: 'loss' });

  const words = page.getByRole('list', { name: 'What a callback sees' });
  await expect(words).toContainText(/logs = \{loss: [\d.]+, accuracy: 0\.\d{3}\}/u);
  await expect(words).toContainText('not given gradients');
  const code = page.getByRole('region', { name: 'Code', exact: true });
  await expect(code).toContainText(/fit\(\) itself: [\d,]+\.\d\d ms of [\d,]+\.\d\d ms a step/);

  // The same breakpoint is in the other views, and fit() has layers although its code hides them.
  await view(gradscope, 'loop').click();
  await expect(breakpoint(gradscope, 'line 7, loss')).toHaveAttribute('aria-pressed', 'true');
  await breakpoint(gradscope, 'line 7, loss').click();
  await breakpoint(gradscope, 'line 6, forward').click();
  await view(gradscope, 'fit()').click();
  await playToStop(gradscope, 'Stopped at the breakpoint on line 6 of loop: forward, conv1.');
  expect(await gradscope.state()).toMatchObject({ step: 4, phase: 'forward', layer: 'conv1' });
  await expect(lit(gradscope)).toContainText('net.fit(');

  await page.getByRole('button', { name: 'Clear all breakpoints' }).click();
  await gradscope.playTo(7);
  await expect(lit(gradscope)).toContainText('optimizer=SGD(0.01, 0.5)');
});

test('a line without a breakpoint says why, and the code is a drawer in a small window', async ({
  gradscope,
}) => {
  const { page } = gradscope;
  await view(gradscope, 'tape').click();
  await expect(breakpoint(gradscope, 'line 8, end of backward')).toBeVisible();
  await view(gradscope, 'fit()').click();
  await page.getByRole('button', { name: 'No breakpoint at line 9', exact: true }).hover();
  await expect(page.getByRole('tooltip')).toContainText('forward and backward are inside this one call');
  await page.setViewportSize({ width: 1024, height: 700 });
  await page.keyboard.press('c');
  await expect(page.getByRole('dialog', { name: 'Code' })).toBeVisible();
  await view(gradscope, 'loop').click();
  await breakpoint(gradscope, 'line 12, step').click();
  await playToStop(gradscope, 'Stopped at the breakpoint on line 12: step.');
  expect(await gradscope.finishedSteps()).toBe(1);
});

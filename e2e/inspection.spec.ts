import { commonExponent } from '../src-renderer/scene/numbers';
import { expect, test } from './fixtures';
import type { GradscopePage } from './support/gradscope-page';

const chosen = (gradscope: GradscopePage, name: string): Promise<void> =>
  expect(gradscope.page.getByRole('heading', { name })).toBeVisible();

for (const [layer, filter, input, inputs] of [
  ['conv1', 9, 0, 1],
  ['conv2', 3, 7, 10],
] as const) {
  test(`a click on a kernel of ${layer} shows its numbers`, async ({ gradscope }) => {
    await gradscope.step('batch');
    const name = `${layer} filter ${String(filter)} input ${String(input)}`;
    await gradscope.kernel(`${name} gradient`).click();
    await chosen(gradscope, name);
    await gradscope.idle();
    for (const kind of ['weight', 'gradient', 'update'] as const) {
      const { values } = await gradscope.tensor(`${layer}.weight`, kind);
      const first = (filter * inputs + input) * 25;
      const kernel = values.slice(first, first + 25);
      const factor = kind === 'weight' ? 1 : 10 ** commonExponent(kernel);
      const cells = gradscope.page
        .getByRole('table', { name: `${kind} of the chosen kernel` })
        .getByRole('cell');
      const shown = (await cells.allInnerTexts()).map((text) => Number(text.replace('\u2212', '-')) * factor);
      expect(shown).toHaveLength(25);
      // Two decimals are shown, or three.
      shown.forEach((value, at) => {
        expect(Math.abs(value - (kernel[at] ?? NaN))).toBeLessThanOrEqual(0.00501 * factor);
      });
    }
  });
}

test('kernels are walked and chosen by keyboard', async ({ gradscope }) => {
  await gradscope.kernel('conv2 filter 3 input 7 weight').click();
  await gradscope.page.keyboard.press('ArrowRight');
  await expect(gradscope.kernel('conv2 filter 3 input 8 weight')).toBeFocused();
  await gradscope.page.keyboard.press('ArrowDown');
  await expect(gradscope.kernel('conv2 filter 4 input 8 weight')).toBeFocused();
  await gradscope.page.keyboard.press('Enter');
  await expect(gradscope.page.getByRole('region', { name: 'Inspector' })).toContainText(
    'conv2 filter 4 input 8',
  );
});

test('the keyboard plays, pauses and steps', async ({ gradscope, trainer }) => {
  const { keyboard } = gradscope.page;
  await gradscope.page.locator('body').click({ position: { x: 2, y: 2 } });
  await keyboard.press('b');
  await gradscope.idle();
  expect((await trainer.place()).step).toBe(1);
  await keyboard.press('p');
  await gradscope.idle();
  await expect(gradscope.status('Phase')).toContainText('zeroGrad');
  await keyboard.press('Space');
  await gradscope.reaches(3);
  await keyboard.press('Space');
  await expect(gradscope.status('Run state')).toContainText(/paused/i);
});

test('? opens the help, which names the keys', async ({ gradscope }) => {
  await gradscope.page.keyboard.press('?');
  const help = gradscope.page.getByRole('dialog');
  await expect(help).toBeVisible();
  await expect(help).toContainText('Play or pause');
  await gradscope.page.keyboard.press('Escape');
  await expect(help).toBeHidden();
});

test("the theme is the system's until a person chooses one", async ({ gradscope }) => {
  const { page } = gradscope;
  const root = page.locator('html');
  await page.emulateMedia({ colorScheme: 'light' });
  await expect(root).toHaveAttribute('data-theme', 'light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect(root).toHaveAttribute('data-theme', 'dark');
  await page.keyboard.press('t');
  await expect(root).toHaveAttribute('data-theme', 'light');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect(root).toHaveAttribute('data-theme', 'light');
});

test('the theme is changed by key and kept', async ({ gradscope }) => {
  const ground = (): Promise<string> =>
    gradscope.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const before = await ground();
  await gradscope.page.keyboard.press('t');
  await gradscope.idle();
  const after = await ground();
  expect(after).not.toBe(before);
  await gradscope.page.reload();
  await gradscope.idle();
  expect(await ground()).toBe(after);
});

test('another digit has other probabilities', async ({ gradscope }) => {
  await gradscope.playTo(20);
  const probabilities = gradscope.page.getByRole('region', { name: 'Digit' });
  const before = await probabilities.innerText();
  await gradscope.page.keyboard.press('n');
  await gradscope.idle();
  await expect.poll(() => probabilities.innerText()).not.toBe(before);
  const chosen = await probabilities.innerText();
  // They follow the training: one step later the same digit has other ones.
  await gradscope.step('batch');
  await expect.poll(() => probabilities.innerText()).not.toBe(chosen);
});

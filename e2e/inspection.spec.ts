import { expect, test } from './fixtures';

/** How the inspector may write a value: it is read back and compared, so any number of digits will do. */
const numbersIn = (text: string): number[] =>
  [...text.matchAll(/[-\u2212+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?/gi)].map(([number]) =>
    Number(number.replace('\u2212', '-')),
  );

test('a click on a kernel shows its numbers', async ({ gradscope }) => {
  await gradscope.step('batch');
  await gradscope.kernel('conv2 filter 3 input 7 gradient').click();
  const inspector = gradscope.page.getByRole('region', { name: 'Inspector' });
  await expect(inspector).toContainText('conv2 filter 3 input 7');
  const { values, shape } = await gradscope.tensor('conv2.weight', 'gradient');
  expect(shape).toEqual([20, 10, 5, 5]);
  const kernel = values.slice((3 * 10 + 7) * 25, (3 * 10 + 8) * 25);
  const shown = numbersIn(await inspector.innerText());
  const largest = kernel.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
  expect(shown.some((number) => Math.abs(number - largest) <= Math.abs(largest) * 0.01)).toBe(true);
});

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

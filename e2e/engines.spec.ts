import { expect, test } from './fixtures';

test('the engine menu tells how fast each engine is, and switches the run that stands there', async ({
  gradscope,
  trainer,
}) => {
  const { page } = gradscope;
  const menu = page.getByRole('dialog', { name: 'Engines' });
  await page.keyboard.press('Shift+E');
  await expect(menu).toBeVisible();
  // Measured once the first picture was drawn, or known from a test before.
  await expect(menu).toContainText('takes the fastest: ');
  for (const engine of ['simd', 'wasm', 'cpu']) {
    const row = menu.getByRole('radio', { name: new RegExp(`^${engine},`) });
    await expect(row).toHaveAccessibleName(/ [\d,.]+ images\/s/);
  }
  const again = menu.getByRole('button', { name: 'Measure again' });
  const table = await menu.getByRole('radiogroup').innerText();
  await again.click();
  // All figures of all engines are not the same twice.
  await expect(menu.getByRole('radiogroup')).not.toHaveText(table, { useInnerText: true });
  await expect(again).toHaveAttribute('aria-busy', 'false');
  await expect(menu.getByRole('radio', { name: /^cpu,/ })).toHaveAccessibleName(/ [\d,.]+ images\/s/);

  const before = (await gradscope.state()).engine;
  const other = before === 'wasm' ? 'cpu' : 'wasm';

  await menu.getByRole('radio', { name: new RegExp(`^${other},`) }).check();
  await page.keyboard.press('Escape');
  await expect(menu).toBeHidden();
  await gradscope.button('Play').click();
  await gradscope.reaches(3);
  await page.keyboard.press('Shift+E');
  const change = menu.getByRole('button', { name: `Switch this run to ${other}` });
  await expect(change).toBeDisabled();
  await expect(change).toHaveAccessibleDescription(/Pause/);
  await expect(again).toBeDisabled();
  await expect(again).toHaveAccessibleDescription('Pause to measure.');
  await page.keyboard.press('Escape');
  await gradscope.pause();
  const stood = await trainer.place();

  await page.keyboard.press('Shift+E');
  await change.click();
  await expect(page.getByRole('button', { name: new RegExp(`^Engine ${other}`) })).toBeVisible();
  await expect(change).toBeHidden();
  expect(await trainer.place()).toEqual(stood);
  expect((await gradscope.state()).engine).toBe(other);
  await page.keyboard.press('Escape');
  await gradscope.button('Step batch').click();
  await gradscope.reaches(stood.step + 1);
  await expect(gradscope.status('Step')).toContainText((stood.step + 1).toLocaleString('en'));
  expect((await trainer.place()).weightsSha256).not.toBe(stood.weightsSha256);
});

test('an engine is chosen in the rail for the next run, by keys alone', async ({ gradscope }) => {
  const { page } = gradscope;
  await gradscope.button('Engine: auto').focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('radio', { name: /^auto,/ })).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await expect(page.getByRole('radio', { name: /^cpu,/ })).toBeChecked();
  await page.keyboard.press('Escape');
  await gradscope.button('Begin new run').click();
  await expect(page.getByRole('button', { name: /^Engine cpu JavaScript, plain JavaScript:/ })).toHaveText(
    'cpu JavaScript',
  );
  const { engine, engineVariant, versions } = await gradscope.state();
  expect([engine, engineVariant]).toEqual(['cpu', 'plain JavaScript']);
  expect(Object.keys(versions)).toEqual(expect.arrayContaining(['Gradscope', 'Node']));
  await expect(gradscope.button('Engine: cpu')).toBeVisible();
});

import { expect, test } from './fixtures';

test('a reload keeps the chosen kernel, the panel and the locked scale', async ({ gradscope }) => {
  const { page } = gradscope;
  await gradscope.step('batch');
  await gradscope.kernel('conv2 filter 3 input 7 weight').click();
  await page.keyboard.press('k');
  const panel = page.getByRole('tab', { name: 'Kernel', exact: true });
  const title = page.getByRole('heading', { name: /^conv2 filter 3 input 7/ });
  await expect(panel).toHaveAttribute('aria-selected', 'true');
  await expect(title).toBeVisible();
  const lock = page.getByRole('button', { name: 'Lock the scale', exact: true });
  await expect(lock).toHaveAttribute('aria-pressed', 'true');

  await page.reload();
  await gradscope.idle();
  await expect(panel).toHaveAttribute('aria-selected', 'true');
  await expect(title).toBeVisible();
  await expect(lock).toHaveAttribute('aria-pressed', 'true');
});

import { expect, test } from './fixtures';

test.describe('in a small window', () => {
  test.use({ viewport: { width: 1024, height: 700 } });

  test('nothing that trains is missing, and the rails are drawers', async ({ gradscope }) => {
    for (const name of ['Restart', 'Play', 'Step phase', 'Step layer', 'Step batch', 'Step epoch']) {
      await expect(gradscope.button(name)).toBeInViewport();
    }
    for (const name of ['Imperative loop', 'fit() + callbacks'])
      await expect(gradscope.radio(name)).toBeAttached();
    for (const name of ['Run state', 'Step', 'Epoch']) await expect(gradscope.status(name)).toBeInViewport();
    for (const name of ['conv1 filter 9 input 0', 'conv2 filter 19 input 9', 'fc1 unit 49', 'fc2 unit 9']) {
      await gradscope.kernel(`${name} update`).scrollIntoViewIfNeeded();
      await expect(gradscope.kernel(`${name} update`)).toBeInViewport();
    }

    const bar = gradscope.page.getByRole('banner');
    expect(await bar.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(0);

    await gradscope.button('Recipe').click();
    await expect(gradscope.page.getByRole('spinbutton', { name: 'Seed' })).toBeVisible();
    await gradscope.page.keyboard.press('Escape');
    await expect(gradscope.page.getByRole('spinbutton', { name: 'Seed' })).toBeHidden();
    await gradscope.kernel('conv2 filter 3 input 7 weight').click();
    await expect(gradscope.page.getByRole('heading', { name: 'conv2 filter 3 input 7' })).toBeVisible();
  });
});

test('the page scrolls neither way at its design size', async ({ gradscope }) => {
  const overflow = await gradscope.page.evaluate(() => {
    const { scrollWidth, scrollHeight, clientWidth, clientHeight } = document.documentElement;
    return [scrollWidth - clientWidth, scrollHeight - clientHeight];
  });
  expect(overflow).toEqual([0, 0]);
});

// Catches: a reading that is pushed out of the window where nothing gives way in time.
test('the bar fits into windows of every width', async ({ gradscope }) => {
  const { page } = gradscope;
  await gradscope.step('batch');
  for (const width of [1600, 1440, 1400, 1390, 1380, 1300, 1280, 1279, 1210, 1200, 1100, 1024]) {
    await page.setViewportSize({ width, height: 900 });
    const over = await page
      .getByRole('banner')
      .evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
    expect(over, `${String(width)} wide`).toBe(0);
  }
});

test('who asks for less motion still gets every step, at a calmer pace', async ({ gradscope }) => {
  await gradscope.page.emulateMedia({ reducedMotion: 'reduce' });
  await gradscope.playTo(5);
  const step = await gradscope.finishedSteps();
  expect((await gradscope.tensor('conv1.weight', 'weight')).step).toBe(step);
  await gradscope.step('batch');
  expect((await gradscope.tensor('conv1.weight', 'weight')).step).toBe(step + 1);
});

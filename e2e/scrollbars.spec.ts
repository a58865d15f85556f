import { expect, test } from './fixtures';

test.use({
  // Without a window Chromium hides them, unless it is told not to.
  launchOptions: async ({ launchOptions }, use) => {
    await use({ ...launchOptions, ignoreDefaultArgs: ['--hide-scrollbars'] });
  },
});

// Catches: the last digits of a kernel's numbers under the scrollbar of the panel.
test('a scrollbar covers none of the numbers of a kernel', async ({ gradscope }) => {
  const { page } = gradscope;
  await page.setViewportSize({ width: 1440, height: 800 });
  await gradscope.kernel('conv1 filter 0 input 0 weight').click();
  await gradscope.step('batch');
  await page.keyboard.press('5');
  const inspector = page.getByRole('region', { name: 'Inspector' });
  await expect(inspector.getByRole('table').first()).toBeVisible();
  const room = await inspector.evaluate((region) => {
    const scroller = region.parentElement;
    if (scroller === null) throw new Error('The inspector has no parent.');
    const end = scroller.getBoundingClientRect().left + scroller.clientLeft + scroller.clientWidth;
    return {
      scrollbar: scroller.offsetWidth - scroller.clientWidth,
      beside: [...region.querySelectorAll('table, [role="table"], canvas')].map(
        (part) => end - part.getBoundingClientRect().right,
      ),
    };
  });
  expect(room.scrollbar).toBeGreaterThan(0);
  expect(Math.min(...room.beside)).toBeGreaterThanOrEqual(0);
});

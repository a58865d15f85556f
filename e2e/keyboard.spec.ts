import { expect, test } from './fixtures';
import type { GradscopePage } from './support/gradscope-page';

/** Presses a key as the browser reports it on a layout: `key` is what the layout gives, `code` the place of the key. */
async function pressKey({ page }: GradscopePage, key: string, code: string, shift = false): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const event = { key, code, modifiers: shift ? 8 : 0, windowsVirtualKeyCode: key === 'Process' ? 229 : 0 };
  await session.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...event });
  await session.send('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
  await session.detach();
}

for (const [layout, keys] of [
  ['Cyrillic', { b: 'и', n: 'т', t: 'е', f: 'а' }],
  ['Greek', { b: 'β', n: 'ν', t: 'τ', f: 'φ' }],
  ['Hangul', { b: 'ㅠ', n: 'ㅜ', t: 'ㅅ', f: 'ㄹ' }],
  ['input method', { b: 'Process', n: 'Process', t: 'Process', f: 'Process' }],
] as const) {
  // Catches: commands that are looked for by Latin letters alone, on keyboards that have none.
  test(`the keys train and look with the ${layout} switched on`, async ({ gradscope }) => {
    const before = await gradscope.finishedSteps();
    await pressKey(gradscope, keys.b, 'KeyB');
    await expect.poll(() => gradscope.finishedSteps()).toBe(before + 1);
    await gradscope.idle();

    const theme = () => gradscope.page.evaluate(() => document.documentElement.dataset['theme']);
    const first = await theme();
    await pressKey(gradscope, keys.t, 'KeyT');
    await expect.poll(theme).not.toBe(first);

    const digit = gradscope.page.getByRole('region', { name: /^Digit/ });
    const text = await digit.textContent();
    await pressKey(gradscope, keys.n, 'KeyN');
    await expect.poll(() => digit.textContent()).not.toBe(text);
    await gradscope.idle();
    await pressKey(gradscope, keys.n === 'Process' ? 'Process' : keys.n.toUpperCase(), 'KeyN', true);
    await expect.poll(() => digit.textContent()).toBe(text);
  });
}

// Catches: letters of another script that steer the run while somebody types.
test('a field keeps the keys of every layout', async ({ gradscope }) => {
  const seed = gradscope.page.getByRole('spinbutton', { name: 'Seed' });
  await seed.focus();
  const before = await gradscope.finishedSteps();
  for (const key of ['b', 'и', 'ㅠ', 'Process']) await pressKey(gradscope, key, 'KeyB');
  await gradscope.idle();
  expect(await gradscope.finishedSteps()).toBe(before);
});

// Catches: a grid that walks on Alt and an arrow, which belong to the browser.
test('shortcuts of the browser pass a grid by', async ({ gradscope }) => {
  const { page } = gradscope;
  const cell = gradscope.kernel('conv2 filter 3 input 7 weight');
  await cell.focus();
  await page.keyboard.press('Alt+ArrowDown');
  await expect(cell).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(gradscope.kernel('conv2 filter 4 input 7 weight')).toBeFocused();
});

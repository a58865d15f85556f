import { _electron as electron, expect, test } from '@playwright/test';
import { fileURLToPath } from 'node:url';
import { GradscopePage } from './support/gradscope-page';

const folder = fileURLToPath(new URL('..', import.meta.url));

test('the desktop app trains, in a sandboxed page that has no Node', async () => {
  const app = await electron.launch({ args: [folder] });
  try {
    const page = await app.firstWindow();
    const gradscope = new GradscopePage(page);
    await expect(gradscope.button('Play')).toBeVisible();
    await gradscope.step('batch');
    expect(await gradscope.finishedSteps()).toBe(1);
    expect(await page.evaluate(() => typeof (globalThis as { process?: unknown }).process)).toBe('undefined');
  } finally {
    await app.close();
  }
});

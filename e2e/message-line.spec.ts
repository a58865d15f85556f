import type { Locator } from '@playwright/test';
import { expect, test } from './fixtures';

const SIZES = [
  { width: 1440, height: 900 },
  { width: 1280, height: 720 },
  { width: 1366, height: 768 },
  { width: 1024, height: 700 },
  { width: 640, height: 480 },
];

/** The line is found by what is in it, as a person finds it. */
const lineAround = (words: Locator): Locator => words.locator('xpath=..');

// Catches: messages that push the grid down and hide fc2; a line that is as high as what it says.
test('messages come and go in a line of their own, and nothing on the page moves', async ({
  gradscope,
  trainer,
}) => {
  const { page } = gradscope;
  for (const size of SIZES) {
    await page.setViewportSize(size);
    await gradscope.idle();
    const quiet = await gradscope.kernelBoxes();
    const row = lineAround(page.getByRole('status', { name: 'Message', exact: true }));
    await expect(row, 'it is there when there is nothing to say').toHaveText('');
    const empty = await row.boundingBox();
    expect(empty?.height).toBe(24);

    await trainer.request('setWeight', { name: 'conv2.weight', index: 30, value: 'NaN' });
    await gradscope.step('batch');
    const alert = page.getByRole('alert', { name: 'Message', exact: true });
    await expect(alert).toContainText('NaN');
    expect(await gradscope.kernelBoxes()).toEqual(quiet);
    expect(await lineAround(alert).boundingBox()).toEqual(empty);

    // A long refusal on top of it, where the rail with its button is.
    if (await gradscope.button('Open weights').isVisible()) {
      const name = `${'a-very-long-name-of-a-file-'.repeat(8)}.safetensors`;
      const chooser = page.waitForEvent('filechooser');
      await gradscope.button('Open weights').click();
      await (await chooser).setFiles({ name, mimeType: 'application/octet-stream', buffer: Buffer.alloc(7) });
      await expect(alert).toContainText('Not done');
      expect(await gradscope.kernelBoxes()).toEqual(quiet);
      expect(await lineAround(alert).boundingBox()).toEqual(empty);
      await gradscope.button('Dismiss').click();
      await expect(alert).toContainText('NaN');
    }
    await gradscope.button('Restart').click();
    await gradscope.idle();
  }
});

import { expect, test } from './fixtures';
import type { GradscopePage } from './support/gradscope-page';

type Size = readonly [width: number, height: number, pixelRatio: number];

/** Zoom makes a window smaller in CSS pixels and its pixels larger: 320 px is 1280 px at 400 %. */
const SIZES: readonly Size[] = [
  [280, 200, 1],
  [320, 640, 4],
  [320, 256, 1],
  [357, 500, 0.5],
  [358, 500, 1.25],
  [640, 360, 2],
  [959, 660, 1.5],
  [1279, 759, 0.67],
  [1280, 760, 1],
  [1440, 900, 1],
  [1920, 1080, 4],
  [2560, 1440, 1.1],
  [3840, 2160, 2],
  [5000, 300, 1],
  [300, 4320, 1],
  [7680, 4320, 1],
];

const NARROW_AND_WIDE = SIZES.filter(([width]) => width < 400 || width > 5000);

/** Gives the window each size in turn, and lets it be drawn. What is thrown meanwhile fails the test. */
async function walk(gradscope: GradscopePage, sizes: readonly Size[]): Promise<void> {
  const { page } = gradscope;
  const session = await page.context().newCDPSession(page);
  for (const [width, height, deviceScaleFactor] of sizes) {
    await session.send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor,
      mobile: false,
    });
    await gradscope.animationFrames(2);
  }
  await session.send('Emulation.clearDeviceMetricsOverride');
  await session.detach();
}

// Catches: charts and canvases of a negative, fractional or too large size, at any window size and zoom.
test('nothing throws at any window size while training runs', async ({ gradscope }) => {
  await gradscope.kernel('conv2 filter 3 input 7 weight').click();
  await gradscope.button('Play').click();
  await gradscope.reaches(20);
  await walk(gradscope, SIZES);
  // And while a window is being dragged smaller.
  await walk(
    gradscope,
    Array.from({ length: 20 }, (_, at): Size => [710 - at * 22, 700 - at * 24, 1]),
  );
  await gradscope.reaches((await gradscope.finishedSteps()) + 5);
});

test('nothing throws at any window size while training stands at a layer', async ({ gradscope }) => {
  const { page } = gradscope;
  for (let steps = 0; steps < 3; steps += 1) await gradscope.step('layer');
  for (const panel of ['kernel', 'stage', 'step', 'network']) {
    await page.keyboard.press({ kernel: '5', stage: '6', step: '7', network: '8' }[panel] ?? '5');
    await walk(gradscope, NARROW_AND_WIDE);
  }
  await page.keyboard.press('i');
  await page.getByRole('radio', { name: 'fit() + callbacks' }).click();
  await walk(gradscope, SIZES);
});

for (const [what, key] of [
  ['the engines', 'Shift+E'],
  ['help', '?'],
  ['the drawing pad', 'd'],
] as const) {
  test(`nothing throws at any window size with ${what} open`, async ({ gradscope }) => {
    const { page } = gradscope;
    await page.keyboard.press(key);
    await expect(page.getByRole('dialog')).toBeVisible();
    await walk(gradscope, SIZES);
  });
}

test('each drawer opens at 400 % zoom, and what is in it can be reached', async ({ gradscope }) => {
  const { page } = gradscope;
  await page.setViewportSize({ width: 320, height: 256 });
  for (const name of ['Recipe', 'Data', 'Digit', 'Inspector', 'Code']) {
    await gradscope.button(name).click();
    const drawer = page.getByRole('dialog', { name });
    await expect(drawer).toBeInViewport();
    const last = drawer.getByRole('button').last();
    await last.scrollIntoViewIfNeeded();
    await expect(last).toBeInViewport();
    await page.keyboard.press('Escape');
    await expect(drawer).toBeHidden();
  }
  for (const name of ['Restart', 'Play', 'Step phase', 'Step epoch', 'Help', 'Close help', 'Light or dark']) {
    const button = gradscope.button(name);
    await button.scrollIntoViewIfNeeded();
    await expect(button).toBeInViewport();
    if (name.toLowerCase().endsWith('help')) await button.click();
  }
});

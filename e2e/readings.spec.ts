import { DEFAULT_RUN_CONFIG } from '../src-shared/model/run-config';
import { expect, test } from './fixtures';
import type { GradscopePage } from './support/gradscope-page';
import { textFaults } from './support/text-faults';
import type { TrainerClient } from './support/trainer-client';

const SIZES = [
  { width: 1280, height: 720 },
  { width: 1440, height: 900 },
  { width: 2560, height: 1440 },
] as const;

/** The run's weights times a factor, opened in it. */
async function scaleWeights(trainer: TrainerClient, factor: number): Promise<void> {
  const { payload } = await trainer.request('saveWeights', {});
  const bytes = payload.slice();
  const view = new DataView(bytes.buffer);
  for (let at = 8 + Number(view.getBigUint64(0, true)); at < bytes.length; at += 4) {
    view.setFloat32(at, view.getFloat32(at, true) * factor, true);
  }
  await trainer.request('loadWeights', { fileName: 'scaled.safetensors' }, bytes);
}

/** In every panel that is there, at every size. */
async function expectReadable(gradscope: GradscopePage, panels: readonly string[]): Promise<void> {
  const { page } = gradscope;
  for (const size of SIZES) {
    await page.setViewportSize(size);
    for (const key of panels) {
      await page.keyboard.press(key);
      await gradscope.idle();
      await gradscope.animationFrames(2);
      expect(
        await textFaults(page),
        `panel ${key} at ${String(size.width)} x ${String(size.height)}`,
      ).toEqual([]);
    }
    await page.keyboard.press('Escape');
  }
}

// Catches: "1.9e10" and "0" that read 1.9e100, weights of 172112000.000, a pill that runs into W.
for (const [what, factor] of [
  ['huge', 1e9],
  ['tiny', 1e-36],
  ['no numbers after a step', 1e20],
] as const) {
  test(`no reading runs into its neighbour or out of its box where weights are ${what}`, async ({
    gradscope,
    trainer,
  }) => {
    await gradscope.kernel('conv2 filter 3 input 7 weight').click();
    await scaleWeights(trainer, factor);
    await gradscope.step('batch');
    await gradscope.step('batch');
    await expectReadable(gradscope, ['5', '6', '7', '8']);
  });
}

test('the whole kernel is read at 1440 x 900, its history and every layer on the stage', async ({
  gradscope,
}) => {
  const { page } = gradscope;
  await gradscope.kernel('conv2 filter 3 input 7 weight').click();
  await gradscope.step('batch');
  await page.keyboard.press('5');
  await gradscope.idle();
  const room = (selector: string): Promise<number> =>
    page.locator(selector).evaluate(({ clientHeight, scrollHeight }) => clientHeight - scrollHeight);
  expect(await room('.panel-content[data-state=active]'), 'numbers and history of a kernel').toBe(0);
  expect(await room('.rail.left'), 'recipe, data, digit and weights').toBe(0);
  await gradscope.step('layer');
  for (;;) {
    expect(await textFaults(page)).toEqual([]);
    const { layer, phase } = await gradscope.state();
    if (phase === 'backward' && layer === 'conv1') break;
    await gradscope.step('layer');
    expect(await room('.panel-content[data-state=active]'), `stage at ${layer ?? 'loss'}`).toBe(0);
  }
});

test('what is no number is hatched in the numbers of a kernel and under the loupe', async ({
  gradscope,
  trainer,
}) => {
  const { page } = gradscope;
  await gradscope.kernel('conv2 filter 3 input 7 weight').click();
  await scaleWeights(trainer, 1e20);
  await gradscope.step('batch');
  await gradscope.step('batch');
  await page.keyboard.press('5');
  await gradscope.idle();
  const cells = page.getByRole('table', { name: 'gradient of the chosen kernel' }).getByRole('cell');
  await expect(cells.first()).toHaveText('NaN');
  const grounds = await cells.evaluateAll((all) => all.map((cell) => getComputedStyle(cell).backgroundImage));
  expect(grounds.filter((ground) => ground.startsWith('repeating-linear-gradient'))).toHaveLength(25);
  await gradscope.kernel('fc1 unit 3 weight').click();
  await expect(page.locator('.kernel-matrix .marks')).toHaveCount(3);
  for (const marks of await page.locator('.kernel-matrix .marks').all()) await expect(marks).toBeVisible();
});

test('an empty drawing pad shows no digit, and a tap leaves ink', async ({ gradscope }) => {
  const { page } = gradscope;
  await gradscope.button('Draw a digit').click();
  const pad = page.getByRole('dialog', { name: 'Draw a digit' });
  await expect(pad).toContainText('nothing drawn yet');
  await expect(pad.getByRole('img', { name: 'What the network gets' })).toHaveCount(0);
  const box = await pad.getByRole('application', { name: 'Drawing surface' }).boundingBox();
  if (box === null) throw new Error('there is nothing to draw on');
  await page.mouse.move(box.x + 140, box.y + 140);
  await page.mouse.down();
  await page.mouse.up();
  await expect(pad.getByRole('img', { name: 'What the network gets' })).toBeVisible();
  await expect(pad).toContainText('drawn, says');
  await pad.getByRole('button', { name: 'Clear' }).click();
  await expect(pad).toContainText('nothing drawn yet');
});

test('a focus that comes back opens no tooltip', async ({ gradscope }) => {
  const { page } = gradscope;
  await gradscope.button('Help').click();
  await page.keyboard.press('Escape');
  await page.mouse.move(700, 860);
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.keyboard.press('a');
  await page.keyboard.press('Escape');
  await gradscope.animationFrames(3);
  await expect(page.getByRole('tooltip')).toHaveCount(0);
});

test('nothing is lit after the end, and Continue goes on by itself', async ({ gradscope, trainer }) => {
  const { page } = gradscope;
  const order = [Array.from({ length: 64 }, (_, index) => index)];
  const config = { ...DEFAULT_RUN_CONFIG, epochs: 1, order };
  await trainer.request('restart', { config, weightsFile: null });
  await gradscope.reaches(0);
  await gradscope.button('Play').click();
  await expect(gradscope.status('Run state')).toHaveText('finished');
  await expect(page.locator('.phases .on')).toHaveCount(0);
  await expect(page.locator('.code-lines .lit')).toHaveCount(0);
  await gradscope.button('Continue').click();
  await expect.poll(() => gradscope.finishedSteps()).toBe(2);
});

import { colourIndex, colourTable } from '../src-renderer/scene/colour-table';
import { rungOf, rungValue, wholeOf } from '../src-renderer/scene/scale';
import { expect, test } from './fixtures';
import type { GradscopePage } from './support/gradscope-page';
import type { TrainerClient } from './support/trainer-client';

const PIXELS = 28 * 28;

/** What the trainer itself computes for the digit as it is now. */
async function saliencyOf(trainer: TrainerClient, name: string): Promise<Float32Array> {
  const frame = trainer.next(({ message }) => message.type === 'frame');
  trainer.send({ type: 'watch', items: [{ name, kind: 'digitSaliency', maxValues: PIXELS }] });
  trainer.send({ type: 'credit', count: 1 });
  const { payload } = await frame;
  trainer.send({ type: 'watch', items: [] });
  return new Float32Array(payload.slice().buffer);
}

const drawn = ({ page }: GradscopePage, name: string): Promise<number[] | null> =>
  page.evaluate((ofClass) => {
    const picture = window.gradscope.drawn(ofClass, 'digitSaliency');
    return picture === null ? null : Array.from(new Uint32Array(picture.data.buffer));
  }, name);

/** What the picture of these values must look like. */
function coloursOf(values: Float32Array): number[] {
  const rung = rungOf([wholeOf(values)]);
  const scale = rung === null ? 1 : rungValue(rung);
  const { pixels } = colourTable('dark');
  return Array.from(values, (value) => pixels[colourIndex(value, scale)] ?? 0);
}

test('the saliency of the chosen digit is the gradient of the score of the class one chooses', async ({
  gradscope,
  trainer,
}) => {
  const { page } = gradscope;
  await gradscope.playTo(20);
  const before = await trainer.place();
  const section = page.getByRole('region', { name: 'Digit', exact: true });
  const picture = section.getByRole('img', { name: /^Saliency of the digit/ });
  await expect(picture).toBeHidden();
  expect(await drawn(gradscope, 'said')).toBeNull();

  await page.keyboard.press('i');
  await expect(picture).toBeVisible();
  await gradscope.idle();
  const said = /says (\d)/.exec(await section.innerText())?.[1] ?? '';
  await expect(section).toContainText(`d score of ${said} / d pixel`);
  const values = await saliencyOf(trainer, said);
  expect(values).toHaveLength(PIXELS);
  expect(values.some((value) => value !== 0)).toBe(true);
  expect(await drawn(gradscope, 'said')).toEqual(coloursOf(values));

  const other = said === '3' ? '5' : '3';
  await section.getByRole('radio', { name: `Saliency of class ${other}` }).check();
  await gradscope.idle();
  await expect(section).toContainText(`d score of ${other} / d pixel`);
  const ofOther = await saliencyOf(trainer, other);
  expect(ofOther).not.toEqual(values);
  expect(await drawn(gradscope, other)).toEqual(coloursOf(ofOther));
  // By keyboard from there, and back to what it says.
  await page.keyboard.press('ArrowDown');
  await expect(
    section.getByRole('radio', { name: `Saliency of class ${String(Number(other) + 1)}` }),
  ).toBeChecked();
  await section.getByRole('radio', { name: 'follow what it says' }).check();
  await expect(section).toContainText(`d score of ${said} / d pixel`);

  await section.getByRole('button', { name: 'Saliency' }).click();
  await expect(picture).toBeHidden();
  expect(await trainer.place()).toEqual(before);
});

test('the saliency moves while training runs, and follows a digit drawn by hand', async ({
  gradscope,
  trainer,
}) => {
  const { page } = gradscope;
  await page.keyboard.press('i');
  await gradscope.idle();
  const first = await drawn(gradscope, 'said');
  await gradscope.button('Play').click();
  await expect
    .poll(async () => JSON.stringify(await drawn(gradscope, 'said')))
    .not.toBe(JSON.stringify(first));
  await gradscope.pause();

  const ofTestImage = await drawn(gradscope, 'said');
  await gradscope.button('Draw a digit').click();
  const box = await page.getByRole('application', { name: 'Drawing surface' }).boundingBox();
  if (box === null) throw new Error('there is nothing to draw on');
  await page.mouse.move(box.x + 150, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + 130, box.y + 240, { steps: 6 });
  await page.mouse.up();
  await expect(page.getByRole('img', { name: 'Digit drawn by hand' })).toBeVisible();
  await gradscope.idle();
  await expect(page.getByRole('dialog', { name: 'Draw a digit' })).toContainText(/d score of \d \/ d pixel/);
  // The last stroke may still be on its way when the first is on the screen.
  await expect(async () => {
    const ofDrawing = await drawn(gradscope, 'said');
    expect(ofDrawing).not.toEqual(ofTestImage);
    expect(ofDrawing).toEqual(coloursOf(await saliencyOf(trainer, 'said')));
  }).toPass();
});

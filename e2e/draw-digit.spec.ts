import { prepareDigit } from '../src-shared/model/mnist-digit';
import { expect, test } from './fixtures';
import type { GradscopePage } from './support/gradscope-page';

const IMAGE = 'Digit drawn by hand';

async function drawOne({ page }: GradscopePage): Promise<void> {
  const surface = page.getByRole('application', { name: 'Drawing surface' });
  const box = await surface.boundingBox();
  if (box === null) throw new Error('there is nothing to draw on');
  await page.mouse.move(box.x + 150, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + 130, box.y + 240, { steps: 12 });
  await page.mouse.up();
}

/** Bytes of the picture called `name` on the screen, undone from the colours of the dark theme. */
const pictured = ({ page }: GradscopePage, name: string): Promise<number[]> =>
  page.getByRole('img', { name }).evaluate((canvas: HTMLCanvasElement) => {
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('the canvas has no context');
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return Array.from({ length: canvas.width * canvas.height }, (_, at) =>
      Math.round((data[at * 4]! - 18) / 0.92),
    );
  });

/** What is on the drawing surface, made ready by the rule itself. */
async function expected({ page }: GradscopePage): Promise<number[]> {
  const ink = await page.getByRole('application').evaluate((canvas: HTMLCanvasElement) => {
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('the canvas has no context');
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return Array.from({ length: canvas.width * canvas.height }, (_, at) => data[at * 4 + 3]!);
  });
  const prepared = prepareDigit({ width: 280, height: 280, pixels: ink });
  if (prepared === null) throw new Error('nothing was drawn');
  return [...prepared];
}

const furthest = (a: number[], b: number[]): number =>
  Math.max(...a.map((value, at) => Math.abs(value - b[at]!)));

test('a digit drawn with the mouse flows through the network, and training does not notice', async ({
  gradscope,
  trainer,
  openAnother,
}) => {
  await gradscope.playTo(20);
  const before = await trainer.place();
  const { page } = gradscope;
  const probabilities = page
    .getByRole('region', { name: 'Digit' })
    .getByRole('group', { name: 'Probabilities' });
  const ofTestImage = await probabilities.innerText();

  await gradscope.button('Draw a digit').click();
  await drawOne(gradscope);
  await expect(page.getByRole('img', { name: IMAGE })).toBeVisible();
  await gradscope.idle();
  await expect.poll(() => probabilities.innerText()).not.toBe(ofTestImage);
  const prepared = await expected(gradscope);
  // A byte on its way through the colours of the theme may be rounded.
  await expect.poll(async () => furthest(await pictured(gradscope, IMAGE), prepared)).toBeLessThanOrEqual(1);
  await expect(page.getByRole('region', { name: 'Digit' })).toContainText(/error as if it were \d/);

  const other = await openAnother();
  expect(furthest(await pictured(other, IMAGE), prepared)).toBeLessThanOrEqual(1);
  await page.bringToFront();

  await page.getByRole('combobox', { name: 'take it for' }).selectOption('7');
  await expect(page.getByRole('region', { name: 'Digit' })).toContainText('error as if it were 7');
  await expect(other.page.getByRole('region', { name: 'Digit' })).toContainText('error as if it were 7');
  expect(await trainer.place()).toEqual(before);

  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog', { name: 'Draw a digit' })).toBeHidden();
  await gradscope.button('Back to test image 0').click();
  await expect(page.getByRole('img', { name: /^Test image 0, / })).toBeVisible();
  await gradscope.idle();
  await expect.poll(() => probabilities.innerText()).toBe(ofTestImage);
  expect(await trainer.place()).toEqual(before);
});

test('a digit is drawn and cleared by keyboard alone', async ({ gradscope }) => {
  const { page } = gradscope;
  await page.keyboard.press('d');
  const surface = page.getByRole('application', { name: 'Drawing surface' });
  await expect(surface).toBeFocused();
  await page.keyboard.press('Space');
  await expect(page.getByRole('status', { name: 'Pen' })).toHaveText('pen down');
  for (let step = 0; step < 8; step += 1) await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('img', { name: IMAGE })).toBeVisible();
  expect(await gradscope.finishedSteps()).toBe(0);
  await page.keyboard.press('Delete');
  await expect(page.getByRole('img', { name: /^Test image 0, / })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(surface).toBeHidden();
});

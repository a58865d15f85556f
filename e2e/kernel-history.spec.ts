import { formatNumber } from '../src-renderer/scene/numbers';
import { expect, test } from './fixtures';
import type { GradscopePage } from './support/gradscope-page';

const NAME = 'conv2 filter 3 input 7';
const FIRST = (3 * 10 + 7) * 25;
const l2 = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));

/** Norms of the kernel from the tensors that the page shows. */
async function norms(
  gradscope: GradscopePage,
): Promise<{ weight: number; gradient: number; update: number }> {
  const of = async (kind: 'weight' | 'gradient' | 'update'): Promise<number> =>
    l2((await gradscope.tensor('conv2.weight', kind)).values.slice(FIRST, FIRST + 25));
  return { weight: await of('weight'), gradient: await of('gradient'), update: await of('update') };
}

test('the history of a kernel has what its tensors had, of steps before it was chosen too, and survives a reload', async ({
  gradscope,
  trainer,
}) => {
  const seen = [];
  for (let step = 1; step <= 4; step += 1) {
    await gradscope.step('batch');
    seen.push(await norms(gradscope));
  }
  const { weightsSha256 } = await trainer.place();
  for (const reloaded of [false, true]) {
    if (reloaded) {
      await gradscope.page.reload();
      await gradscope.idle();
    }
    await gradscope.kernel(`${NAME} weight`).click();
    const slider = gradscope.page.getByRole('slider', { name: 'Step of the history' });
    await expect(slider).toHaveText('step 0 to 4');
    const shown = (name: string): Promise<string> =>
      gradscope.page.getByRole('group', { name, exact: true }).locator('b').innerText();
    await slider.focus();
    await slider.press('Home');
    await expect(slider).toHaveText('step 0 of 4');
    await gradscope.idle();
    expect(await shown('|g|'), 'a gradient before the first step').toBe('–');
    for (const [index, { weight, gradient, update }] of seen.entries()) {
      await slider.press('ArrowRight');
      await expect(slider).toHaveText(`step ${String(index + 1)} of 4`);
      await gradscope.idle();
      expect(await shown('|W|')).toBe(formatNumber(weight));
      expect(await shown('|g|')).toBe(formatNumber(gradient));
      expect(await shown('|dW|/|W|')).toBe(formatNumber(update / weight));
      expect(await shown('active outputs')).toMatch(/^\d+ %$/);
    }
    await expect(
      gradscope.page.getByRole('img', { name: `|g| of ${NAME} over the run`, exact: true }),
    ).toBeVisible();
  }
  expect((await trainer.place()).weightsSha256, 'looking changed the weights').toBe(weightsSha256);
});

test('a line is read where the pointer is, and says the last step again when it leaves', async ({
  gradscope,
}) => {
  await gradscope.step('batch');
  await gradscope.step('batch');
  await gradscope.kernel(`${NAME} weight`).click();
  const slider = gradscope.page.getByRole('slider', { name: 'Step of the history' });
  await expect(slider).toHaveText('step 0 to 2');
  const line = gradscope.page.getByRole('img', { name: `|W| of ${NAME} over the run`, exact: true });
  const box = await line.boundingBox();
  await line.hover({ position: { x: (box?.width ?? 0) / 2, y: 10 } });
  await expect(slider).toHaveText('step 1 of 2');
  await gradscope.page.mouse.move(0, 0);
  await expect(slider).toHaveText('step 0 to 2');
});

test('a history that cannot be had is refused in one sentence, and the run goes on as it was', async ({
  gradscope,
  trainer,
}) => {
  await gradscope.step('batch');
  const before = await trainer.place();
  for (const [place, sentence] of [
    [{ layer: 'conv9', filter: 0, input: 0 }, 'unknown-tensor: There is no layer with weights called conv9'],
    [{ layer: 'conv2', filter: 20, input: 0 }, 'unknown-tensor: conv2 has filters 0 to 19, but number 20'],
    [{ layer: 'fc1', filter: 0, input: 3 }, 'unknown-tensor: fc1 is dense'],
    [{ layer: 'conv2', filter: -1, input: 0 }, 'malformed-message'],
  ] as const) {
    await expect(trainer.request('kernelHistory', place)).rejects.toThrow(sentence);
  }
  expect(await trainer.place()).toEqual(before);
});

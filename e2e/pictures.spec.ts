import {
  colourIndex,
  colourTable,
  NON_FINITE_INDEX,
  ZERO_INDEX,
  type Theme,
} from '../src-renderer/scene/colour-table';
import { rungOf, rungValue, wholeOf } from '../src-renderer/scene/scale';
import { expect, test } from './fixtures';
import type { Box } from './support/gradscope-page';
import { headlessWeights } from './support/headless';
import { cellColours, histogram, screenshot } from './support/screenshot';

/** What a picture of these values must look like where one scale serves the whole tensor. */
function coloursOf(values: Float32Array, theme: Theme): string[] {
  const rung = rungOf([wholeOf(values)]);
  const scale = rung === null ? 1 : rungValue(rung);
  const { css } = colourTable(theme);
  return Array.from(values, (value) => css[colourIndex(value, scale)] ?? '');
}

function boxNamed(boxes: ReadonlyMap<string, Box>, name: string): Box {
  const box = boxes.get(name);
  if (box === undefined) throw new Error(`There is no ${name} on the screen.`);
  return box;
}

for (const theme of ['dark', 'light'] as const) {
  test(`what is on the screen is what a headless run computed (${theme})`, async ({
    gradscope,
    trainer,
    context,
  }) => {
    const [seed, steps] = [7, 12];
    const before = headlessWeights(seed, steps - 1);
    const after = headlessWeights(seed, steps);
    await trainer.request('restart', {
      config: { ...trainer.ready.config, seed, stopAtStep: steps },
      weightsFile: null,
    });
    if (theme === 'light') await gradscope.page.keyboard.press('t');
    await gradscope.button('Play').click();
    await expect(gradscope.status('Run state')).toContainText(/finished/i);
    await gradscope.idle();
    await gradscope.page.mouse.move(0, 0);
    const picture = await screenshot(gradscope.page, context);
    const boxes = await gradscope.kernelBoxes();

    for (const [layer, filters, inputs] of [
      ['conv1', 10, 1],
      ['conv2', 20, 10],
    ] as const) {
      const old = before.get(`${layer}.weight`) ?? new Float32Array();
      const weight = after.get(`${layer}.weight`) ?? new Float32Array();
      const update = weight.map((value, at) => value - (old[at] ?? 0));
      for (const [kind, values] of [
        ['weight', weight],
        ['update', update],
      ] as const) {
        const expected = coloursOf(values, theme);
        const shown: string[] = [];
        for (let filter = 0; filter < filters; filter += 1) {
          for (let input = 0; input < inputs; input += 1) {
            const name = `${layer} filter ${String(filter)} input ${String(input)} ${kind}`;
            shown.push(...cellColours(picture, boxNamed(boxes, name), 5, 5));
          }
        }
        // Not toEqual of both: a diff of 5,000 colours takes minutes and says less.
        const wrong = shown.flatMap((colour, at) =>
          colour === expected[at] ? [] : [`value ${String(at)}: ${colour} for ${expected[at] ?? 'nothing'}`],
        );
        expect(wrong.slice(0, 10), `${layer} ${kind}, ${String(wrong.length)} wrong`).toEqual([]);
        expect(shown).toHaveLength(expected.length);
        expect(new Set(shown).size, 'a picture of one colour would agree with anything').toBeGreaterThan(20);
      }
    }
  });
}

for (const engine of ['wasm', 'cpu'] as const) {
  test(`a NaN in a weight is the most visible thing on the screen (${engine})`, async ({
    gradscope,
    trainer,
    context,
  }) => {
    await trainer.request('restart', { config: { ...trainer.ready.config, engine }, weightsFile: null });
    await gradscope.idle();
    expect((await gradscope.state()).engine).toBe(engine);
    await trainer.request('setWeight', { name: 'conv2.weight', index: 37 * 25 + 12, value: 'NaN' });
    await expect(gradscope.page.getByText('1 NaN')).toBeVisible();
    await gradscope.idle();

    const boxes = await gradscope.kernelBoxes();
    const { css } = colourTable('dark');
    const picture = await screenshot(gradscope.page, context);
    const hit = histogram(picture, boxNamed(boxes, 'conv2 filter 3 input 7 weight'));
    expect(hit.get(css[NON_FINITE_INDEX] ?? '') ?? 0).toBeGreaterThan(0);
    const neighbour = histogram(picture, boxNamed(boxes, 'conv2 filter 3 input 5 weight'));
    expect(neighbour.has(css[NON_FINITE_INDEX] ?? '')).toBe(false);

    await gradscope.step('batch');
    await expect(gradscope.page.getByRole('alert')).toContainText('conv2');
    const { values } = await gradscope.tensor('fc2.bias', 'gradient');
    expect(values.every(Number.isNaN)).toBe(true);
    const spread = await screenshot(gradscope.page, context);
    // The line that names the NaN has moved the pictures down.
    const moved = await gradscope.kernelBoxes();
    const all = histogram(spread, boxNamed(moved, 'conv1 filter 0 input 0 gradient'));
    expect(all.get(css[NON_FINITE_INDEX] ?? '') ?? 0).toBeGreaterThan(100);
    expect(all.get(css[ZERO_INDEX] ?? '') ?? 0).toBeGreaterThan(100);
  });
}

import { expect, test } from './fixtures';
import { axeFindings, crampedTargets, faintText } from './support/accessibility';
import type { GradscopePage } from './support/gradscope-page';

/**
 * Fails with every place where axe finds something, text is faint, or a control is too small to be hit. In the light theme only with
 * what depends on colours: names, roles and sizes are the same in both.
 */
async function inspect({ page }: GradscopePage, state: string): Promise<void> {
  const isLight = await page.evaluate(() => document.documentElement.dataset['theme'] === 'light');
  expect.soft(await axeFindings(page, isLight ? 'colours' : 'all'), `axe, ${state}`).toEqual([]);
  expect.soft(await faintText(page), `faint text, ${state}`).toEqual([]);
  if (!isLight) expect.soft(await crampedTargets(page), `small targets, ${state}`).toEqual([]);
}

async function stepLayers(gradscope: GradscopePage, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) await gradscope.step('layer');
}

for (const colorScheme of ['dark', 'light'] as const) {
  test.describe(`in the ${colorScheme} theme`, () => {
    test.use({ colorScheme });

    test('nothing is faint, small or unnamed while training runs, stands and has stopped', async ({
      gradscope,
      trainer,
    }) => {
      const { page } = gradscope;
      await gradscope.kernel('conv2 filter 3 input 7 weight').click();
      await inspect(gradscope, 'paused, before the first step');
      await gradscope.button('Play').click();
      await gradscope.reaches(10);
      await inspect(gradscope, 'running');
      await gradscope.pause();
      for (const panel of ['5', '6', '7', '8']) {
        await page.keyboard.press(panel);
        await inspect(gradscope, `paused, panel ${panel}`);
      }
      await page.keyboard.press('m');
      await page.keyboard.press('Shift+C');
      await gradscope.idle();
      await inspect(gradscope, 'fit mode, code folded');
      await trainer.request('setWeight', { name: 'conv2.weight', index: 30, value: 'NaN' });
      await page.keyboard.press('5');
      await gradscope.step('batch');
      await inspect(gradscope, 'after a NaN');
    });

    test('nothing is faint, small or unnamed while training stands at a layer', async ({ gradscope }) => {
      const { page } = gradscope;
      await stepLayers(gradscope, 4);
      await inspect(gradscope, 'forward');
      await stepLayers(gradscope, 12);
      await page.keyboard.press('6');
      await inspect(gradscope, 'backward, stage');
      await page.keyboard.press('i');
      await gradscope.idle();
      await inspect(gradscope, 'saliency');
      await gradscope.kernel('conv2 filter 3 input 7 weight').click();
      await page.keyboard.press('a');
      await expect(page.getByRole('region', { name: /^Arithmetic of/ })).toBeVisible();
      await inspect(gradscope, 'arithmetic');
    });

    test('nothing is faint, small or unnamed in what opens over the page', async ({ gradscope }) => {
      const { page } = gradscope;
      for (const [what, key] of [
        ['help', '?'],
        ['engines', 'Shift+E'],
        ['drawing pad', 'd'],
      ] as const) {
        await page.keyboard.press(key);
        await expect(page.getByRole('dialog')).toBeVisible();
        await inspect(gradscope, what);
        await page.keyboard.press('Escape');
      }
      await page.setViewportSize({ width: 320, height: 640 });
      await gradscope.idle();
      await inspect(gradscope, 'narrow window');
      for (const name of ['Recipe', 'Data', 'Digit', 'Inspector', 'Code']) {
        await gradscope.button(name).click();
        await expect(page.getByRole('dialog', { name })).toBeVisible();
        await page
          .getByRole('dialog', { name })
          .evaluate((drawer) => Promise.all(drawer.getAnimations().map(({ finished }) => finished)));
        await inspect(gradscope, `drawer ${name}`);
        await page.keyboard.press('Escape');
      }
    });
  });
}

test.describe('when the shell has gone', () => {
  test.use({ expectedErrors: [/WebSocket/, /ERR_CONNECTION/] });

  test('nothing is faint, small or unnamed', async ({ gradscope, shell }) => {
    await gradscope.step('batch');
    await shell.stop();
    await expect(gradscope.status('Run state')).not.toHaveText('paused');
    await inspect(gradscope, 'connection lost');
  });
});

test.describe('with forced colours', () => {
  for (const colorScheme of ['dark', 'light'] as const) {
    // Catches: what is said by a fill, a shadow or a gradient alone, which forced colours take away.
    test(`what is chosen, lit and measured is seen on a ${colorScheme} palette`, async ({ gradscope }) => {
      const { page } = gradscope;
      await page.emulateMedia({ colorScheme, forcedColors: 'active' });
      await gradscope.kernel('conv2 filter 3 input 7 weight').click();
      await stepLayers(gradscope, 16);
      await page.keyboard.press('i');
      await gradscope.idle();
      const seen = await page.evaluate(() => {
        const styleOf = (selector: string): CSSStyleDeclaration => {
          const element = document.querySelector(selector);
          if (element === null) throw new Error(`There is no ${selector}.`);
          return getComputedStyle(element);
        };
        const probe = document.body.appendChild(document.createElement('i'));
        const system = (name: string): string => {
          probe.style.cssText = `forced-color-adjust: none; color: ${name}`;
          return getComputedStyle(probe).color;
        };
        const [canvas, highlight] = [system('Canvas'), system('Highlight')];
        const fills = [
          '.seg input:checked + span',
          '.phases .on .phase',
          '.code-lines .lit',
          '.between .names .here, .primary',
        ];
        const data = ['.nan-chip', '.probabilities s', '.between .meter'];
        const keys = ['.line-key', '.dot-key'];
        return {
          fills: fills.filter((selector) => styleOf(selector).backgroundColor !== highlight),
          data: data.filter((selector) => styleOf(selector).backgroundImage === 'none'),
          keys: keys.filter((selector) => styleOf(selector).backgroundColor === canvas),
          row: styleOf('.scope-row[data-standing="here"]').outlineColor === highlight,
          other: styleOf('.seg input:not(:checked) + span').backgroundColor !== highlight,
          edge: styleOf('.seg').borderTopColor !== canvas,
          slider: styleOf('.speed input').appearance,
        };
      });
      expect(seen).toEqual({
        fills: [],
        data: [],
        keys: [],
        row: true,
        other: true,
        edge: true,
        slider: 'auto',
      });
      expect(await axeFindings(page)).toEqual([]);
    });
  }
});

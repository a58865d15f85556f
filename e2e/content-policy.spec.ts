import { expect, test } from './fixtures';

interface Recorder {
  violations: string[];
}

// The content policy stops a text that is about to become markup or a script, and what did not come with the page. Whatever the
// page itself does must never come to that: it would be a feature that does not work.
test('nothing that the page does is against its content policy', async ({ page, gradscope, openAnother }) => {
  const views = [page, (await openAnother()).page];
  await views[1]?.setViewportSize({ width: 800, height: 600 });
  for (const view of views) {
    await view.addInitScript(() => {
      const violations: string[] = [];
      Object.assign(window, { violations });
      document.addEventListener('securitypolicyviolation', (event) => {
        violations.push(`${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`);
      });
    });
    await view.reload();
    await expect(view.getByRole('button', { name: 'Play', exact: true })).toBeVisible();
  }

  await gradscope.step('phase');
  await gradscope.step('layer');
  await gradscope.step('batch');
  await gradscope.kernel('conv2 filter 3 input 7 gradient').click();
  for (const view of views) {
    // Each of them opens something, and Escape closes what stays open.
    for (const key of [
      '?',
      'd',
      'c',
      'i',
      's',
      'w',
      'a',
      'm',
      'n',
      'x',
      'f',
      '5',
      '6',
      '7',
      '8',
      '9',
      't',
      't',
      'k',
      'Shift+E',
      'End',
    ]) {
      await view.keyboard.press(key);
      await view.evaluate(() => window.gradscope.waitForIdle());
      await view.keyboard.press('Escape');
    }
  }
  const cell = gradscope.kernel('conv1 filter 0 input 0 weight');
  await cell.hover();
  await gradscope.playTo((await gradscope.finishedSteps()) + 3);
  const saved = page.waitForEvent('download');
  await gradscope.button('Save weights').click();
  const file = await (await saved).path();
  const chosen = page.waitForEvent('filechooser');
  await gradscope.button('Open weights').click();
  await (await chosen).setFiles(file);
  await gradscope.idle();
  await gradscope.button('Restart').click();
  await gradscope.idle();

  for (const view of views) {
    expect(await view.evaluate(() => (window as unknown as Recorder).violations)).toEqual([]);
  }
});

test.describe('a text', () => {
  test.use({ expectedErrors: [/Trusted ?(HTML|Script)|trusted-types/i] });

  // Catches: a policy that is sent and not in force.
  test('cannot become markup, a script or the address of one', async ({ gradscope }) => {
    const thrown = await gradscope.page.evaluate(() => {
      const outcome = (act: () => unknown): string => {
        try {
          act();
          return 'done';
        } catch (error) {
          return error instanceof Error ? error.name : String(error);
        }
      };
      const script = document.createElement('script');
      const frame = document.createElement('iframe');
      return [
        outcome(() => (document.createElement('p').innerHTML = '<b>')),
        outcome(() => {
          document.body.insertAdjacentHTML('beforeend', '<b>');
        }),
        outcome(() => (frame.srcdoc = '<b>')),
        outcome(() => (script.src = '/a.js')),
        outcome(() => (script.text = '1')),
        outcome(() => new Worker('/a.js')),
        outcome(() => {
          const { trustedTypes } = window as unknown as {
            trustedTypes: { createPolicy(name: string, rules: object): unknown };
          };
          trustedTypes.createPolicy('default', {});
        }),
      ];
    });
    expect(thrown).toEqual(Array.from(thrown, () => 'TypeError'));
  });
});

import type { Page } from '@playwright/test';
import { expect, test } from './fixtures';
import type { GradscopePage } from './support/gradscope-page';

/** Where an element's colours come from the one that means "now", in any state. */
const litPlaces = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const style = getComputedStyle(document.documentElement);
    const probe = document.createElement('i');
    document.body.append(probe);
    const lime = ['#c9f26b', '#b4e33d', '#456200'].map((colour) => {
      probe.style.color = colour;
      return getComputedStyle(probe).color;
    });
    probe.remove();
    const lit = [...document.querySelectorAll('body *')].flatMap((element) => {
      const { color, backgroundColor, borderTopColor, fill, stroke, display } = getComputedStyle(element);
      const has =
        display !== 'none' &&
        [backgroundColor, borderTopColor, fill, stroke].some((each) => lime.includes(each));
      return has || (lime.includes(color) && element.textContent !== '')
        ? [element.getAttribute('class') ?? '']
        : [];
    });
    return [
      ...lit,
      ...['--live', '--live-text'].filter((name) => lime.includes(style.getPropertyValue(name))),
    ];
  });

const reading = (gradscope: GradscopePage, label: string): Promise<string> =>
  gradscope.page.locator('.reading', { hasText: label }).locator('b').innerText();

test('a trainer that is stopped is said to be silent, and is heard again', async ({
  gradscope,
  shell,
  openAnother,
}) => {
  const other = await openAnother();
  const pages = [gradscope, other];
  await gradscope.button('Play').click();
  for (const page of pages) await page.reaches(5);
  const { trainerPid } = shell;
  process.kill(trainerPid, 'SIGSTOP');
  try {
    for (const each of pages) {
      const alert = each.page.getByRole('alert');
      await expect(alert).toContainText(/no answer for \d+ s/);
      await expect(each.status('Run state')).toHaveText('no answer');
      expect(await reading(each, 'images/s')).toBe('–');
      expect(await reading(each, 'steps/s')).toBe('–');
      expect(await reading(each, 'picture age')).toMatch(/^\d+\.\d s$/);
      expect(await each.state()).toMatchObject({ connection: 'open', state: 'silent' });
      expect(await litPlaces(each.page)).toEqual([]);
    }
    // It counts on.
    await expect(gradscope.page.getByRole('alert')).toContainText(/no answer for (\d\d+) s/);
  } finally {
    process.kill(trainerPid, 'SIGCONT');
  }
  for (const each of pages) {
    await expect(each.page.getByRole('alert')).toBeHidden();
    await expect(each.status('Run state')).toHaveText('running');
  }
  const step = await gradscope.finishedSteps();
  await gradscope.reaches(step + 5);
  await gradscope.pause();
});

test('a trainer that stands is not said to be silent, and one that is stopped while it stands is', async ({
  gradscope,
  shell,
  trainer,
}) => {
  await gradscope.step('batch');
  // It says a status each second: twice as many as silence takes seconds to be said.
  for (let heard = 0; heard < 6; heard += 1) {
    await trainer.next(({ message }) => message.type === 'status');
    await expect(gradscope.page.getByRole('alert')).toBeHidden();
  }
  process.kill(shell.trainerPid, 'SIGSTOP');
  try {
    await expect(gradscope.page.getByRole('alert')).toContainText('no answer for 3 s');
  } finally {
    process.kill(shell.trainerPid, 'SIGCONT');
  }
  await expect(gradscope.page.getByRole('alert')).toBeHidden();
});

test.describe('when the trainer is killed', () => {
  test.use({ expectedErrors: [/WebSocket/] });

  test('nothing stays lit, and every page finds the new one and says how many steps were lost', async ({
    gradscope,
    shell,
    openAnother,
  }) => {
    const other = await openAnother();
    const pages = [gradscope, other];
    await gradscope.button('Play').click();
    for (const page of pages) await page.reaches(20);
    const { trainerPid } = shell;
    const seen = pages.map((each) =>
      each.page.evaluate(
        () =>
          new Promise<{ state: string; live: string; playing: boolean }>((resolve) => {
            const look = setInterval(() => {
              const { connection, state } = window.gradscope.status();
              if (connection !== 'lost') return;
              clearInterval(look);
              requestAnimationFrame(() => {
                const live = getComputedStyle(document.documentElement).getPropertyValue('--live');
                const playing = document.querySelector('.primary')?.textContent === 'Pause';
                resolve({ state, live, playing });
              });
            }, 5);
          }),
      ),
    );
    process.kill(trainerPid, 'SIGKILL');
    for (const state of await Promise.all(seen)) {
      expect(state).toMatchObject({ state: 'lost', playing: false });
      expect(state.live).not.toMatch(/c9f26b|b4e33d/i);
    }
    const sentences: string[] = [];
    for (const each of pages) {
      const alert = each.page.getByRole('alert');
      await expect(alert).toContainText('This is a new run');
      await expect(alert).toContainText('SIGKILL');
      await expect(alert).toContainText(/\d+ steps were lost/);
      await expect.poll(async () => (await each.state()).connection).toBe('open');
      await each.idle();
      expect(await each.state()).toMatchObject({ step: 0, state: 'paused' });
      sentences.push((await alert.innerText()).replace(/\d+ steps/, 'N steps'));
    }
    expect(new Set(sentences).size, sentences.join(' / ')).toBe(1);
    expect(shell.trainerPid).not.toBe(trainerPid);
    await gradscope.button('Dismiss').click();
    await expect(gradscope.page.getByRole('alert')).toBeHidden();
    await gradscope.step('batch');
    expect(await gradscope.finishedSteps()).toBe(1);
  });
});

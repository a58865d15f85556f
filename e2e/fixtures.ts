import { expect, test as base, type Page } from '@playwright/test';
import { BrowserShell } from './support/browser-shell';
import { GradscopePage } from './support/gradscope-page';
import { isAlive } from './support/processes';
import { TrainerClient } from './support/trainer-client';

interface Fixtures {
  /** Console errors that a test provokes. Every other one fails it; what a content policy stops is one, too. */
  readonly expectedErrors: RegExp[];
  /** A browser shell of this test alone. Afterwards none of its processes may be left. */
  readonly shell: BrowserShell;
  /** Gradscope's page, open and idle. */
  readonly gradscope: GradscopePage;
  /** Opens one more page on the same run. */
  readonly openAnother: () => Promise<GradscopePage>;
  /** Another party on the same run, without a page. */
  readonly trainer: TrainerClient;
  readonly watchErrors: (page: Page) => void;
}

export const test = base.extend<Fixtures>({
  expectedErrors: async ({}, use) => {
    await use([]);
  },

  watchErrors: async ({ expectedErrors }, use) => {
    const errors: string[] = [];
    await use((page) => {
      page.on('pageerror', (error) => errors.push(error.stack ?? error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') errors.push(`${message.text()} (${message.location().url})`);
      });
      page.on('crash', () => errors.push('the page crashed'));
    });
    expect(errors.filter((error) => !expectedErrors.some((pattern) => pattern.test(error)))).toEqual([]);
  },

  shell: async ({}, use) => {
    const shell = await BrowserShell.start();
    await use(shell);
    const family = await shell.stop();
    await expect.poll(() => family.filter(isAlive), { message: 'processes left behind' }).toEqual([]);
  },

  gradscope: async ({ shell, page, watchErrors }, use) => {
    watchErrors(page);
    const gradscope = new GradscopePage(page);
    await gradscope.open(shell.address);
    await use(gradscope);
  },

  openAnother: async ({ shell, context, watchErrors }, use) => {
    await use(async () => {
      const page = await context.newPage();
      watchErrors(page);
      const another = new GradscopePage(page);
      await another.open(shell.address);
      return another;
    });
  },

  trainer: async ({ shell }, use) => {
    const client = await TrainerClient.connect(shell.address);
    await use(client);
    await client.close();
  },
});

export { expect };

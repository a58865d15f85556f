import { fileURLToPath } from 'node:url';
import { defineConfig } from '@playwright/test';
import { chromiumArguments, findChromium } from './scripts/lib/chromium.mjs';

// What the user has measured is neither read nor written.
process.env['GRADSCOPE_CACHE'] = fileURLToPath(new URL('.cache/end-to-end', import.meta.url));

const executablePath = findChromium();

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  // Training takes what processors there are; two at once would measure each other.
  workers: 1,
  // A test that passes the second time has found something.
  retries: 0,
  forbidOnly: true,
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: 'list',
  projects: [
    {
      name: 'browser',
      testIgnore: 'desktop.spec.ts',
      use: {
        viewport: { width: 1440, height: 900 },
        colorScheme: 'dark',
        screenshot: 'only-on-failure',
        launchOptions: {
          ...(executablePath === undefined ? {} : { executablePath }),
          // Pixels are compared with the colour table, so what is drawn must be what is shown.
          args: [...chromiumArguments(), '--force-color-profile=srgb'],
        },
      },
    },
    { name: 'desktop', testMatch: 'desktop.spec.ts' },
  ],
});

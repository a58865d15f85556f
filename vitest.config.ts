import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { simdKernels } from './scripts/lib/assemblyscript.mjs';

export default defineConfig({
  plugins: [simdKernels()],
  test: {
    // What the user has measured is neither read nor written.
    env: { GRADSCOPE_CACHE: fileURLToPath(new URL('.cache/tests', import.meta.url)) },
    include: ['src-*/**/*.test.{ts,tsx}', 'scripts/**/*.test.ts', '{bench,campaign}/**/*.test.ts'],
    // Some tests train for real, on whatever machine this is.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // One fewer, as is usual, would leave half of a small machine idle.
    maxWorkers: '100%',
  },
});

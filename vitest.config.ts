import { defineConfig } from 'vitest/config';
import { simdKernels } from './scripts/lib/assemblyscript.mjs';

export default defineConfig({
  plugins: [simdKernels()],
  test: {
    include: ['src-*/**/*.test.{ts,tsx}', 'scripts/**/*.test.ts', 'bench/**/*.test.ts'],
    // Some tests train for real, on whatever machine this is.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src-*/**/*.test.{ts,tsx}', 'scripts/**/*.test.ts', 'bench/**/*.test.ts'],
    // Some tests train for real, on whatever machine this is.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});

import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';
import { resolve } from 'node:path';
import type { Plugin, Rolldown } from 'vite';
import { simdKernels } from './scripts/lib/assemblyscript.mjs';

const from = (path: string): string => resolve(import.meta.dirname, path);

/**
 * Every entry of the main build is a program of its own. Were one entry's file to carry code that another needs, starting
 * the second would start the first as well: a worker that opens windows. The bundler is told not to (below), and this
 * holds it to it.
 */
const entriesStandAlone: Plugin = {
  name: 'gradscope:entries-stand-alone',
  apply: 'build',
  generateBundle(_options: Rolldown.NormalizedOutputOptions, bundle: Rolldown.OutputBundle): void {
    const chunks = Object.values(bundle).filter((output) => output.type === 'chunk');
    const entries = new Set(chunks.filter((chunk) => chunk.isEntry).map((chunk) => chunk.fileName));
    for (const chunk of chunks) {
      const entry = [...chunk.imports, ...chunk.dynamicImports].find((name) => entries.has(name));
      if (entry !== undefined)
        throw new Error(`${chunk.fileName} imports ${entry}, which is a program of its own.`);
    }
  },
};

/** A sandboxed preload can load `electron` and nothing else. */
const preloadIsOneFile: Plugin = {
  name: 'gradscope:preload-is-one-file',
  apply: 'build',
  generateBundle(_options: Rolldown.NormalizedOutputOptions, bundle: Rolldown.OutputBundle): void {
    for (const output of Object.values(bundle)) {
      if (output.type !== 'chunk') continue;
      const foreign = [...output.imports, ...output.dynamicImports].find((name) => name !== 'electron');
      if (foreign !== undefined)
        throw new Error(`The preload script needs ${foreign}, which its sandbox does not have.`);
    }
  },
};

/** Packages that become part of the programs: as a package, zod opens about a hundred files at every start of every process. */
const BUILT_IN = ['zod'];

export default defineConfig({
  main: {
    build: {
      outDir: from('out/main'),
      // The browser and headless shells and their worker run on the Node that is installed, not on Electron's.
      target: 'node20.19',
      externalizeDeps: { exclude: BUILT_IN },
      rolldownOptions: {
        input: {
          desktop: from('src-main/desktop/index.ts'),
          browser: from('src-main/browser/index.ts'),
          headless: from('src-main/headless/index.ts'),
          worker: from('src-worker/index.ts'),
          'training-thread': from('src-worker/training-thread.ts'),
        },
        preserveEntrySignatures: 'strict',
        output: { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
    ssr: { noExternal: BUILT_IN },
    plugins: [simdKernels(), entriesStandAlone],
  },
  preload: {
    build: {
      outDir: from('out/preload'),
      externalizeDeps: false,
      rolldownOptions: {
        input: { preload: from('src-main/desktop/preload.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
    plugins: [preloadIsOneFile],
  },
  renderer: {
    root: from('src-renderer'),
    build: {
      outDir: from('out/renderer'),
      emptyOutDir: true,
      // Not only Electron's own Chromium opens the page: the browser shell shows it in whatever is installed.
      target: 'chrome120',
      // The page's content policy allows no data: addresses, so fonts and pictures stay files.
      assetsInlineLimit: 0,
      rolldownOptions: { input: from('src-renderer/index.html') },
    },
    plugins: [react()],
  },
});

import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const inProject = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export interface BuiltWorker {
  /** Path of the process entry; the thread's is beside it. */
  readonly script: string;
  readonly folder: string;
  remove(): void;
}

/** Builds the trainer process as the product does, into a folder of its own inside out/, so that it finds node_modules. */
export async function buildWorker(): Promise<BuiltWorker> {
  const folder = inProject(`out/test-worker-${String(process.pid)}`);
  await build({
    root: inProject('.'),
    configFile: false,
    logLevel: 'warn',
    build: {
      ssr: true,
      outDir: folder,
      emptyOutDir: true,
      target: 'node20.19',
      rolldownOptions: {
        input: {
          worker: inProject('src-worker/index.ts'),
          'training-thread': inProject('src-worker/training-thread.ts'),
        },
        output: { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  });
  return {
    script: `${folder}/worker.js`,
    folder,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

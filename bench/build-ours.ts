import { build } from 'vite';
import { simdKernels } from '../scripts/lib/assemblyscript.mjs';
import { inProject } from '../scripts/lib/project.mjs';

/** Bundles the trainer with the line protocol around it, as the product's build does, to out/bench/gradscope.js. */
export async function buildOurs(): Promise<void> {
  await build({
    configFile: false,
    root: inProject('.'),
    logLevel: 'warn',
    plugins: [simdKernels()],
    build: {
      ssr: inProject('bench/peers/gradscope.ts'),
      outDir: inProject('out/bench'),
      target: 'node20.19',
      rolldownOptions: { output: { entryFileNames: '[name].js' } },
    },
  });
}

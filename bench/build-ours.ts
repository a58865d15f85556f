import { build } from 'vite';
import { simdKernels } from '../scripts/lib/assemblyscript.mjs';
import { inProject } from '../scripts/lib/project.mjs';

/** Bundles Gradscope's own programs of bench/peers, as the product's build does, into out/bench. */
export async function buildOurs(): Promise<void> {
  await build({
    configFile: false,
    root: inProject('.'),
    logLevel: 'warn',
    plugins: [simdKernels()],
    build: {
      ssr: true,
      outDir: inProject('out/bench'),
      target: 'node20.19',
      rolldownOptions: {
        input: ['gradscope', 'gradscope-auto'].map((name) => inProject(`bench/peers/${name}.ts`)),
        output: { entryFileNames: '[name].js' },
      },
    },
  });
}

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { planNetwork } from '../../src-shared/model/network';
import { recipeNamed } from '../../src-shared/model/recipe';
import { readSafetensors } from '../../src-shared/model/safetensors';

const builtHeadless = fileURLToPath(new URL('../../out/main/headless.js', import.meta.url));

/** The weights after so many steps of the paper's PyTorch recipe, from a run that no page ever saw. */
export function headlessWeights(seed: number, steps: number): Map<string, Float32Array> {
  const folder = mkdtempSync(join(tmpdir(), 'gradscope-'));
  try {
    const file = join(folder, 'weights.safetensors');
    const args = [
      '--recipe',
      'pytorch-paper',
      '--seed',
      String(seed),
      '--steps',
      String(steps),
      '--save',
      file,
    ];
    const { status, stderr } = spawnSync(process.execPath, [builtHeadless, ...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`The headless run ended with ${String(status)}: ${stderr}`);
    return readSafetensors(
      readFileSync(file),
      planNetwork(recipeNamed('pytorch-paper').network).parameters,
      file,
    ).values;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

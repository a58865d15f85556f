import { existsSync } from 'node:fs';
import { describe } from 'vitest';
import { ENGINE_NAMES, type EngineName } from '../../../src-shared/model/run-config';
import { needsSetUp, readSetUp } from '../tensorflow/set-up';

/**
 * A suite for each engine; %s in the title is its name. One that is not set up on this machine is skipped, and its title says why.
 */
export function describeEngines(
  title: string,
  suite: (name: EngineName) => void,
  names: readonly EngineName[] = ENGINE_NAMES,
): void {
  for (const name of names) {
    const why = whyNotHere(name);
    const ofEngine = title.replace('%s', name);
    if (why === null) {
      describe(ofEngine, () => {
        suite(name);
      });
    } else {
      describe.skip(`${ofEngine} (skipped: ${why})`, () => {
        suite(name);
      });
    }
  }
}

/** The engines that can be loaded on this machine, for tests that compare them. */
export const enginesHere = (): EngineName[] => ENGINE_NAMES.filter((name) => whyNotHere(name) === null);

function whyNotHere(name: EngineName): string | null {
  if (!needsSetUp(name)) return null;
  if (readSetUp(name) === null) return `npm run engine -- ${name} was not run here`;
  // NVIDIA's driver shows itself so.
  const gpu = existsSync('/dev/nvidia0');
  if (name === 'tensorflow-gpu') return gpu ? null : 'there is no GPU';
  return gpu && readSetUp('tensorflow-gpu') !== null
    ? 'a process holds one TensorFlow, and tensorflow-gpu is here'
    : null;
}

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { EngineName } from '../../../src-shared/model/run-config';
import { cacheFolder } from '../../cache-folder';

/** Engines on TensorFlow's own library: for the CPU, and for NVIDIA's GPUs. */
export type TensorFlowEngineName = Extract<EngineName, `tensorflow${string}`>;

export const needsSetUp = (name: EngineName): name is TensorFlowEngineName => name.startsWith('tensorflow');

/** What `npm run engine` leaves when an engine is set up, last of all (scripts/lib/tensorflow.mjs writes it). */
const readySchema = z.object({
  /** Version of @tensorflow/tfjs-node-gpu that the addon was made for. */
  package: z.string(),
  /** Path of the addon, from the engine's folder. */
  addon: z.string(),
});

export interface SetUp {
  readonly packageVersion: string;
  /** Absolute path of the native addon, which exists. */
  readonly addon: string;
}

/** Folder of the engine, outside the repository, so that an install of the packages does not take it away; null: there is no such place. */
export function engineFolder(name: TensorFlowEngineName): string | null {
  const cache = cacheFolder();
  return cache === null ? null : join(cache, 'tensorflow', name);
}

/** Null: `npm run engine -- NAME` was not run here to its end, or what it left is gone. */
export function readSetUp(name: TensorFlowEngineName): SetUp | null {
  const folder = engineFolder(name);
  if (folder === null) return null;
  const file = join(folder, 'ready.json');
  const ready = readySchema.safeParse(read(file));
  if (!ready.success) return null;
  const addon = join(folder, ready.data.addon);
  return existsSync(addon) ? { packageVersion: ready.data.package, addon } : null;
}

function read(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

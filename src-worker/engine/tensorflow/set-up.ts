import { lstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { EngineName } from '../../../src-shared/model/run-config';
import { readRegularFile } from '../../../src-node/read-file.mjs';
import { whyUntrusted } from '../../../src-node/trusted-path.mjs';
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

/** The mark has some hundred bytes. */
const MOST_BYTES = 64 * 1024;

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

/** Somebody else could have written the mark, so that it is not read. */
export interface UntrustedSetUp {
  /** What is wrong and what to do, without a full stop. */
  readonly untrusted: string;
}

/** Null: `npm run engine -- NAME` was not run here to its end, or what it left is gone. */
export function readSetUp(name: TensorFlowEngineName): SetUp | UntrustedSetUp | null {
  const folder = engineFolder(name);
  if (folder === null) return null;
  const file = join(folder, 'ready.json');
  if (!isThere(file)) return null;
  const untrusted = whyUntrusted(file);
  if (untrusted !== null) return { untrusted };
  const ready = readySchema.safeParse(read(file));
  if (!ready.success) return null;
  const addon = join(folder, ready.data.addon);
  return isRegular(addon) ? { packageVersion: ready.data.package, addon } : null;
}

/** A link counts, whatever it leads to. */
function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function isRegular(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function read(file: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(readRegularFile(file, MOST_BYTES)));
  } catch {
    return null;
  }
}

import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { listOf } from '../../src-shared/json/list-of';
import { engineSpeedSchema } from '../../src-shared/model/engine-table';
import { reasonOf } from '../../src-node/file-error.mjs';
import { readRegularFile } from '../../src-node/read-file.mjs';
import { writeWhole } from '../../src-node/write-file.mjs';
import { cacheFolder } from '../cache-folder';
import type { MeasuredEngine } from './measure-engines';

/** A table has some kilobytes. */
const MOST_BYTES = 1_000_000;

/** Raised when measurements of before mean something else. */
const FORMAT = 1;

const fileSchema = z.strictObject({
  format: z.literal(FORMAT),
  /** What was measured where, in full: the name of the file is only a hash of it. */
  key: z.string(),
  engines: listOf(z.strictObject({ ...engineSpeedSchema.shape, versions: z.record(z.string(), z.string()) })),
});

/** Where the measurements of this user are kept: in $GRADSCOPE_CACHE where that is set; null: there is no such place. */
export function engineTableFolder(): string | null {
  const cache = process.env['GRADSCOPE_CACHE'] || cacheFolder();
  return cache === null ? null : join(cache, 'engines');
}

/**
 * How fast engines were, by what was trained on which machine; also over the end of the program, in one file each. What cannot
 * be read, or is of another make, is as if it were not there.
 */
export class EngineTables {
  readonly #folder: string | null;
  readonly #warn: (sentence: string) => void;
  readonly #known = new Map<string, readonly MeasuredEngine[]>();
  #warned = false;

  /** @param folder null: only this program remembers. @param warn told once when the folder cannot be written */
  constructor(folder: string | null, warn: (sentence: string) => void) {
    this.#folder = folder;
    this.#warn = warn;
  }

  get(key: string): readonly MeasuredEngine[] | undefined {
    const known = this.#known.get(key) ?? this.#read(key);
    if (known !== undefined) this.#known.set(key, known);
    return known;
  }

  put(key: string, engines: readonly MeasuredEngine[]): void {
    this.#known.set(key, engines);
    const file = this.#fileOf(key);
    if (file === null) return;
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeWhole(file, JSON.stringify({ format: FORMAT, key, engines }));
    } catch (error) {
      if (this.#warned) return;
      this.#warned = true;
      this.#warn(
        `How fast the engines are will be measured again next time, as it cannot be kept: ${reasonOf(error)}.`,
      );
    }
  }

  #read(key: string): readonly MeasuredEngine[] | undefined {
    const file = this.#fileOf(key);
    if (file === null) return undefined;
    try {
      const kept = fileSchema.parse(JSON.parse(new TextDecoder().decode(readRegularFile(file, MOST_BYTES))));
      return kept.key === key ? kept.engines : undefined;
    } catch {
      // Not there, broken or of another make: measured again, and written anew.
      return undefined;
    }
  }

  #fileOf(key: string): string | null {
    if (this.#folder === null) return null;
    return join(this.#folder, `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`);
  }
}

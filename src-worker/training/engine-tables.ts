import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { engineSpeedSchema } from '../../src-shared/model/engine-table';
import { cacheFolder } from '../cache-folder';
import type { MeasuredEngine } from './measure-engines';

/** Raised when measurements of before mean something else. */
const FORMAT = 1;

const fileSchema = z.strictObject({
  format: z.literal(FORMAT),
  /** What was measured where, in full: the name of the file is only a hash of it. */
  key: z.string(),
  engines: z.array(
    z.strictObject({ ...engineSpeedSchema.shape, versions: z.record(z.string(), z.string()) }),
  ),
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
    const unfinished = `${file}.${String(process.pid)}.unfinished`;
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(unfinished, JSON.stringify({ format: FORMAT, key, engines }));
      renameSync(unfinished, file);
    } catch (error) {
      discard(unfinished);
      if (this.#warned) return;
      this.#warned = true;
      const reason = error instanceof Error ? error.message : String(error);
      this.#warn(
        `How fast the engines are will be measured again next time, as it cannot be kept: ${reason}.`,
      );
    }
  }

  #read(key: string): readonly MeasuredEngine[] | undefined {
    const file = this.#fileOf(key);
    if (file === null) return undefined;
    try {
      const kept = fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
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

function discard(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Where it could not be written it may not be removable either.
  }
}

import { existsSync, readFileSync } from 'node:fs';
import {
  DEFAULT_TRAINER_OPTIONS,
  type TrainerOptions,
  trainerOptionsSchema,
} from '../../src-shared/protocol/host-messages';

/** @param argument the first one of the process. @throws when it is there and no TrainerOptions in JSON */
export const readOptions = (argument: string | undefined): TrainerOptions =>
  argument === undefined ? DEFAULT_TRAINER_OPTIONS : trainerOptionsSchema.parse(JSON.parse(argument));

/** Version of the package that `module` was built into, wherever that is. */
export function packageVersion(module: string): string {
  let folder = new URL('.', module);
  for (;;) {
    const file = new URL('package.json', folder);
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
    const above = new URL('..', folder);
    if (above.href === folder.href) return 'unknown';
    folder = above;
  }
}

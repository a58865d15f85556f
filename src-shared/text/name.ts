import { z } from 'zod';

/** Of a layer, tensor, recipe or engine. */
const MOST_NAME_CHARACTERS = 200;

export const nameSchema = z
  .string()
  .min(1, { error: 'expected a name, found an empty text' })
  .max(MOST_NAME_CHARACTERS, {
    error: `expected at most ${String(MOST_NAME_CHARACTERS)} characters`,
  });

import { z } from 'zod';

/** Of a layer, tensor, recipe or engine. */
const MOST_NAME_CHARACTERS = 200;

export const nameSchema = z.string().max(MOST_NAME_CHARACTERS, {
  error: `expected at most ${String(MOST_NAME_CHARACTERS)} characters`,
});

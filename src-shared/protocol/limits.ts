import type { JsonLimits } from '../json/bounded-json';

/** Largest message either way, in bytes. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** Largest file that is sent within a message, in bytes: there is room for what else the message says. */
export const MAX_FILE_BYTES = MAX_MESSAGE_BYTES - 64 * 1024;

/**
 * Largest JSON of a message, a text or the head of an envelope, in bytes. The longest that anybody needs is an order of 900,000
 * images (MOST_ORDER_VALUES), numbers of seven digits (a dataset has at most 1 GiB) with a comma and a space: 8,100,000.
 */
export const MAX_TEXT_BYTES = 8 * 1024 * 1024;

/** Largest first message of a client, in bytes: it says hello. */
export const MAX_HELLO_BYTES = 64 * 1024;

/**
 * Of the JSON in a message, either way: far more than any message needs, and little enough for every stack and memory. Only an order
 * is long, and that is at most 450,000 lists of a number each; objects and texts take several times as long to make.
 */
export const MESSAGE_LIMITS: JsonLimits = {
  maxDepth: 32,
  maxValues: 1_000_000,
  maxTexts: 20_000,
  maxLists: 460_000,
  maxCharacters: MAX_TEXT_BYTES,
};

/** Of the first message of a client. */
export const HELLO_LIMITS: JsonLimits = {
  maxDepth: 32,
  maxValues: 1000,
  maxTexts: 1000,
  maxLists: 1000,
  maxCharacters: MAX_HELLO_BYTES,
};

/** Clients that the trainer serves at once. */
export const MOST_CLIENTS = 64;

/** Values of one frame, all slots together: 16 MiB. The page needs half a million at most for the largest recipe. */
export const MOST_FRAME_VALUES = 4 * 1024 * 1024;

/** Changes of weights otherwise than by training that are remembered of a run: the newest. */
export const MOST_REPLACEMENTS = 256;

/** First NaNs or infinities that are remembered of a run: the newest. More come only when weights are poisoned and mended again and again. */
export const MOST_NON_FINITES = 256;

/** Tests that are remembered of a run: the newest. A chart as wide as a screen of 7680 has a pixel for every second one. */
export const MOST_EVALUATIONS = 4096;

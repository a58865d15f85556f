import type { JsonLimits } from '../json/bounded-json';

/** Of the JSON in a message, either way: far more than any message needs, and little enough for every stack and memory. */
export const MESSAGE_LIMITS: JsonLimits = { maxDepth: 32, maxValues: 1_000_000 };

/** Changes of weights otherwise than by training that are remembered of a run: the newest. */
export const MOST_REPLACEMENTS = 256;

/** First NaNs or infinities that are remembered of a run: the newest. More come only when weights are poisoned and mended again and again. */
export const MOST_NON_FINITES = 256;

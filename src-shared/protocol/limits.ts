import type { JsonLimits } from '../json/bounded-json';

/** Of the JSON in a message, either way: far more than any message needs, and little enough for every stack and memory. */
export const MESSAGE_LIMITS: JsonLimits = { maxDepth: 32, maxValues: 1_000_000 };

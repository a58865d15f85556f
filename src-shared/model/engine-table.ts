import { z } from 'zod';

/** How fast one engine trains a network, or why it does not. */
export const engineSpeedSchema = z.strictObject({
  name: z.string(),
  /** What of it runs; null: it did not load. */
  variant: z.string().nullable(),
  /** Training images a second; null: it cannot train this network here. */
  imagesPerSecond: z.number().positive().nullable(),
  /** Why it cannot; null: it can. */
  reason: z.string().nullable(),
});
export type EngineSpeed = z.infer<typeof engineSpeedSchema>;

/** The fastest of those that were measured; undefined: none was. */
export function fastest<Row extends Pick<EngineSpeed, 'imagesPerSecond'>>(
  table: readonly Row[],
): Row | undefined {
  let best: Row | undefined;
  for (const row of table) {
    if (row.imagesPerSecond !== null && row.imagesPerSecond > (best?.imagesPerSecond ?? 0)) best = row;
  }
  return best;
}

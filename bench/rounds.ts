/** A generator of numbers in [0, 1) from a seed, so that an order can be had again (mulberry32, T. Ettinger). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The same items in random order (Fisher-Yates). */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j] as T, order[i] as T];
  }
  return order;
}

/**
 * Measures every item once a round, one after the other, in a new random order each time: what the machine does meanwhile
 * then meets all alike. Returns the rounds, each a result by item; null where an item gave none.
 */
export async function inRounds<T, R>(
  items: readonly T[],
  rounds: number,
  random: () => number,
  measure: (item: T) => Promise<R | null>,
): Promise<Map<T, R | null>[]> {
  const results: Map<T, R | null>[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const ofRound = new Map<T, R | null>();
    for (const item of shuffled(items, random)) ofRound.set(item, await measure(item));
    results.push(ofRound);
  }
  return results;
}

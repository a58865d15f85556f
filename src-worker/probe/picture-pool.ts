/** Before the values: one Int32 that says whether the buffer is lent. Values start at a multiple of 8 bytes. */
const HEADER_BYTES = 8;
const MOST_KEPT = 8;

export type SharedPayload = Float32Array<SharedArrayBuffer>;

/**
 * Buffers for pictures, used again and again: memory that the system has to hand out anew costs the training thread more
 * than filling it. They are shared, so whoever sends them on gives them back without a message.
 */
export class PicturePool {
  private readonly kept: SharedPayload[] = [];

  /** A buffer for exactly `length` values, lent until `giveBack`. What was in it before may still be. */
  take(length: number): SharedPayload {
    const free = this.kept.find(
      (payload) => payload.length === length && Atomics.compareExchange(flagOf(payload), 0, 0, 1) === 0,
    );
    if (free !== undefined) return free;
    const made = new Float32Array(
      new SharedArrayBuffer(HEADER_BYTES + length * Float32Array.BYTES_PER_ELEMENT),
      HEADER_BYTES,
    );
    Atomics.store(flagOf(made), 0, 1);
    this.kept.push(made);
    if (this.kept.length > MOST_KEPT) this.kept.shift();
    return made;
  }
}

/** Its values are not needed any more. May be called on any thread. */
export function giveBack(payload: SharedPayload): void {
  Atomics.store(flagOf(payload), 0, 0);
}

const flagOf = (payload: SharedPayload): Int32Array<SharedArrayBuffer> =>
  new Int32Array(payload.buffer, 0, 1);

import { GradscopeError } from '../../../src-shared/protocol/errors';

const PAGE = 65_536;
/** 2 GiB, so that an address is a positive 32-bit number. The kernels are compiled for the same. */
const LARGEST_PAGES = 32_768;
/** Blocks begin on a cache line, so threads that write neighbouring blocks do not disturb each other. */
const LINE = 64;
/** Kernels read in whole vectors and may read, never write, this far behind a block. */
const SLACK = 64;

/** A piece of the shared memory. The view stays valid for as long as the block is held: shared memory grows in place. */
export interface Block {
  readonly address: number;
  readonly floats: Float32Array;
  readonly words: Int32Array;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * The memory that the engine's kernels work on, given out in blocks. Blocks are made when a network or a pass is laid out,
 * never in a step.
 */
export class Arena {
  readonly memory: WebAssembly.Memory;
  /** Ranges that are free, by address, never two side by side. */
  #free: Range[];
  readonly #held = new Map<number, Range>();

  /** @throws GradscopeError `engine-unavailable` when the system does not give the addresses */
  constructor() {
    try {
      this.memory = new WebAssembly.Memory({ initial: 16, maximum: LARGEST_PAGES, shared: true });
    } catch (cause) {
      throw new GradscopeError(
        'engine-unavailable',
        'The engine simd cannot load: it reserves 2 GiB of addresses, and the system gives this process fewer (ulimit -v).',
        { cause },
      );
    }
    // Address 0 means that there is nothing.
    this.#free = [{ from: LINE, to: 16 * PAGE }];
  }

  get blocks(): number {
    return this.#held.size;
  }

  /**
   * `count` zeros of 32 bits each.
   * @throws GradscopeError `engine-cannot-run` when the network does not fit into the memory that WebAssembly can address
   */
  allocate(count: number): Block {
    const bytes = Math.ceil((count * 4 + SLACK) / LINE) * LINE;
    const range = this.#take(bytes) ?? this.#grow(bytes);
    this.#held.set(range.from, range);
    const { buffer } = this.memory;
    new Uint8Array(buffer, range.from, bytes).fill(0);
    return {
      address: range.from,
      floats: new Float32Array(buffer, range.from, count),
      words: new Int32Array(buffer, range.from, count),
    };
  }

  free(block: Block): void {
    const range = this.#held.get(block.address);
    if (range === undefined) throw new GradscopeError('internal', 'A block was freed twice.');
    this.#held.delete(block.address);
    const sorted = [...this.#free, range].sort((a, b) => a.from - b.from);
    this.#free = [];
    for (const next of sorted) {
      const last = this.#free.at(-1);
      if (last !== undefined && last.to === next.from)
        this.#free[this.#free.length - 1] = { from: last.from, to: next.to };
      else this.#free.push(next);
    }
  }

  /** The first free range that is large enough. */
  #take(bytes: number): Range | null {
    const index = this.#free.findIndex(({ from, to }) => to - from >= bytes);
    const found = this.#free[index];
    if (found === undefined) return null;
    const rest = { from: found.from + bytes, to: found.to };
    this.#free.splice(index, 1, ...(rest.from === rest.to ? [] : [rest]));
    return { from: found.from, to: rest.from };
  }

  #grow(bytes: number): Range {
    const end = this.memory.buffer.byteLength;
    const last = this.#free.at(-1);
    const start = last?.to === end ? last.from : end;
    // By a quarter at least, so that a large network does not grow page by page.
    const pages = Math.ceil((start + bytes - end) / PAGE);
    const wished = Math.max(pages, Math.min(Math.ceil(end / PAGE / 4), LARGEST_PAGES - end / PAGE));
    try {
      this.memory.grow(wished);
    } catch (cause) {
      throw new GradscopeError(
        'engine-cannot-run',
        `The engine simd cannot hold the network: it would need more than ${end + bytes} bytes of memory.`,
        { cause },
      );
    }
    if (start !== end) this.#free.pop();
    this.#free.push({ from: start, to: this.memory.buffer.byteLength });
    const range = this.#take(bytes);
    if (range === null) throw new GradscopeError('internal', 'Memory that was grown is not there.');
    return range;
  }
}

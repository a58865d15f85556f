import { Worker } from 'node:worker_threads';
import type { Arena, Block } from './arena';
import type { Threads } from '../engine';
import * as fields from './fields';
import type { Kernels } from './kernels';

/** All that a helper does: it serves the control block until it is told to quit. CommonJS, as `eval` runs it. */
const HELPER = `
const { workerData } = require('node:worker_threads');
const { module, memory, control, thread } = workerData;
new WebAssembly.Instance(module, { env: { memory } }).exports.serve(control, thread);
`;

/** Multiply-adds below which a call is not worth waking anybody for. */
const WORTH_SHARING = 100_000;

/** Runs kernels, large ones on several threads. Who computes an item changes no bit of it. */
export class WorkerPool implements Threads {
  readonly most: number;
  #inUse: number;
  readonly #kernels: Kernels;
  readonly #control: Block;
  readonly #helpers: readonly Worker[];

  /** @param most threads, with the one that calls; all of them are in use at first */
  constructor(module: WebAssembly.Module, kernels: Kernels, arena: Arena, most: number) {
    this.most = most;
    this.#inUse = most;
    this.#kernels = kernels;
    this.#control = arena.allocate(fields.CONTROL_WORDS);
    const control = this.#control.address;
    this.#control.words[fields.CONTROL_THREADS] = most;
    this.#helpers = Array.from({ length: most - 1 }, (_, i) => {
      const workerData = { module, memory: arena.memory, control, thread: i + 1 };
      const helper = new Worker(HELPER, { eval: true, workerData });
      // A process or thread that has nothing else to do ends, and its helpers with it.
      helper.unref();
      return helper;
    });
  }

  get inUse(): number {
    return this.#inUse;
  }

  use(count: number): void {
    const inUse = Math.min(this.most, Math.max(1, count));
    if (inUse === this.#inUse) return;
    this.#inUse = inUse;
    this.#wakeAt(fields.CONTROL_THREADS, inUse);
  }

  /**
   * All items of a kernel's work.
   * @param work its multiply-adds, roughly
   * @param chunk items that a thread takes at a time; small enough that nobody waits long for the last, large enough that
   * taking one costs nothing
   */
  run(
    kernel: number,
    descriptor: number,
    items: number,
    work: number,
    chunk = Math.max(1, Math.floor(items / (this.#inUse * 8))),
  ): void {
    if (this.#inUse === 1 || items < 2 || work < WORTH_SHARING) {
      this.#kernels.run(kernel, descriptor, 0, items, 0);
      return;
    }
    this.#kernels.share(this.#control.address, kernel, descriptor, items, chunk);
  }

  dispose(): void {
    Atomics.store(this.#control.words, fields.CONTROL_QUIT, 1);
    this.#wakeAt(fields.CONTROL_THREADS, 0);
    this.#wakeAt(fields.CONTROL_CALL, Atomics.load(this.#control.words, fields.CONTROL_CALL) + 1);
    for (const helper of this.#helpers) void helper.terminate();
  }

  /** Writes a word that helpers sleep at. */
  #wakeAt(word: number, value: number): void {
    Atomics.store(this.#control.words, word, value);
    Atomics.notify(this.#control.words, word);
  }
}

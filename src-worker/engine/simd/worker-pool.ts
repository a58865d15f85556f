import { Worker } from 'node:worker_threads';
import type { Arena, Block } from './arena';
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
export class WorkerPool {
  readonly threads: number;
  readonly #kernels: Kernels;
  readonly #control: Block;
  readonly #helpers: readonly Worker[];

  /** @param threads with the one that calls */
  constructor(module: WebAssembly.Module, kernels: Kernels, arena: Arena, threads: number) {
    this.threads = threads;
    this.#kernels = kernels;
    this.#control = arena.allocate(fields.CONTROL_WORDS);
    const control = this.#control.address;
    this.#helpers = Array.from({ length: threads - 1 }, (_, i) => {
      const workerData = { module, memory: arena.memory, control, thread: i + 1 };
      const helper = new Worker(HELPER, { eval: true, workerData });
      // A process or thread that has nothing else to do ends, and its helpers with it.
      helper.unref();
      return helper;
    });
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
    chunk = Math.max(1, Math.floor(items / (this.threads * 8))),
  ): void {
    if (this.threads === 1 || items < 2 || work < WORTH_SHARING) {
      this.#kernels.run(kernel, descriptor, 0, items, 0);
      return;
    }
    this.#kernels.share(this.#control.address, kernel, descriptor, items, chunk);
  }

  dispose(): void {
    Atomics.store(this.#control.words, fields.CONTROL_QUIT, 1);
    Atomics.add(this.#control.words, fields.CONTROL_CALL, 1);
    Atomics.notify(this.#control.words, fields.CONTROL_CALL);
    for (const helper of this.#helpers) void helper.terminate();
  }
}

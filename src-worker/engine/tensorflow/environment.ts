/**
 * What TensorFlow reads of the environment, once, when its library is loaded. The library reads the environment of the process, and
 * a worker thread's process.env is a copy of it: so the main thread has to set this before it starts the thread that trains.
 *
 * - No oneDNN operations, deterministic kernels, one thread: the same bits in every run and on any number of cores. (TensorFlow's
 *   results depend on how many threads it has; more of them were no faster on the networks here.)
 * - Matrix products with AVX2 at most: the AVX-512 kernel of this TensorFlow writes where a signal that comes meanwhile, a
 *   profiler's for one, puts its own data, and the process dies of it.
 * - No TF32 on GPUs: float32 is float32.
 * - Nothing below a fatal error is printed: stdout and stderr belong to the shells.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  TF_ENABLE_ONEDNN_OPTS: '0',
  TF_DETERMINISTIC_OPS: '1',
  TF_NUM_INTRAOP_THREADS: '1',
  ONEDNN_MAX_CPU_ISA: 'AVX2',
  NVIDIA_TF32_OVERRIDE: '0',
  TF_CPP_MIN_LOG_LEVEL: '3',
};

/** For the main thread of a process. */
export function prepareTensorFlow(): void {
  Object.assign(process.env, SETTINGS);
}

/** Whether this thread's process was prepared before the thread began. */
export const isPrepared = (): boolean =>
  Object.entries(SETTINGS).every(([name, value]) => process.env[name] === value);

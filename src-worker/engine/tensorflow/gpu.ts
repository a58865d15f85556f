import { Operations, type TensorFlowBinding } from './binding';

/**
 * Null when a kernel was run on a GPU, else the reason why not. That TensorFlow lists a GPU is no proof: an operation may still be
 * placed on the CPU. A convolution with channels first is: without oneDNN (environment.ts) TensorFlow has a kernel for it on
 * GPUs only, and refuses it on the CPU.
 */
export function whyNoGpuKernelRuns(binding: TensorFlowBinding): string | null {
  if (!binding.isUsingGpuDevice()) return 'TensorFlow finds no GPU';
  try {
    const sums = Operations.run(binding, (operations) => {
      const image = operations.floats([1, 1, 2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));
      const filter = operations.floats([2, 2, 1, 1], Float32Array.of(1, 10, 100, 1000));
      return operations.read(operations.convolve(image, filter, 1, 'NCHW'));
    });
    return sums.length === 2 && sums[0] === 5421 && sums[1] === 6532
      ? null
      : `a convolution on it gave ${sums.join(', ')} in place of 5421, 6532`;
  } catch (error) {
    return `a convolution on it failed: ${error instanceof Error ? error.message.trim() : String(error)}`;
  }
}

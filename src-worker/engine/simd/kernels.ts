import { GradscopeError } from '../../../src-shared/protocol/errors';
import { KERNEL_BINARIES } from './binaries';

/** What ./assembly exports. Addresses are bytes in the memory that the kernels were opened on. */
export interface Kernels {
  /** Items from..to-1 of a kernel's work. */
  readonly run: (kernel: number, descriptor: number, from: number, to: number, thread: number) => void;
  /** All items, shared out in chunks to whoever serves `control`. */
  readonly share: (control: number, kernel: number, descriptor: number, items: number, chunk: number) => void;
  readonly packConvolution: (descriptor: number) => void;
  readonly packRows: (descriptor: number) => void;
  readonly packTurned: (descriptor: number) => void;
  readonly updateSgd: (
    weight: number,
    gradient: number,
    velocity: number,
    count: number,
    weightBefore: number,
    velocityBefore: number,
    difference: number,
    step: number,
    momentum: number,
    weightDecay: number,
    nesterov: number,
  ) => void;
  readonly updateAdam: (
    weight: number,
    gradient: number,
    firstMoment: number,
    secondMoment: number,
    count: number,
    weightBefore: number,
    firstBefore: number,
    secondBefore: number,
    difference: number,
    weightDecay: number,
    beta1: number,
    add1: number,
    beta2: number,
    add2: number,
    step: number,
    correction: number,
    epsilon: number,
  ) => void;
  /** `bytes`: a multiple of 4. */
  readonly clear: (to: number, bytes: number) => void;
  /** In float64. */
  readonly sumOfSquares: (address: number, count: number) => number;
  readonly largestMagnitude: (address: number, count: number) => number;
}

export type KernelBuild = keyof typeof KERNEL_BINARIES;

/** A module with one instruction of relaxed SIMD, f32x4.relaxed_madd of three zeros. */
const RELAXED_PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0],
  ...[65, 0, 253, 17, 65, 0, 253, 17, 65, 0, 253, 17, 253, 133, 2, 11],
);

/** The faster of the two builds that this runtime knows. */
export const bestBuild = (): KernelBuild => (WebAssembly.validate(RELAXED_PROBE) ? 'relaxed' : 'plain');

const compiled = new Map<KernelBuild, WebAssembly.Module>();

/** @throws GradscopeError `engine-unavailable` */
export function compileKernels(build: KernelBuild): WebAssembly.Module {
  const known = compiled.get(build);
  if (known !== undefined) return known;
  const binary = KERNEL_BINARIES[build];
  if (binary === '') throw cannotLoad('it was not built with the app');
  try {
    const module = new WebAssembly.Module(Buffer.from(binary, 'base64'));
    compiled.set(build, module);
    return module;
  } catch (cause) {
    throw cannotLoad(`this runtime refuses its WebAssembly (${String(cause)})`, cause);
  }
}

export function openKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
}

export const cannotLoad = (why: string, cause?: unknown): GradscopeError =>
  new GradscopeError('engine-unavailable', `The engine simd cannot load: ${why}.`, { cause });

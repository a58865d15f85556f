import { sizeOf, type LayerPlan, type NetworkPlan } from '../../src-shared/model/network';
import { GradscopeError } from '../../src-shared/protocol/errors';
import { shorten } from '../../src-shared/text/shorten';
import type { Session } from './session';

/** Each step up to this one is a sample: so the beginning, and whoever goes step by step, sees every step. */
export const EVERY_STEP_UNTIL = 32;
/**
 * Later, one step of so many. A sample of the paper's network takes 0.6 ms CPU where a step takes 21, so sampling costs 0.1 %
 * of training (with the first steps 0.2 % of the first epoch).
 */
export const LATER_INTERVAL = 32;
/** Samples kept. When there are more, the interval doubles and only its multiples stay. */
export const MOST_SAMPLES = 256;
/** Values kept of a run, 4 bytes each: 16 MiB. The paper's network takes 0.9 MB; one that needs more keeps fewer samples. */
const MOST_VALUES = 4 * 1024 * 1024;
const FEWEST_SAMPLES = 32;

/** |W|, |g|, |dW| of a kernel. */
const NORMS = 3;

/** What is sampled of a session. */
export type SampledSession = Pick<
  Session,
  'plan' | 'step' | 'inStep' | 'stepInPass' | 'mirror' | 'readLayer'
>;

export interface KernelPlace {
  readonly layer: string;
  /** Filter of a conv layer, unit of a dense one. */
  readonly filter: number;
  /** Input channel of the filter; null for a unit, whose inputs are one kernel. */
  readonly input: number | null;
}

/** One value a sample in each array, in the order of the steps. */
export interface KernelSeries {
  /** 0: the untrained network, which has neither gradient nor update nor outputs. */
  readonly steps: Float32Array;
  /** L2 norms: of the kernel from which the next step begins, of the gradient applied in this one, of its update. */
  readonly weightNorms: Float32Array;
  readonly gradientNorms: Float32Array;
  readonly updateNorms: Float32Array;
  /** 0..1: share of the filter's outputs above zero after its ReLU, over the minibatch and all positions, dropout on. */
  readonly activeShares: Float32Array;
  /** The ReLU that those outputs come from; null where no ReLU follows, and every share is NaN. */
  readonly activeAfter: string | null;
}

interface HistoryLayer {
  readonly layer: LayerPlan;
  readonly weightName: string;
  readonly filters: number;
  /** Input channels; null for a dense layer. */
  readonly inputs: number | null;
  readonly kernels: number;
  readonly kernelSize: number;
  readonly relu: LayerPlan | null;
  /** Where its values start in a sample: NORMS of each kernel, then the share of each filter. */
  readonly offset: number;
}

/**
 * The life of every kernel of a run in few numbers: norms and activity at some of its steps, in memory of fixed size. Which
 * steps are sampled is a function of the step alone, so a run that was paused has the same history as one that was not;
 * each value is exactly that of its step, not a mean over several.
 */
export class KernelHistory {
  readonly #session: SampledSession;
  readonly #layers: readonly HistoryLayer[];
  readonly #sampleSize: number;
  readonly #capacity: number;
  readonly #steps: number[] = [];
  readonly #values: Float32Array;
  #interval = 1;

  /** Begins with the session's weights as they are. */
  constructor(session: SampledSession) {
    this.#session = session;
    this.#layers = historyLayers(session.plan);
    const last = this.#layers.at(-1);
    this.#sampleSize = last === undefined ? 0 : last.offset + valuesOf(last);
    const fits = Math.floor(MOST_VALUES / Math.max(1, this.#sampleSize));
    this.#capacity = fits < FEWEST_SAMPLES ? 0 : Math.min(MOST_SAMPLES, fits);
    this.#values = new Float32Array(this.#capacity * this.#sampleSize);
    this.#sample();
  }

  /** To be called after each finished step, before the next begins. */
  stepFinished(): void {
    const { step } = this.#session;
    // A run that was taken back has not been where these samples are.
    while (this.#steps.length > 0 && (this.#steps.at(-1) ?? 0) >= step) this.#steps.pop();
    const interval = step <= EVERY_STEP_UNTIL ? this.#interval : Math.max(this.#interval, LATER_INTERVAL);
    if (step % interval === 0) this.#sample();
  }

  /** To be called when weights were replaced between two steps: training goes on from these, not from those sampled. */
  weightsChanged(): void {
    if (this.#steps.at(-1) !== this.#session.step) return;
    const row = this.#row(this.#steps.length - 1);
    for (const layer of this.#layers) this.#fill(row, layer);
  }

  /** Steps sampled so far. */
  get samples(): readonly number[] {
    return this.#steps;
  }

  /** Bytes kept, fixed for a run. */
  get bytes(): number {
    return this.#values.byteLength;
  }

  /**
   * The samples of one kernel and, standing between two steps, the last step as well.
   * @throws GradscopeError `unknown-tensor`, or `not-now` for a network with too many kernels to keep
   */
  read(place: KernelPlace): KernelSeries {
    const layer = this.#layers.find(({ layer: { spec } }) => spec.name === place.layer);
    if (layer === undefined) {
      const known = this.#layers.map(({ layer: { spec } }) => spec.name).join(', ');
      throw new GradscopeError(
        'unknown-tensor',
        `There is no layer with weights called ${shorten(place.layer, 60)}; there is ${known}.`,
      );
    }
    const kernel = kernelOf(layer, place);
    if (this.#capacity === 0) {
      throw new GradscopeError(
        'not-now',
        `A network of ${this.#sampleSize} values a step is too large to keep a history of each kernel.`,
      );
    }
    const rows = this.#steps.map((_, index) => this.#row(index));
    const steps = [...this.#steps];
    if (this.#lastIsUnsampled()) {
      const now = new Float32Array(this.#sampleSize);
      this.#fill(now, layer);
      rows.push(now);
      steps.push(this.#session.step);
    }
    const column = (at: number): Float32Array => Float32Array.from(rows, (row) => row[at] ?? Number.NaN);
    const norms = layer.offset + NORMS * kernel;
    return {
      steps: Float32Array.from(steps),
      weightNorms: column(norms),
      gradientNorms: column(norms + 1),
      updateNorms: column(norms + 2),
      activeShares: column(layer.offset + NORMS * layer.kernels + place.filter),
      activeAfter: layer.relu?.spec.name ?? null,
    };
  }

  #lastIsUnsampled(): boolean {
    const { step, inStep } = this.#session;
    return !inStep && step > (this.#steps.at(-1) ?? -1);
  }

  #sample(): void {
    if (this.#capacity === 0) return;
    while (this.#steps.length === this.#capacity) this.#thin();
    const { step } = this.#session;
    if (step % this.#interval !== 0) return;
    const row = this.#row(this.#steps.length);
    for (const layer of this.#layers) this.#fill(row, layer);
    this.#steps.push(step);
  }

  #row(index: number): Float32Array {
    return this.#values.subarray(index * this.#sampleSize, (index + 1) * this.#sampleSize);
  }

  #fill(row: Float32Array, layer: HistoryLayer): void {
    const { weightName, kernels, kernelSize, filters, offset, relu } = layer;
    const { step, stepInPass } = this.#session;
    const { weight, gradient, update } = this.#session.mirror(weightName);
    const copies = [weight, gradient, update];
    for (const [place, { values, step: of }] of copies.entries()) {
      const known = of === step && (place === 0 || step > 0);
      for (let kernel = 0; kernel < kernels; kernel++) {
        row[offset + NORMS * kernel + place] = known ? normOf(values, kernel, kernelSize) : Number.NaN;
      }
    }
    const shares = row.subarray(offset + NORMS * kernels, offset + NORMS * kernels + filters);
    if (relu === null || step === 0 || stepInPass !== step) shares.fill(Number.NaN);
    else {
      const { shape, values } = this.#session.readLayer(relu.spec.name, 'activation');
      fillActiveShares(shares, values, shape[0] ?? 1);
    }
  }

  /** Doubles the interval until some samples are no multiples of it, and drops those. */
  #thin(): void {
    this.#interval = this.#interval === 1 ? 2 * LATER_INTERVAL : 2 * this.#interval;
    let kept = 0;
    for (const [index, step] of this.#steps.entries()) {
      if (step % this.#interval !== 0) continue;
      this.#steps[kept] = step;
      this.#values.copyWithin(
        kept * this.#sampleSize,
        index * this.#sampleSize,
        (index + 1) * this.#sampleSize,
      );
      kept += 1;
    }
    this.#steps.length = kept;
  }
}

function historyLayers(plan: NetworkPlan): HistoryLayer[] {
  const layers: HistoryLayer[] = [];
  let offset = 0;
  for (const layer of plan.layers) {
    const weight = layer.parameters.find(({ role }) => role === 'weight');
    if (weight === undefined) continue;
    const [filters = 1, inputs = 1] = weight.shape;
    const isConv = weight.shape.length > 2;
    const kernels = isConv ? filters * inputs : filters;
    const entry: HistoryLayer = {
      layer,
      weightName: weight.name,
      filters,
      inputs: isConv ? inputs : null,
      kernels,
      kernelSize: sizeOf(weight.shape) / kernels,
      relu: firstReluAfter(plan, layer),
      offset,
    };
    layers.push(entry);
    offset += valuesOf(entry);
  }
  return layers;
}

const valuesOf = ({ kernels, filters }: HistoryLayer): number => NORMS * kernels + filters;

/** The first ReLU, leaky or not, that the layer's own outputs reach: before the next layer with weights mixes them. */
function firstReluAfter({ layers }: NetworkPlan, { index }: LayerPlan): LayerPlan | null {
  for (const layer of layers.slice(index + 1)) {
    if (layer.spec.kind === 'relu' || layer.spec.kind === 'leakyRelu') return layer;
    if (layer.parameters.length > 0) return null;
  }
  return null;
}

function kernelOf({ layer, filters, inputs }: HistoryLayer, { filter, input }: KernelPlace): number {
  const { name } = layer.spec;
  const refuse = (sentence: string): GradscopeError => new GradscopeError('unknown-tensor', sentence);
  if (filter >= filters) {
    const what = inputs === null ? 'units' : 'filters';
    throw refuse(`${name} has ${what} 0 to ${filters - 1}, but number ${filter} was asked for.`);
  }
  if (inputs === null) {
    if (input !== null) {
      throw refuse(`${name} is dense: a unit's inputs are one kernel, but input ${input} was asked for.`);
    }
    return filter;
  }
  if (input === null || input >= inputs) {
    const found = input === null ? 'none' : `number ${input}`;
    throw refuse(`${name} has inputs 0 to ${inputs - 1}, but ${found} was asked for.`);
  }
  return filter * inputs + input;
}

function normOf(values: Float32Array, kernel: number, kernelSize: number): number {
  let sum = 0;
  const end = (kernel + 1) * kernelSize;
  for (let i = kernel * kernelSize; i < end; i++) {
    const value = values[i]!;
    sum += value * value;
  }
  return Math.sqrt(sum);
}

/** `outputs` is (n, filters, ...): channel first, flattened or not. A NaN is no share of anything, so it makes one. */
function fillActiveShares(shares: Float32Array, outputs: Float32Array, examples: number): void {
  const filters = shares.length;
  const size = outputs.length / (examples * filters);
  shares.fill(0);
  let at = 0;
  for (let example = 0; example < examples; example++) {
    for (let filter = 0; filter < filters; filter++) {
      let active = 0;
      for (const end = at + size; at < end; at++) {
        const value = outputs[at]!;
        active += value > 0 ? 1 : value === value ? 0 : Number.NaN;
      }
      shares[filter]! += active;
    }
  }
  for (let filter = 0; filter < filters; filter++) shares[filter]! /= examples * size;
}

import { planNetwork, sizeOf, type LayerPlan, type NetworkPlan, type ParameterPlan } from '../model/network';
import { PHASES, type Phase } from '../model/phases';
import { recipeNamed, type Recipe } from '../model/recipe';
import type { RunConfig } from '../model/run-config';
import type { Freshness } from '../protocol/messages';
import { hashUnit, syntheticDigit } from './synthetic-digits';

const TRAIN_EXAMPLES = 60_000;

interface ParameterState {
  readonly plan: ParameterPlan;
  readonly weight: Float32Array;
  readonly gradient: Float32Array;
  readonly update: Float32Array;
  readonly momentum: Float32Array;
  /** Fixed patterns that the gradients of all steps are mixed from. */
  readonly streaks: Float32Array;
  readonly noise: Float32Array;
}

/** Values of one moment with what the protocol says of them. */
export interface SyntheticTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
  readonly freshness: Freshness;
  readonly step: number;
  readonly phase: Phase | null;
}

/**
 * A run whose gradients are made up and whose every other number follows from them as in a true one: momentum SGD on
 * the weights, a real forward pass of the chosen digit. It looks like training at a thousandth of the cost.
 */
export class SyntheticRun {
  readonly recipe: Recipe;
  readonly plan: NetworkPlan;
  readonly stepsPerEpoch: number;
  /** Rows of the metrics lane, as columns(). */
  readonly rows: number[][] = [];
  step = 0;
  epochs: number;
  /** Last finished phase; null before the first. */
  phase: Phase | null = null;
  testIndex = 0;
  /** In place of the test image. */
  drawn: { readonly pixels: Uint8Array; readonly assumedLabel: number | null } | null = null;
  private readonly parameters: readonly ParameterState[];
  private readonly seed: number;

  constructor(config: RunConfig) {
    this.recipe = recipeNamed(config.recipe);
    this.plan = planNetwork(this.recipe.network);
    this.stepsPerEpoch = Math.ceil(TRAIN_EXAMPLES / this.recipe.batchSize);
    this.epochs = config.epochs ?? this.recipe.epochs;
    this.seed = config.seed;
    this.parameters = this.plan.parameters.map((plan, k) => newParameter(plan, this.seed * 64 + k));
  }

  get insideStep(): boolean {
    return this.phase !== null && this.phase !== 'step';
  }

  get epoch(): number {
    return Math.min(this.epochs, Math.floor(this.step / this.stepsPerEpoch) + 1);
  }

  get finished(): boolean {
    return this.step >= this.epochs * this.stepsPerEpoch;
  }

  columns(): string[] {
    const layers = this.plan.layers
      .filter((layer) => layer.parameters.length > 0)
      .map((layer) => layer.spec.name);
    const norms = ['weightNorm', 'gradientNorm', 'updateNorm'];
    return [
      'loss',
      'runningLoss',
      'runningAccuracy',
      ...norms.flatMap((norm) => layers.map((layer) => `${norm}:${layer}`)),
    ];
  }

  /** Training images of the step after `step` finished ones. */
  minibatch(step: number): number[] {
    const size = (step + 1) % this.stepsPerEpoch === 0 ? TRAIN_EXAMPLES % this.recipe.batchSize : 0;
    const length = size === 0 ? this.recipe.batchSize : size;
    return Array.from({ length }, (_, k) => Math.floor(hashUnit(step, k, this.seed) * TRAIN_EXAMPLES));
  }

  /** Runs to the end of the next phase. */
  advancePhase(): void {
    const next = PHASES[this.insideStep ? PHASES.indexOf(this.phase ?? 'step') + 1 : 0] ?? 'step';
    if (next === 'zeroGrad') for (const { gradient } of this.parameters) gradient.fill(0);
    if (next === 'backward') this.computeGradients();
    if (next === 'step') this.applyUpdates();
    this.phase = next;
  }

  advanceStep(): void {
    do this.advancePhase();
    while (this.insideStep);
  }

  /** First parameter that holds a NaN or an infinity, in network order. */
  firstNonFinite(): { name: string; nan: number; infinite: number } | null {
    for (const { plan, weight } of this.parameters) {
      const { nan, infinite } = countNonFinite(weight);
      if (nan + infinite > 0) return { name: plan.name, nan, infinite };
    }
    return null;
  }

  setWeight(name: string, index: number, value: number): boolean {
    const parameter = this.parameters.find(({ plan }) => plan.name === name);
    if (parameter === undefined || index >= parameter.weight.length) return false;
    parameter.weight[index] = value;
    return true;
  }

  /** The weights one after the other, as in a safetensors file. */
  weightBytes(): Uint8Array {
    const all = new Float32Array(this.plan.parameterCount);
    let at = 0;
    for (const { weight } of this.parameters) {
      all.set(weight, at);
      at += weight.length;
    }
    return new Uint8Array(all.buffer);
  }

  loadWeightBytes(bytes: Uint8Array): void {
    const all = new Float32Array(bytes.slice().buffer);
    let at = 0;
    for (const { weight, momentum } of this.parameters) {
      weight.set(all.subarray(at, at + weight.length));
      momentum.fill(0);
      at += weight.length;
    }
  }

  parameter(name: string, kind: 'weight' | 'gradient' | 'update'): SyntheticTensor | null {
    const state = this.parameters.find(({ plan }) => plan.name === name);
    if (state === undefined) return null;
    const common = { shape: state.plan.shape, values: state[kind], step: this.step };
    if (kind === 'weight') return { ...common, freshness: 'fresh', phase: this.step === 0 ? null : 'step' };
    if (kind === 'update') {
      const freshness = this.step === 0 ? 'notYet' : this.insideStep ? 'old' : 'fresh';
      return { ...common, freshness, phase: this.step === 0 ? null : 'step' };
    }
    if (this.phase === null) return { ...common, freshness: 'notYet', phase: null };
    if (this.phase === 'step') return { ...common, freshness: 'fresh', phase: 'backward' };
    if (this.phase === 'backward')
      return { ...common, freshness: 'fresh', step: this.step + 1, phase: 'backward' };
    return { ...common, freshness: 'cleared', step: this.step + 1, phase: 'zeroGrad' };
  }

  /** Outputs of every layer for the chosen digit by layer name (`input`: the image), and its probabilities. */
  digitForward(): { outputs: Map<string, Float32Array>; probabilities: Float32Array; label: number } {
    const test = syntheticDigit(this.testIndex, 2);
    const { pixels } = this.drawn ?? test;
    const known = this.drawn === null ? test.label : this.drawn.assumedLabel;
    const { mean, deviation } = this.recipe.input;
    let values = Float32Array.from(pixels, (byte) => (byte / 255 - mean) / deviation);
    const outputs = new Map([['input', values]]);
    for (const layer of this.plan.layers) {
      values = this.forwardLayer(layer, values);
      outputs.set(layer.spec.name, values);
    }
    // Made-up gradients teach nothing, so what training would have learnt is added to the logits.
    const learnt = 5 * (1 - Math.exp(-this.step / 500));
    const wobble = (unit: number): number => (hashUnit(this.step, unit, 9) - 0.5) * 0.6;
    const logits = values.map((z, unit) => 0.3 * z + wobble(unit) + (unit === known ? learnt : 0));
    const largest = Math.max(...logits);
    const label = known ?? logits.indexOf(largest);
    const powers = logits.map((z) => Math.exp(z - largest));
    const sum = powers.reduce((total, power) => total + power, 0);
    return { outputs, probabilities: powers.map((power) => power / sum), label };
  }

  /** Sparse where max-pool and ReLU would make it so. */
  digitError(
    layer: LayerPlan,
    output: Float32Array,
    probabilities: Float32Array,
    label: number,
  ): Float32Array {
    if (layer.index === this.plan.layers.length - 1) {
      return probabilities.map((p, unit) => p - (unit === label ? 1 : 0));
    }
    const scale = 0.02 * (layer.index + 1) * Math.exp(-this.step / 1500);
    const [, height = 1, width = 1] = layer.outputShape;
    return output.map((value, index) => {
      const x = index % width;
      const y = Math.floor(index / width) % height;
      const rivals = width > 1 ? [index + (x % 2 ? -1 : 1), index + (y % 2 ? -width : width)] : [];
      const won = value > 0 && rivals.every((rival) => (output[rival] ?? -Infinity) <= value);
      const draw = hashUnit(index, layer.index, this.step >> 3);
      return won && draw < 0.45 ? scale * (hashUnit(index, this.step >> 2, 4) - 0.5) * 2 : 0;
    });
  }

  /** Made up, of the shape and kind that a minibatch's would have. */
  minibatchTensor(layer: LayerPlan, kind: 'activation' | 'error' | 'mask'): SyntheticTensor {
    const shape = [this.minibatch(this.step).length, ...layer.outputShape];
    const values = new Float32Array(sizeOf(shape));
    for (let i = 0; i < values.length; i += 1) {
      const draw = hashUnit(i, layer.index, this.step);
      values[i] = kind === 'mask' ? (draw < 0.5 ? 0 : 2) : draw - 0.5;
    }
    return { shape, values, freshness: 'fresh', step: this.step + 1, phase: this.phase };
  }

  private computeGradients(): void {
    const poisoned = this.firstNonFinite() !== null;
    const strength = 0.02 + 0.1 * Math.exp(-this.step / 400);
    for (const { plan, gradient, streaks, noise } of this.parameters) {
      const rows = plan.shape[0] ?? 1;
      const columns = gradient.length / rows;
      const shift = (this.step * 7919) % gradient.length;
      for (let row = 0; row < rows; row += 1) {
        const drawn = 2 * hashUnit(this.step, row, plan.size) - 1;
        const pull = strength * drawn ** 3;
        for (let i = row * columns; i < (row + 1) * columns; i += 1) {
          const grain = noise[(i + shift) % gradient.length] ?? 0;
          gradient[i] = poisoned
            ? NaN
            : pull * (streaks[i] ?? 0) + strength * 0.08 * grain * Math.abs(streaks[i] ?? 0);
        }
      }
    }
  }

  private applyUpdates(): void {
    const { optimiser } = this.recipe;
    const { learningRate } = optimiser;
    const beta = optimiser.kind === 'sgd' ? optimiser.momentum : optimiser.beta1;
    for (const { weight, gradient, update, momentum } of this.parameters) {
      for (let i = 0; i < weight.length; i += 1) {
        const before = weight[i] ?? 0;
        const velocity = beta * (momentum[i] ?? 0) + (gradient[i] ?? 0);
        momentum[i] = velocity;
        weight[i] = before - learningRate * velocity;
        update[i] = (weight[i] ?? 0) - before;
      }
    }
    this.record();
    this.step += 1;
  }

  private record(): void {
    const stepInEpoch = this.step % this.stepsPerEpoch;
    const last = this.rows.at(-1);
    const poisoned = this.firstNonFinite() !== null;
    const loss = poisoned ? NaN : syntheticLoss(this.step) * (0.75 + 0.5 * hashUnit(this.step, 1));
    const right = 1 - 0.87 * Math.exp(-this.step / 260) - 0.05 * hashUnit(this.step, 2);
    const running = (column: number, value: number): number =>
      ((last?.[column] ?? 0) * stepInEpoch + value) / (stepInEpoch + 1);
    const weights = this.parameters.filter(({ plan }) => plan.role === 'weight');
    this.rows.push([
      loss,
      stepInEpoch === 0 ? loss : running(1, loss),
      stepInEpoch === 0 ? right : running(2, right),
      ...(['weight', 'gradient', 'update'] as const).flatMap((kind) =>
        weights.map((state) => norm(state[kind])),
      ),
    ]);
  }

  private forwardLayer(layer: LayerPlan, input: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
    const { spec } = layer;
    if (spec.kind === 'relu') return input.map((value) => (value > 0 || Number.isNaN(value) ? value : 0));
    if (spec.kind === 'leakyRelu') return input.map((value) => (value > 0 ? value : spec.slope * value));
    if (spec.kind === 'sigmoid') return input.map((value) => 1 / (1 + Math.exp(-value)));
    if (spec.kind === 'tanh') return input.map(Math.tanh);
    if (spec.kind === 'dropout' || spec.kind === 'flatten') return input;
    const output = new Float32Array(sizeOf(layer.outputShape));
    const [inputChannels = 1, inputHeight = 1, inputWidth = 1] = layer.inputShape;
    const [channels = 1, height = 1, width = 1] = layer.outputShape;
    const weight = this.parameters.find(({ plan }) => plan.name === `${spec.name}.weight`)?.weight;
    const bias = this.parameters.find(({ plan }) => plan.name === `${spec.name}.bias`)?.weight;
    /** Null in the padding. */
    const pixelOf = (channel: number, py: number, px: number): number | null =>
      py < 0 || px < 0 || py >= inputHeight || px >= inputWidth
        ? null
        : (input[(channel * inputHeight + py) * inputWidth + px] ?? 0);
    for (let c = 0; c < channels; c += 1) {
      for (let y = 0; y < height; y += 1) {
        for (let x = 0; x < width; x += 1) {
          let sum = bias?.[c] ?? 0;
          if (spec.kind === 'dense') {
            for (let i = 0; i < inputChannels; i += 1)
              sum += (input[i] ?? 0) * (weight?.[c * inputChannels + i] ?? 0);
          } else if (spec.kind === 'conv2d') {
            const k = spec.kernelSize;
            for (let i = 0; i < inputChannels; i += 1) {
              for (let q = 0; q < k * k; q += 1) {
                const value = pixelOf(i, ...placeOf(spec, k, q, y, x)) ?? 0;
                sum += value * (weight?.[(c * inputChannels + i) * k * k + q] ?? 0);
              }
            }
          } else {
            const values: number[] = [];
            for (let q = 0; q < spec.size ** 2; q += 1) {
              const value = pixelOf(c, ...placeOf(spec, spec.size, q, y, x));
              if (value !== null) values.push(value);
            }
            sum =
              spec.kind === 'maxPool2d'
                ? Math.max(...values)
                : values.reduce((all, value) => all + value, 0) / spec.size ** 2;
          }
          output[(c * height + y) * width + x] = sum;
        }
      }
    }
    return output;
  }
}

/** Row and column in the input of value `q` of the window of output (y, x). */
const placeOf = (
  { stride, padding }: { readonly stride: number; readonly padding: number },
  size: number,
  q: number,
  y: number,
  x: number,
): [row: number, column: number] => [
  y * stride - padding + Math.floor(q / size),
  x * stride - padding + (q % size),
];

/** What training the paper's net would roughly reach after `step` steps. */
export const syntheticLoss = (step: number): number => 0.18 + 2.1 * Math.exp(-step / 280);

export function countNonFinite(values: Float32Array): { nan: number; infinite: number } {
  let nan = 0;
  let infinite = 0;
  for (const value of values) {
    if (Number.isNaN(value)) nan += 1;
    else if (!Number.isFinite(value)) infinite += 1;
  }
  return { nan, infinite };
}

const norm = (values: Float32Array): number => {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
};

function newParameter(plan: ParameterPlan, seed: number): ParameterState {
  const bound = 1 / Math.sqrt(plan.fanIn);
  const make = (value: (index: number) => number): Float32Array =>
    Float32Array.from({ length: plan.size }, (_, index) => value(index));
  const columns = plan.size / (plan.shape[0] ?? 1);
  const isConv = plan.shape.length === 4;
  const kernel = isConv ? (plan.shape[2] ?? 1) * (plan.shape[3] ?? 1) : 1;
  const side = isConv ? (plan.shape[3] ?? 1) : 1;
  return {
    plan,
    weight: make((index) => (2 * hashUnit(index, seed, 3) - 1) * bound),
    gradient: new Float32Array(plan.size),
    update: new Float32Array(plan.size),
    momentum: new Float32Array(plan.size),
    streaks: make((index) => {
      const column = Math.floor((index % columns) / kernel);
      const reach = isConv ? 0.4 + hashUnit(column, seed, 5) : hashUnit(column, seed, 5) < 0.6 ? 0.05 : 1;
      const k = Math.floor(index / kernel);
      const lean = 2 * hashUnit(k, seed, 6) - 1;
      const [y, x] = [Math.floor((index % kernel) / side), index % side];
      const slope = isConv
        ? Math.cos(0.7 * (x * lean + y * (1 - lean)) + lean * 2)
        : 2 * hashUnit(index, seed, 7) - 1;
      return reach * slope;
    }),
    noise: make((index) => 2 * hashUnit(index, seed, 8) - 1),
  };
}

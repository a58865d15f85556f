import { type LayerPlan, type NetworkPlan, sizeOf } from '../../src-shared/model/network';
import type { Recipe } from '../../src-shared/model/recipe';
import { GradscopeError } from '../../src-shared/protocol/errors';
import type { Slot } from '../../src-shared/protocol/messages';
import { type Dataset, gatherMinibatch, normalisation, pixelsOf } from '../data/dataset';
import type { EngineNetwork, ForwardContext, Pass } from '../engine/engine';
import { INPUT, SAID } from './layout';
import type { DigitView, DigitWants } from './publisher';

/** Share of the time that the digit may take from training while it runs. */
const MOST_SHARE = 0.015;
const SHORTEST_INTERVAL_MS = 70;

const WITHOUT_DROPOUT: ForwardContext = { mask: () => null };

export interface DigitParts {
  readonly network: EngineNetwork;
  readonly dataset: Dataset;
  readonly input: Recipe['input'];
  readonly choice: DigitChoice;
  /** Finished steps now. */
  readonly step: () => number;
  /** ms of a clock that only goes forward */
  readonly now: () => number;
}

/** A test image by its number, or one drawn by hand: row-major bytes, and what to take for its label (null: what it is said to be). */
export type DigitChoice =
  | { readonly testIndex: number }
  | { readonly pixels: Uint8Array; readonly assumedLabel: number | null };

export interface ChosenDigit {
  /** Null for one drawn by hand, as is `label`. */
  readonly testIndex: number | null;
  readonly label: number | null;
  /** Of one drawn by hand: what its error is computed for; null: the class that the network says. */
  readonly assumedLabel: number | null;
  /** Row-major bytes. */
  readonly pixels: Uint8Array;
}

/** A tensor of the digit, whole. */
type DigitTensor = Pick<Slot, 'name' | 'kind' | 'shape'>;

/** The chosen digit as a choice that leads to it again. */
export const choiceOf = ({ testIndex, pixels, assumedLabel }: ChosenDigit): DigitChoice =>
  testIndex === null ? { pixels, assumedLabel } : { testIndex };

/** One digit and what the network as it is makes of it, dropout off: outputs, errors, probabilities. */
export class DigitProbe implements DigitView {
  private readonly parts: DigitParts;
  private readonly plan: NetworkPlan;
  private pass: Pass;
  private readonly table: Float32Array;
  private readonly probabilities: Float32Array;
  /** The gradient of a score with respect to the image as the network gets it, times this, is that with respect to the ink. */
  private readonly inkFactor: number;
  private readonly arrays = new Map<string, Float32Array>();
  private digit: ChosenDigit;
  private image: Float32Array;
  /** The class that was most probable when it was last computed. */
  private said = 0;
  private computedAt: number | null = null;
  private hasErrors = false;
  /** Those that were computed last. */
  private readonly saliencies = new Map<string, Float32Array>();
  /** Neither the step nor the digit tells that the weights were set by hand. */
  private outdated = true;
  /** A digit never seen must not wait for its turn. */
  private unseen = true;
  private dueAtMs = 0;

  constructor(parts: DigitParts) {
    this.parts = parts;
    this.plan = parts.network.plan;
    this.pass = parts.network.createPass();
    this.table = normalisation(parts.input);
    this.inkFactor = 1 / parts.input.deviation;
    this.probabilities = new Float32Array(parts.dataset.classes);
    [this.digit, this.image] = this.load(parts.choice);
  }

  get chosen(): ChosenDigit {
    return this.digit;
  }

  get step(): number | null {
    return this.computedAt;
  }

  /** The class that its errors are computed for. */
  get errorLabel(): number {
    return this.digit.label ?? this.digit.assumedLabel ?? this.said;
  }

  /** @throws GradscopeError `unknown-image`, `bad-image`; the digit is then the one it was */
  choose(choice: DigitChoice): void {
    [this.digit, this.image] = this.load(choice);
    this.unseen = true;
  }

  /** The weights were changed otherwise than by a step. */
  weightsChanged(): void {
    this.outdated = true;
  }

  /** Computes on another network of the same plan from now on. */
  moveTo(network: EngineNetwork): void {
    const pass = network.createPass();
    this.pass.dispose();
    this.pass = pass;
    this.computedAt = null;
    this.hasErrors = false;
    this.saliencies.clear();
    this.unseen = true;
  }

  stale(wants: DigitWants): boolean {
    return this.unseen || this.outdated || this.computedAt !== this.parts.step() || this.lacks(wants);
  }

  update(wants: DigitWants, exact: boolean): void {
    if (!this.stale(wants)) return;
    const begin = this.parts.now();
    const mustCompute = exact || this.unseen || this.lacks(wants);
    if (!mustCompute && begin < this.dueAtMs) return;
    this.compute(wants);
    const end = this.parts.now();
    this.dueAtMs = end + Math.max(SHORTEST_INTERVAL_MS, (end - begin) / MOST_SHARE);
  }

  read(slot: DigitTensor): Float32Array {
    if (slot.name === INPUT) return this.image;
    if (slot.kind === 'digitSaliency') return this.saliencies.get(slot.name) ?? this.array(slot);
    const target = this.array(slot);
    if (this.computedAt === null) return target;
    if (slot.kind === 'digitProbabilities') this.pass.readProbabilities(target);
    else if (slot.kind === 'digitOutput') this.pass.readOutput(this.layer(slot.name), target);
    else if (this.hasErrors) this.pass.readError(this.layer(slot.name), target);
    return target;
  }

  dispose(): void {
    this.pass.dispose();
  }

  private lacks({ errors, saliencies }: DigitWants): boolean {
    return (errors && !this.hasErrors) || [...saliencies].some((name) => !this.saliencies.has(name));
  }

  private compute({ errors, saliencies }: DigitWants): void {
    const { digit } = this;
    const label = digit.label ?? digit.assumedLabel;
    const guess = this.said;
    this.forward(label ?? guess);
    this.said = this.mostProbable();
    // What a digit without a label is said to be is known only now; it seldom changes from one time to the next.
    if (errors && label === null && this.said !== guess) this.forward(this.said);
    this.saliencies.clear();
    for (const name of saliencies) this.saliencies.set(name, this.saliencyOf(name));
    if (errors) {
      // Its errors are those that stay in the pass.
      if (saliencies.size > 0) this.pass.loss();
      this.backward();
    }
    this.computedAt = this.parts.step();
    this.hasErrors = errors;
    this.outdated = false;
    this.unseen = false;
  }

  /** d score / d ink of each pixel, where ink goes from 0 (blank) to 1. */
  private saliencyOf(name: string): Float32Array {
    this.pass.score(name === SAID ? this.said : Number(name));
    this.backward();
    const gradient = new Float32Array(this.image.length);
    this.pass.readInputError(gradient);
    for (let i = 0; i < gradient.length; i += 1) gradient[i] = gradient[i]! * this.inkFactor;
    return gradient;
  }

  private backward(): void {
    for (const layer of this.plan.layers.toReversed()) this.pass.backward(layer, { parameters: false });
  }

  private forward(label: number): void {
    const { pass, plan } = this;
    pass.load(this.image, Uint8Array.of(label), 1);
    for (const layer of plan.layers) pass.forward(layer, WITHOUT_DROPOUT);
    pass.loss();
  }

  /** The first of the classes with the largest probability; where they are NaN, and all errors with them, class 0. */
  private mostProbable(): number {
    const { probabilities } = this;
    this.pass.readProbabilities(probabilities);
    return probabilities.reduce((best, value, index) => (value > probabilities[best]! ? index : best), 0);
  }

  private load(choice: DigitChoice): [ChosenDigit, Float32Array] {
    return 'testIndex' in choice ? this.loadTest(choice.testIndex) : this.loadDrawn(choice);
  }

  private loadDrawn({
    pixels,
    assumedLabel,
  }: Exclude<DigitChoice, { testIndex: number }>): [ChosenDigit, Float32Array] {
    const { height, width, classes } = this.parts.dataset;
    if (pixels.length !== height * width) {
      throw new GradscopeError(
        'bad-image',
        `The drawing: expected ${String(height * width)} bytes (${String(height)} x ${String(width)} pixels), ` +
          `found ${String(pixels.length)}.`,
      );
    }
    if (assumedLabel !== null && assumedLabel >= classes) {
      throw new GradscopeError(
        'bad-image',
        `The drawing: expected a class from 0 to ${String(classes - 1)} as its assumed label, ` +
          `found ${String(assumedLabel)}.`,
      );
    }
    const own = pixels.slice();
    const image = Float32Array.from(own, (byte) => this.table[byte]!);
    return [{ testIndex: null, label: null, assumedLabel, pixels: own }, image];
  }

  private loadTest(testIndex: number): [ChosenDigit, Float32Array] {
    const { dataset } = this.parts;
    const { test } = dataset;
    if (testIndex >= test.count) {
      const expected = `There are test images 0 to ${String(test.count - 1)}`;
      throw new GradscopeError(
        'unknown-image',
        `${expected}, but number ${String(testIndex)} was asked for.`,
      );
    }
    const { images, labels } = gatherMinibatch(dataset, test, [testIndex], this.table);
    const pixels = pixelsOf(dataset, test, testIndex).slice();
    return [{ testIndex, label: labels[0]!, assumedLabel: null, pixels }, images];
  }

  private layer(name: string): LayerPlan {
    const found = this.plan.layers.find((layer) => layer.spec.name === name);
    if (found === undefined) throw new GradscopeError('internal', `There is no layer called ${name}.`);
    return found;
  }

  /** One array a slot, kept: a page that looks asks for the same ones again and again. */
  private array({ kind, name, shape }: DigitTensor): Float32Array {
    const key = `${kind} ${name}`;
    const known = this.arrays.get(key);
    if (known !== undefined) return known;
    const made = new Float32Array(sizeOf(shape));
    this.arrays.set(key, made);
    return made;
  }
}

import { type LayerPlan, type NetworkPlan, sizeOf } from '../../src-shared/model/network';
import type { Recipe } from '../../src-shared/model/recipe';
import { GradscopeError } from '../../src-shared/protocol/errors';
import type { Slot } from '../../src-shared/protocol/messages';
import { type Dataset, gatherMinibatch, normalisation, pixelsOf } from '../data/dataset';
import type { EngineNetwork, ForwardContext, Pass } from '../engine/engine';
import { INPUT } from './layout';
import type { DigitView } from './publisher';

/** Share of the time that the digit may take from training while it runs. */
const MOST_SHARE = 0.015;
const SHORTEST_INTERVAL_MS = 70;

const WITHOUT_DROPOUT: ForwardContext = { mask: () => null };

export interface DigitParts {
  readonly network: EngineNetwork;
  readonly dataset: Dataset;
  readonly input: Recipe['input'];
  readonly testIndex: number;
  /** Finished steps now. */
  readonly step: () => number;
  /** ms of a clock that only goes forward */
  readonly now: () => number;
}

export interface ChosenDigit {
  readonly testIndex: number;
  readonly label: number;
  /** Row-major bytes. */
  readonly pixels: Uint8Array;
}

/** One test image and what the network as it is makes of it, dropout off: outputs, errors, probabilities. */
export class DigitProbe implements DigitView {
  private readonly parts: DigitParts;
  private readonly plan: NetworkPlan;
  private readonly pass: Pass;
  private readonly table: Float32Array;
  private readonly arrays = new Map<string, Float32Array>();
  private digit: ChosenDigit;
  private image: Float32Array;
  private computedAt: number | null = null;
  private hasErrors = false;
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
    [this.digit, this.image] = this.load(parts.testIndex);
  }

  get chosen(): ChosenDigit {
    return this.digit;
  }

  get step(): number | null {
    return this.computedAt;
  }

  /** @throws GradscopeError `unknown-image` */
  choose(testIndex: number): void {
    [this.digit, this.image] = this.load(testIndex);
    this.unseen = true;
  }

  /** The weights were changed otherwise than by a step. */
  weightsChanged(): void {
    this.outdated = true;
  }

  stale(withError: boolean): boolean {
    return (
      this.unseen || this.outdated || this.computedAt !== this.parts.step() || (withError && !this.hasErrors)
    );
  }

  update(withError: boolean, exact: boolean): void {
    if (!this.stale(withError)) return;
    const begin = this.parts.now();
    const mustCompute = exact || this.unseen || (withError && !this.hasErrors);
    if (!mustCompute && begin < this.dueAtMs) return;
    this.compute(withError);
    const end = this.parts.now();
    this.dueAtMs = end + Math.max(SHORTEST_INTERVAL_MS, (end - begin) / MOST_SHARE);
  }

  read(slot: Slot): Float32Array {
    if (slot.name === INPUT) return this.image;
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

  private compute(withError: boolean): void {
    const { pass, plan } = this;
    pass.load(this.image, Uint8Array.of(this.digit.label), 1);
    for (const layer of plan.layers) pass.forward(layer, WITHOUT_DROPOUT);
    pass.loss();
    if (withError) {
      for (const layer of plan.layers.toReversed()) pass.backward(layer, { parameters: false });
    }
    this.computedAt = this.parts.step();
    this.hasErrors = withError;
    this.outdated = false;
    this.unseen = false;
  }

  private load(testIndex: number): [ChosenDigit, Float32Array] {
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
    return [{ testIndex, label: labels[0]!, pixels }, images];
  }

  private layer(name: string): LayerPlan {
    const found = this.plan.layers.find((layer) => layer.spec.name === name);
    if (found === undefined) throw new GradscopeError('internal', `There is no layer called ${name}.`);
    return found;
  }

  /** One array a slot, kept: a page that looks asks for the same ones again and again. */
  private array({ kind, name, shape }: Slot): Float32Array {
    const key = `${kind} ${name}`;
    const known = this.arrays.get(key);
    if (known !== undefined) return known;
    const made = new Float32Array(sizeOf(shape));
    this.arrays.set(key, made);
    return made;
  }
}

import { beforeEach, describe, expect, test } from 'vitest';
import { planNetwork } from '../../../src-shared/model/network';
import { recipeNamed } from '../../../src-shared/model/recipe';
import type { Status } from '../../../src-shared/protocol/messages';
import { FrameLoop } from '../../draw/frame-loop';
import { FrameStore, type FrameView } from '../../frames/frame-store';
import { MetricsStore } from '../../frames/metrics-store';
import { DEAD_PICTURES } from '../../scene/health';
import { networkRows, type LayerRow } from '../../scene/network-rows';
import { appStore, INITIAL_STATE } from '../../state/store';
import { ScopeModel } from './scope-model';
import { pictureOf, type TestTensor } from './testing';

const plan = planNetwork(recipeNamed('pytorch-paper').network);
const fc2 = networkRows(plan).findLast((row): row is LayerRow => row.kind === 'layer');
if (fc2 === undefined) throw new Error('no fc2');

const tensor = (kind: TestTensor['kind'], value: number, change: Partial<TestTensor> = {}): TestTensor => ({
  name: 'fc2.weight',
  kind,
  shape: [10, 50],
  values: new Float32Array(500).fill(value),
  ...change,
});

class OnePicture extends FrameStore {
  shown: FrameView | null = null;
  override latest(): FrameView | null {
    return this.shown;
  }
}

/** Asks for no animation frame. */
const loop = new FrameLoop({
  requestFrame: () => 1,
  cancelFrame: () => undefined,
  now: () => 0,
  after: () => () => undefined,
  whenRendered: () => undefined,
  report: () => undefined,
});

beforeEach(() => {
  appStore.setState({ ...INITIAL_STATE, plan, status: { state: 'paused' } as Status });
});

function modelOf(): { model: ScopeModel; frames: OnePicture; metrics: MetricsStore } {
  const frames = new OnePicture();
  const metrics = new MetricsStore();
  const model = new ScopeModel({ frames, metrics, loop });
  return { model, frames, metrics };
}

describe('ScopeModel', () => {
  test('a picture that came while training still ran gets exactly the scale of the rule once training stands', () => {
    const { model, frames } = modelOf();
    appStore.setState({ status: { state: 'running' } as Status });
    frames.shown = pictureOf(1, 'step', [tensor('gradient', 0.9)]);
    model.refresh();
    frames.shown = pictureOf(2, 'step', [tensor('gradient', 0.04)]);
    model.refresh();
    expect(model.scaleOf('fc2.weight', 'gradient', 0).value).toBe(1);
    appStore.setState({ status: { state: 'paused' } as Status });
    model.refresh();
    expect(model.scaleOf('fc2.weight', 'gradient', 0).value).toBe(0.05);
  });

  test('a cleared gradient changes no scale and makes no filter dead', () => {
    const { model, frames } = modelOf();
    frames.shown = pictureOf(1, 'step', [tensor('gradient', 0.04)]);
    model.refresh();
    for (let step = 2; step < 200; step += 1) {
      frames.shown = pictureOf(step, 'zeroGrad', [tensor('gradient', 0, { freshness: 'cleared' })]);
      model.refresh();
    }
    expect(model.scaleOf('fc2.weight', 'gradient', 0).value).toBe(0.05);
    expect(model.dead('fc2')).toEqual([]);
  });

  test('names units that got no gradient for long enough, and forgets them with the run', () => {
    const { model, frames } = modelOf();
    const values = new Float32Array(500).fill(0.1).fill(0, 150, 200);
    for (let step = 1; step <= DEAD_PICTURES; step += 1) {
      frames.shown = pictureOf(step, 'step', [tensor('gradient', 0, { values })]);
      model.refresh();
    }
    expect(model.dead('fc2')).toEqual([3]);
    appStore.setState({ plan: planNetwork(recipeNamed('pytorch-paper').network) });
    model.refresh();
    expect(model.dead('fc2')).toEqual([]);
  });

  // Catches: a verdict on weights that were replaced since the step it was measured in.
  test('has no verdict on weights that were replaced after the last step', () => {
    const { model, frames, metrics } = modelOf();
    const columns = ['loss', 'weightNorm:fc2', 'gradientNorm:fc2', 'updateNorm:fc2'];
    metrics.reset(columns);
    const row = [1, 3, 0.5, 0.003];
    metrics.append(
      1,
      60,
      Float32Array.from({ length: 240 }, (_, i) => row[Math.floor(i / 60)]!),
    );
    frames.shown = pictureOf(60, 'step', [tensor('weight', 1), tensor('gradient', 0.1)]);
    model.refresh();
    expect(model.health(fc2)).toMatchObject({ health: { kind: 'healthy' }, since: 60 });
    metrics.weightsReplaced(60);
    expect(model.health(fc2).health).toMatchObject({ kind: 'notYet', because: { steps: 0, from: 60 } });
  });

  test('says where NaN is, from the counts of the whole tensor', () => {
    const { model, frames } = modelOf();
    frames.shown = pictureOf(1, 'step', [tensor('weight', 1), tensor('gradient', 1, { nan: 12 })]);
    expect(model.health(fc2).health).toEqual({ kind: 'nonFinite', nan: 12, infinite: 0 });
  });

  // Catches: `healthy` for a layer whose bias is infinite, which no picture of its weights shows.
  test('says what the trainer met in a layer where no picture shows it', () => {
    const { model, frames } = modelOf();
    frames.shown = pictureOf(1, 'step', [tensor('weight', 1), tensor('gradient', 1)]);
    const place = { step: 1, phase: 'forward', layer: 'fc2', tensor: 'fc2.bias', kind: 'weight' } as const;
    appStore.setState({ nonFinite: { ...place, nan: 0, infinite: 1 } });
    expect(model.health(fc2).health).toMatchObject({
      kind: 'nonFinite',
      infinite: 1,
      place: 'fc2.bias in forward of step 1',
    });
    appStore.setState({ nonFinite: null });
    expect(model.health(fc2).health.kind).toBe('unknown');
  });
});

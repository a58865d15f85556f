import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NetworkPlan, planNetwork } from '../../src-shared/model/network';
import type { Position } from '../../src-shared/model/phases';
import { type Recipe, recipeNamed } from '../../src-shared/model/recipe';
import { DEFAULT_RUN_CONFIG, type Mode } from '../../src-shared/model/run-config';
import { writeSafetensors } from '../../src-shared/model/safetensors';
import type { Dataset } from '../data/dataset';
import { openEngine } from '../engine';
import type { Engine } from '../engine/engine';
import { describeEngines } from '../engine/testing/describe-engines';
import { entry, relativeDifference } from '../engine/testing/drive';
import { layerWalkFixture, parityFixture } from '../engine/testing/fixtures';
import { request, runScript } from '../testing/scripted-trainer';
import { type SmallMnist, smallMnist } from '../testing/small-mnist';
import { FitLoop } from './fit-loop';
import { ImperativeLoop } from './imperative-loop';
import type { Gate } from './loop';
import { Session } from './session';
import type { ThreadCommand, ThreadReply } from './thread-messages';

const FIXTURE = layerWalkFixture();
const MODES: readonly Mode[] = ['imperative', 'fit'];
const LAYER_KINDS = ['activation', 'error', 'mask'] as const;
type Kind = (typeof LAYER_KINDS)[number] | 'gradient';

/** A tensor that may be looked at: of a layer, or the gradient of a parameter. */
interface Look {
  readonly name: string;
  readonly kind: Kind;
}

const looksOf = ({ layers, parameters }: NetworkPlan): Look[] => [
  ...layers.flatMap(({ spec }) =>
    LAYER_KINDS.filter((kind) => kind !== 'mask' || spec.kind === 'dropout').map((kind) => ({
      name: spec.name,
      kind,
    })),
  ),
  ...parameters.map(({ name }) => ({ name, kind: 'gradient' as const })),
];

/** The places at which a walk stands inside a step, in order. */
const stopsOf = ({ layers }: NetworkPlan): Position[] => {
  const indices = layers.map(({ index }) => index);
  return [
    { phase: 'zeroGrad', layer: null },
    ...indices.map((layer): Position => ({ phase: 'forward', layer })),
    { phase: 'loss', layer: null },
    ...indices.toReversed().map((layer): Position => ({ phase: 'backward', layer })),
  ];
};

/** Whether PyTorch, called layer by layer, has computed it when it has come as far as that. */
function isComputed(plan: NetworkPlan, { name, kind }: Look, { phase, layer }: Position): boolean {
  const owner = plan.layers.find(
    ({ spec, parameters }) => spec.name === name || parameters.some((parameter) => parameter.name === name),
  );
  const index = owner?.index ?? -1;
  const at = layer ?? plan.layers.length;
  switch (phase) {
    case 'forward':
      return kind !== 'error' && kind !== 'gradient' && index <= at;
    case 'loss':
    case 'backward':
      if (kind === 'gradient') return index >= at;
      // Backward of a layer makes the error of its input too, which is that of the output of the layer before.
      return kind !== 'error' || index >= at - 1;
    default:
      return false;
  }
}

const NAMES: Readonly<Record<Kind, string>> = {
  activation: '.output',
  error: '.error',
  mask: '.mask',
  gradient: '.gradient',
};

/** Within 1e-5 of the tensor's norm, masks to the bit, and errors at the same places; sums may leave a rounding for a 0. */
function expectAsPyTorch(prefix: string, { name, kind }: Look, at: string, values: Float32Array): void {
  const theirs = entry(FIXTURE.tensors, `${prefix}/${name}${NAMES[kind]}`);
  const place = `${name} ${kind} at ${at}`;
  expect(values.length, place).toBe(theirs.length);
  if (kind === 'mask') expect(values, place).toEqual(theirs);
  expect(relativeDifference(values, theirs), place).toBeLessThan(1e-5);
  if (kind !== 'error') return;
  const least = 1e-6 * theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const passes = (all: Float32Array): number[] => [...all.keys()].filter((i) => Math.abs(all[i]!) > least);
  expect(passes(values), `${place}: where there is an error`).toEqual(passes(theirs));
}

const placeOf = ({ phase, layer }: Position): string => `${phase} ${String(layer)}`;

describeEngines('on %s, the walk through the layers', (engineName) => {
  let mnist: SmallMnist;
  beforeAll(() => {
    mnist = smallMnist(2, 1);
  });
  afterAll(() => {
    mnist.remove();
  });

  // Catches: at any stop of the real training thread, a tensor that is not what PyTorch's hooks see there: an error of
  // another tie, a mask that is not applied on the way back, a gradient shown before it is computed or overwritten after.
  it.each(FIXTURE.recipes.flatMap((fixture) => MODES.map((mode) => ({ ...fixture, mode }))))(
    'shows at each stop what real PyTorch has there: $recipe, $mode',
    async ({ recipe, trainingImages, seed, mode }) => {
      const plan = planNetwork(recipeNamed(recipe).network);
      const { tensors } = parityFixture(recipe);
      const weights = plan.parameters.map(({ name, shape }) => ({
        name,
        shape,
        values: entry(tensors, `initial.${name}`),
      }));
      const config = {
        ...DEFAULT_RUN_CONFIG,
        recipe,
        engine: engineName,
        mode,
        seed,
        order: [trainingImages],
      };
      const restart = {
        ...request('restart', { config, weightsFile: 'initial.safetensors' }),
        payload: new Uint8Array(writeSafetensors(weights)),
      } as ThreadCommand;
      const asked = new Map<number, { look: Look; stop: Position }>();
      const script: ThreadCommand[] = [restart];
      for (const stop of stopsOf(plan)) {
        script.push(request('stepLayer'));
        for (const look of looksOf(plan)) {
          const read = request('readTensor', look);
          if (read.type === 'request') asked.set(read.id, { look, stop });
          script.push(read);
        }
      }
      const said = await runScript(mnist.folder, script);
      const replies = said.filter((message): message is ThreadReply => message.type === 'reply');
      let compared = 0;
      for (const { id, error, result, payload } of replies) {
        const read = asked.get(id);
        if (read === undefined) {
          expect(error).toBeNull();
          continue;
        }
        const { look, stop } = read;
        const place = `${look.name} ${look.kind} at ${placeOf(stop)}`;
        if (!isComputed(plan, look, stop)) {
          expect(error?.code ?? result['freshness'], place).toBe(
            look.kind === 'gradient' ? 'cleared' : 'not-now',
          );
          continue;
        }
        expect(error, place).toBeNull();
        const values = new Float32Array((payload ?? new Uint8Array()).slice().buffer);
        expectAsPyTorch(recipe, look, placeOf(stop), values);
        compared += 1;
      }
      expect(compared).toBeGreaterThan(plan.layers.length ** 2);
    },
  );
});

describeEngines('on %s, small networks at the edges', (engineName) => {
  let engine: Engine;
  beforeAll(async () => {
    ({ engine } = await openEngine(engineName));
  });
  afterAll(() => {
    engine.dispose();
  });

  // Catches: the last of equal maxima taken for the first, an error let through a ReLU that stands at exactly 0, a row
  // left over by the pool that is given an error, a channel's mask spread over the wrong values.
  it.each(FIXTURE.cases.flatMap((fixture) => MODES.map((mode) => ({ ...fixture, mode }))))(
    'show at each gate what real PyTorch has there: $name, $mode',
    async ({ name: prefix, labels, pixels, seed, network, mode }) => {
      const plan = planNetwork(network);
      const session = new Session({
        engine,
        recipe: recipeOf(network, labels.length),
        dataset: datasetOf(plan, Buffer.from(pixels, 'base64'), labels),
        config: { ...DEFAULT_RUN_CONFIG, seed, order: [[...labels.keys()]] },
      });
      const weights = plan.parameters.map(({ name, shape }) => ({
        name,
        shape,
        values: entry(FIXTURE.tensors, `${prefix}/${name}`),
      }));
      session.importWeights(writeSafetensors(weights), 'given.safetensors');
      const stops: Position[] = [];
      const gate: Gate = {
        beforeStep: () => (session.step === 0 ? 'go' : 'leave'),
        reached: (stop) => {
          if (session.step === 1 || (stop.layer === null && stop.phase.endsWith('ward'))) return;
          stops.push(stop);
          for (const look of looksOf(plan).filter((each) => isComputed(plan, each, stop))) {
            const { name, kind } = look;
            const { values } =
              kind === 'gradient' ? session.mirror(name).gradient : session.readLayer(name, kind);
            expectAsPyTorch(prefix, look, placeOf(stop), values);
          }
        },
      };
      const Loop = { imperative: ImperativeLoop, fit: FitLoop }[mode];
      await new Loop(session, gate, ({ loss }) => {
        expect(Math.abs(loss / entry(FIXTURE.tensors, `${prefix}/loss`)[0]! - 1)).toBeLessThan(1e-5);
      }).run();
      expect(stops).toEqual(stopsOf(plan));
      session.dispose();
    },
  );
});

// Catches: cases that no longer hold what they are there for, so that the tests above prove nothing about it.
describe('the small networks', () => {
  const outputOf = (name: string, layer: string): Float32Array =>
    entry(FIXTURE.tensors, `${name}/${layer}.output`);

  it.each(['constant-patches', 'one-window', 'softmax-twice-ties'])(
    '%s: has windows that tie for their maximum',
    (name) => {
      const network = FIXTURE.cases.find((each) => each.name === name)?.network;
      const layers = network === undefined ? [] : planNetwork(network).layers;
      const [before, pool] = layers;
      const size = pool?.spec.kind === 'maxPool2d' ? pool.spec.size : 0;
      const [, height = 1, width = 1] = pool?.inputShape ?? [];
      const [, rows = 1, columns = 1] = pool?.outputShape ?? [];
      const input = outputOf(name, before?.spec.name ?? '');
      const output = outputOf(name, pool?.spec.name ?? '');
      const ties = output.filter((largest, at) => {
        const map = Math.floor(at / (rows * columns));
        const y = (Math.floor(at / columns) % rows) * size;
        const x = (at % columns) * size;
        let equal = 0;
        for (let i = 0; i < size ** 2; i++) {
          const row = map * height + y + Math.floor(i / size);
          if (input[row * width + x + (i % size)] === largest) equal += 1;
        }
        return equal > 1;
      });
      expect(ties.length / output.length).toBeGreaterThan(0.2);
    },
  );

  it.each([
    ['exact-zeros', 'conv1', 'relu1'],
    ['constant-patches', 'pool1', 'relu1'],
  ])('%s: has inputs of exactly 0 of a ReLU to whose output an error comes', (name, before, relu) => {
    const input = outputOf(name, before);
    const error = entry(FIXTURE.tensors, `${name}/${relu}.error`);
    expect(input.filter((value, i) => value === 0 && error[i] !== 0).length).toBeGreaterThan(0);
  });
});

const recipeOf = (network: Recipe['network'], batchSize: number): Recipe => ({
  name: 'given',
  summary: 'For tests.',
  network,
  optimiser: { kind: 'sgd', learningRate: 0.01, momentum: 0.5, nesterov: false, weightDecay: 0 },
  initialisation: 'torchDefault',
  input: { mean: 0, deviation: 1 },
  batchSize,
  testBatchSize: batchSize,
  epochs: 1,
});

function datasetOf(plan: NetworkPlan, pixels: Uint8Array, labels: readonly number[]): Dataset {
  const [, height, width] = plan.spec.input;
  const set = { count: labels.length, pixels, labels: Uint8Array.from(labels) };
  return { name: 'given', channels: 1, height, width, classes: plan.classes, train: set, test: set };
}

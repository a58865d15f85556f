import { RECIPES } from '../../src-shared/model/recipe';
import type { DatasetInfo, Ready } from '../../src-shared/protocol/messages';
import { type Dataset, pixelsOf } from '../data/dataset';
import { offeredEngines } from '../engine';
import type { ChosenDigit } from '../probe/digit';
import { metricColumns } from './metrics';
import type { Run } from './run';
import type { RunBegan } from './thread-messages';

/** Training images in `ready`. */
const SAMPLES = 12;

/** What `ready` says of a run. */
export function describeRun(run: Run): RunBegan {
  const { runId, config, recipe, session, digit } = run;
  return {
    runId,
    ...describeEngine(run),
    engines: offeredEngines(),
    dataset: describeDataset(session.dataset),
    recipes: [...RECIPES],
    config,
    network: recipe.network,
    metricColumns: metricColumns(session.plan),
    digit: describeDigit(digit.chosen),
  };
}

/** What is known of the engine of a run, and of the others. */
export function describeEngine({ engine, engineTable }: Run): Pick<Ready, 'engine' | 'engineTable'> {
  const { name, variant, versions } = engine.engine;
  return {
    engine: {
      name,
      variant,
      versions: { Node: process.versions.node, ...versions },
      chosenBecause: engine.chosenBecause,
    },
    engineTable: [...engineTable],
  };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

export const describeDigit = ({ pixels, ...digit }: ChosenDigit): Ready['digit'] => ({
  ...digit,
  pixels: base64(pixels),
});

function describeDataset(dataset: Dataset): DatasetInfo {
  const { name, height, width, classes, train, test } = dataset;
  const samples = Array.from({ length: Math.min(SAMPLES, train.count) }, (_, index) => ({
    index,
    label: train.labels[index]!,
    pixels: base64(pixelsOf(dataset, train, index)),
  }));
  return { name, trainExamples: train.count, testExamples: test.count, height, width, classes, samples };
}

import type { EngineSpeed } from '../../src-shared/model/engine-table';
import type { Evaluation, Ready, WireNumber } from '../../src-shared/protocol/messages';
import { fromWireNumber } from '../../src-shared/protocol/messages';
import type { RunConfig } from '../../src-shared/model/run-config';

/** The record of a run: what computed it, and what came out. */
export interface Finished {
  readonly engine: string;
  readonly variant: string;
  /** Program or library -> version. */
  readonly versions: Readonly<Record<string, string>>;
  readonly steps: number;
  readonly weightsSha256: string;
}

/** What a run has to say, as it goes. */
export interface Report {
  began(ready: Ready, config: RunConfig): void;
  /** What auto found, before the first step. */
  engines(chosen: string, table: readonly EngineSpeed[]): void;
  step(step: number, loss: WireNumber): void;
  /** Called for the evaluation at the end of an epoch. */
  epoch(epoch: number, evaluation: Evaluation): void;
  saved(file: string): void;
  done(summary: Finished): void;
}

type Print = (line: string) => void;

/** One JSON object a line. Its keys are a contract with scripts. */
export function jsonReport(print: Print): Report {
  const event = (object: Readonly<Record<string, unknown>>): void => {
    print(JSON.stringify(object));
  };
  return {
    began: () => undefined,
    engines: (chosen, table) => {
      event({ event: 'engines', chosen, table });
    },
    step: (step, loss) => {
      event({ event: 'step', step, loss });
    },
    epoch: (epoch, { runningLoss, runningAccuracy, loss, accuracy, imagesPerSecond }) => {
      event({
        event: 'epoch',
        epoch,
        runningTrainLoss: runningLoss,
        runningTrainAccuracy: runningAccuracy,
        testLoss: loss,
        testAccuracy: accuracy,
        imagesPerSecond,
      });
    },
    saved: () => undefined,
    done: ({ engine, variant, versions, steps, weightsSha256 }) => {
      event({ event: 'done', engine, variant, versions, steps, weightsSha256 });
    },
  };
}

const COLUMNS = [
  'epoch',
  'running training loss',
  'running training accuracy',
  'test loss',
  'test accuracy',
  'images/s',
];

/** A table by epoch. Both accuracies are named: one over the epoch with dropout on, one after it without. */
export function tableReport(print: Print): Report {
  const row = (cells: readonly string[]): void => {
    print(cells.map((cell, column) => cell.padStart(COLUMNS[column]?.length ?? 0)).join('   '));
  };
  return {
    began: (
      { engine: { name, variant, chosenBecause }, dataset },
      { recipe, mode, seed, dropout, engine },
    ) => {
      const loop = mode === 'imperative' ? 'imperative loop' : 'fit() + callbacks';
      const facts = [recipe, loop, `seed ${String(seed)}`, ...(dropout ? [] : ['dropout off'])];
      print(`${facts.join(', ')}; engine ${name} (${variant}; ${chosenBecause})`);
      print(
        `${dataset.name}: ${count(dataset.trainExamples)} training and ${count(dataset.testExamples)} test images`,
      );
      print('');
      if (engine !== 'auto') row(COLUMNS);
    },
    engines: (chosen, table) => {
      const width = Math.max(...table.map(({ name }) => name.length));
      for (const { name, variant, imagesPerSecond, reason } of table) {
        const speed = imagesPerSecond === null ? '' : `${count(Math.round(imagesPerSecond))} images/s`;
        const words = reason ?? `${variant ?? ''}${name === chosen ? '; taken' : ''}`;
        print(`${name.padEnd(width)}   ${speed.padStart(16)}   ${words}`);
      }
      print('');
      row(COLUMNS);
    },
    step: () => undefined,
    epoch: (epoch, { runningLoss, runningAccuracy, loss, accuracy, imagesPerSecond }) => {
      row([
        String(epoch),
        runningLoss === null ? '' : lossText(runningLoss),
        runningAccuracy === null ? '' : percent(runningAccuracy),
        lossText(loss),
        percent(accuracy),
        imagesPerSecond === null ? '' : count(Math.round(imagesPerSecond)),
      ]);
    },
    saved: (file) => {
      print(`saved ${file}`);
    },
    done: ({ steps, weightsSha256 }) => {
      print('');
      print(`${count(steps)} steps, weights SHA-256 ${weightsSha256}`);
    },
  };
}

const count = (value: number): string => value.toLocaleString('en-US');
const percent = (fraction: number): string => `${(100 * fraction).toFixed(2)} %`;
const lossText = (loss: WireNumber): string => {
  const value = fromWireNumber(loss);
  return Number.isFinite(value) ? value.toFixed(4) : String(value);
};

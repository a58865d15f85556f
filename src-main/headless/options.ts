import { Command, InvalidArgumentError, Option } from 'commander';
import { JsonRefused, parseBoundedJson } from '../../src-shared/json/bounded-json';
import { checkOrder } from '../../src-shared/model/order';
import { recipeNamed, RECIPES } from '../../src-shared/model/recipe';
import { ENGINE_NAMES, engineChoiceSchema, modeSchema } from '../../src-shared/model/run-config';
import type { EngineChoice, Mode, RunConfig } from '../../src-shared/model/run-config';
import { GradscopeError } from '../../src-shared/protocol/errors';
import { MAX_FILE_BYTES } from '../../src-shared/protocol/limits';
import { shownFile } from '../../src-shared/text/file-name';
import { quoted } from '../../src-shared/text/shorten';
import { reasonOf } from '../../src-node/file-error.mjs';
import { readRegularFile } from '../../src-node/read-file.mjs';

/** What the command line asks for, before any file is read. */
interface HeadlessArguments {
  readonly recipe: string;
  readonly mode: Mode;
  readonly epochs?: number;
  readonly steps?: number;
  readonly seed: number;
  readonly engine: EngineChoice;
  readonly init?: string;
  readonly order?: string;
  readonly dropout: boolean;
  readonly save?: string;
  readonly json: boolean;
}

/** A run to be done, with every file read and checked as far as it can be without the trainer. */
export interface HeadlessRun {
  readonly config: RunConfig;
  readonly weights: { readonly file: string; readonly bytes: Uint8Array } | null;
  readonly orderFile: string | null;
  readonly saveTo: string | null;
  readonly json: boolean;
  /** One line a step, too. */
  readonly steps: boolean;
}

/**
 * @throws CommanderError for an option there is not or a value that does not fit.
 * @throws GradscopeError `unknown-recipe`, `engine-unavailable`, `bad-order`, `bad-weights`.
 */
export function readHeadlessRun(args: readonly string[]): HeadlessRun {
  const asked = parseArguments(args);
  const order = asked.order === undefined ? null : readOrder(asked.order);
  return {
    config: {
      recipe: recipeNamed(asked.recipe).name,
      seed: asked.seed,
      mode: asked.mode,
      engine: asked.engine,
      // A step is at least one minibatch of one epoch, so these are never too few; the step says where it ends.
      epochs: asked.epochs ?? asked.steps ?? null,
      stopAtStep: asked.steps ?? null,
      dropout: asked.dropout,
      order,
    },
    weights: asked.init === undefined ? null : { file: asked.init, bytes: readWeights(asked.init) },
    orderFile: asked.order ?? null,
    saveTo: asked.save ?? null,
    json: asked.json,
    steps: asked.steps !== undefined,
  };
}

function parseArguments(args: readonly string[]): HeadlessArguments {
  const recipes = RECIPES.map((recipe) => recipe.name).join(', ');
  return new Command('npm run train --')
    .description('Trains without a window and prints what comes of it.')
    .helpOption('--help', 'this')
    .option('--recipe <name>', recipes, 'pytorch-paper')
    .option('--mode <loop>', 'imperative or fit', parseMode, 'imperative')
    .addOption(new Option('--epochs <n>', "epochs to train (default: the recipe's)").argParser(parsePositive))
    .addOption(new Option('--steps <n>', 'minibatches to train').argParser(parsePositive).conflicts('epochs'))
    .option('--seed <n>', 'of initial weights, batch order and dropout, 0 to 4294967295', parseSeed, 1)
    .option('--engine <name>', `auto, ${ENGINE_NAMES.join(', ')}`, parseEngine, 'auto')
    .option('--init <file>', 'safetensors to start from', parseFile)
    .option(
      '--order <file>',
      'minibatches: a JSON list of lists of training-image indices, one pass an epoch',
      parseFile,
    )
    .option('--no-dropout', 'switches every dropout layer off')
    .option(
      '--save <file>',
      'writes the weights at the end, as safetensors, whole or not at all; - is stdout',
      parseFile,
    )
    .option(
      '--json',
      'prints one JSON object a line; a loss that is not finite is one of the strings "NaN", "Infinity", "-Infinity"',
      false,
    )
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .parse(args, { from: 'user' })
    .opts();
}

function parseFile(text: string): string {
  if (text === '') throw new InvalidArgumentError('It should be the path of a file.');
  return text;
}

function parsePositive(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError('It should be a whole number from 1 on.');
  }
  return value;
}

function parseSeed(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 0xffff_ffff) {
    throw new InvalidArgumentError('It should be a whole number from 0 to 4294967295.');
  }
  return value;
}

function parseMode(text: string): Mode {
  const mode = modeSchema.safeParse(text);
  if (!mode.success) throw new InvalidArgumentError('It should be imperative or fit.');
  return mode.data;
}

function parseEngine(text: string): EngineChoice {
  const engine = engineChoiceSchema.safeParse(text);
  if (engine.success) return engine.data;
  throw new GradscopeError(
    'engine-unavailable',
    `There is no engine called ${quoted(text)}; there is auto, ${ENGINE_NAMES.join(', ')}.`,
  );
}

/** Far more than an order may have: checkOrder says how many those are. */
const ORDER_FILE_LIMITS = { maxDepth: 32, maxValues: 2_000_000 };

function readOrder(file: string): NonNullable<RunConfig['order']> {
  const text = new TextDecoder().decode(readInput(file, 'bad-order'));
  const order = parsedOrder(text, shownFile(file));
  // How many training images there are is for the trainer to say.
  checkOrder(order, Infinity, shownFile(file));
  return order;
}

function parsedOrder(text: string, file: string): unknown {
  try {
    return parseBoundedJson(text, ORDER_FILE_LIMITS);
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error;
    throw new GradscopeError('bad-order', `${file}: ${error.message}.`);
  }
}

/** Looks at no more than its size: the trainer looks into it. */
const readWeights = (file: string): Uint8Array => readInput(file, 'bad-weights');

function readInput(file: string, code: 'bad-order' | 'bad-weights'): Uint8Array {
  try {
    return readRegularFile(file, MAX_FILE_BYTES);
  } catch (error) {
    throw new GradscopeError(code, `${shownFile(file)} cannot be read: ${reasonOf(error)}.`, {
      cause: error,
    });
  }
}

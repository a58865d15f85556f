import { z } from 'zod';
import { listOf } from '../json/list-of';
import { engineSpeedSchema } from '../model/engine-table';
import { networkSpecSchema } from '../model/network';
import { STATE_SLOTS } from '../model/optimiser';
import { PHASES } from '../model/phases';
import { recipeSchema } from '../model/recipe';
import { ENGINE_NAMES, engineChoiceSchema, modeSchema, runConfigSchema } from '../model/run-config';
import { nameSchema } from '../text/name';
import { MOST_SENTENCE_CHARACTERS, shorten } from '../text/shorten';
import { ERROR_CODES } from './errors';
import { explainedKindSchema, explanationSchema } from './explanation';
import { wireNumberSchema } from './wire-number';

/** docs/protocol.md says in words what these schemas say in types. A change that an old side would misread raises it. */
export const PROTOCOL_VERSION = 1;

/** Credits a page grants at the start: frames that may be under way to it at once. */
export const INITIAL_CREDITS = 2;

const phaseSchema = z.enum(PHASES);
const count = z.int().min(0);

export { fromWireNumber, toWireNumber, type WireNumber } from './wire-number';

// ---------------------------------------------------------------- what can be looked at

/**
 * `weight`, `gradient`, `update`: of a parameter (`conv1.weight`, `fc2.bias`), PyTorch's layout.
 *   gradient: the minibatch gradient given to the optimiser; update: W after the step - W before it.
 * `digitOutput`, `digitError`: of a layer (`conv1`), for the chosen digit with dropout off; (channels, height, width) or
 *   (units). digitError is dL/d output. `digitOutput` of `input` is the image as the network gets it.
 * `digitSaliency`: of a class (`3`), or of `said`, the class with the largest probability: gradient of its score (its logit)
 *   for the chosen digit with respect to the pixels, ink counted from 0 to 1; (channels, height, width), dropout off.
 * `digitProbabilities`: of `output`: softmax of the logits, one value a class.
 * `output`, `error`, `mask`: of a layer, for one example of the minibatch under way (`chooseExample`), while training stands
 *   inside a step and once computed in it; (channels, height, width) or (units). `error` is dL/d output; `output` of `input`
 *   is the image; `mask`, of a dropout layer, has its factors (0 or 1/(1-rate)), one a channel or value it decides on.
 */
export const tensorKindSchema = z.enum([
  'weight',
  'gradient',
  'update',
  'digitOutput',
  'digitError',
  'digitSaliency',
  'digitProbabilities',
  'output',
  'error',
  'mask',
]);
export type TensorKind = z.infer<typeof tensorKindSchema>;

export const watchItemSchema = z.strictObject({
  name: nameSchema,
  kind: tensorKindSchema,
  /** A tensor of more values is reduced to at most that many block means before it is sent. */
  maxValues: z.int().positive(),
});
export type WatchItem = z.infer<typeof watchItemSchema>;

export const slotSchema = z.strictObject({
  name: z.string(),
  kind: tensorKindSchema,
  /** Shape of the whole tensor. */
  shape: listOf(z.int().positive()),
  /**
   * Shape of what is sent. Equal to `shape` unless reduced; then (rows, columns) of the matrix view (first axis, product
   * of the others) after taking the mean over blocks of `block` = [rows, columns] values.
   */
  sentShape: listOf(z.int().positive()),
  block: z.tuple([z.int().positive(), z.int().positive()]).nullable(),
  /** Where the slot starts in the payload, in float32 values. */
  offset: count,
  length: count,
});
export type Slot = z.infer<typeof slotSchema>;

/** `old`: of an earlier step than the frame's. `cleared`: zeroed and not computed since. `notYet`: never computed. */
export const freshnessSchema = z.enum(['fresh', 'old', 'cleared', 'notYet']);
export type Freshness = z.infer<typeof freshnessSchema>;

export const slotStateSchema = z.strictObject({
  freshness: freshnessSchema,
  /** Step the values belong to (0: initial weights). */
  step: count,
  phase: phaseSchema.nullable(),
  /** Counted over the whole tensor, before any reduction. */
  nan: count,
  infinite: count,
});
export type SlotState = z.infer<typeof slotStateSchema>;

/**
 * A list of slot states. Nearly all of a frame are the same, and frames come many times a second, so each is looked at once: a
 * schema's look at one state leaves twenty objects to be collected.
 */
const slotStatesSchema = z.custom<readonly unknown[]>(Array.isArray).transform((list, context) => {
  const seen = new Map<string, SlotState>();
  const states: SlotState[] = [];
  for (const [index, state] of list.entries()) {
    const text = JSON.stringify(state);
    let known = seen.get(text);
    if (known === undefined) {
      const parsed = slotStateSchema.safeParse(state);
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        context.addIssue({
          code: 'custom',
          message: issue?.message ?? 'invalid',
          path: [index, ...(issue?.path ?? [])],
        });
        return z.NEVER;
      }
      known = parsed.data;
      seen.set(text, known);
    }
    states.push(known);
  }
  return states;
});

// ---------------------------------------------------------------- page -> trainer

/** Tensors that one client can look at. */
const MOST_WATCHED = 512;

const helloSchema = z.strictObject({ type: z.literal('hello'), protocol: z.int() });
const watchSchema = z.strictObject({
  type: z.literal('watch'),
  items: listOf(watchItemSchema, { most: MOST_WATCHED }),
});
const creditSchema = z.strictObject({
  type: z.literal('credit'),
  count: z.int().min(1).max(INITIAL_CREDITS),
});
/** A hidden page never holds stepping back. */
const visibilitySchema = z.strictObject({ type: z.literal('visibility'), visible: z.boolean() });

const nothing = z.strictObject({});

/** For sentences about the file: of a longer one the beginning is kept. */
const fileNameSchema = z
  .string()
  .min(1, { error: 'expected the name of a file, found an empty text' })
  .transform((name) => shorten(name, 200));

/** Whoever wrote it, no more is shown than anybody reads. */
const sentenceSchema = z.string().transform((text) => shorten(text, MOST_SENTENCE_CHARACTERS));

/** One sentence about weights whose names or types were not taken as they stand in the file; absent: they were. */
const remarkSchema = sentenceSchema.optional();

/**
 * A place at which play stands still: `layer`, after each layer of forward or backward; `phase`, once the phase is over. After
 * `step` that is between two minibatches.
 */
export const breakpointSchema = z
  .strictObject({ phase: phaseSchema, after: z.enum(['layer', 'phase']) })
  .refine(({ phase, after }) => after === 'phase' || phase === 'forward' || phase === 'backward', {
    error: 'only forward and backward go layer by layer',
  });
export type Breakpoint = z.infer<typeof breakpointSchema>;

/** One for each phase, and one for the layers of forward and backward each. */
const breakpointsSchema = listOf(breakpointSchema, { most: 7 }).refine(
  (list) => new Set(list.map(({ phase, after }) => `${phase} ${after}`)).size === list.length,
  {
    error: 'no breakpoint may be there twice',
  },
);

/**
 * Requests: name -> [params, result]. A request may carry a payload, and so may its reply (see the comments); both then
 * travel as a binary envelope whose head is the message.
 */
export const REQUESTS = {
  /** Runs on until paused or finished. */
  play: [nothing, nothing],
  /** Stands still. When the reply arrives nothing moves any more; a minibatch that was under way is abandoned and will be done again from its start. */
  pause: [nothing, nothing],
  /** Each runs to the end of the current (or next) phase, minibatch or epoch and stands still. */
  stepPhase: [nothing, nothing],
  /** Runs on to the next of: zeroGrad, each layer of forward, loss, each layer of backward, step. */
  stepLayer: [nothing, nothing],
  stepBatch: [nothing, nothing],
  stepEpoch: [nothing, nothing],
  /** Takes effect at the next minibatch boundary. */
  setMode: [z.strictObject({ mode: modeSchema }), nothing],
  /**
   * The run goes on on another engine, from where it stands: weights, the optimiser's state and place stay, and a minibatch
   * under way is given up. `auto`: the fastest, measured now unless that is known. Standing still. Refused as a whole or done
   * as a whole.
   */
  setEngine: [z.strictObject({ engine: engineChoiceSchema }), nothing],
  /**
   * Measures every engine anew on the network of the run, whatever was known; a run on `auto` goes on on the fastest, as by
   * setEngine, and any other where it is. A minibatch under way is given up. Standing still.
   */
  measureEngines: [nothing, nothing],
  /** null: flat out. */
  setSpeed: [z.strictObject({ stepsPerSecond: z.number().positive().nullable() }), nothing],
  /**
   * Replaces all breakpoints. They hold `play` and `stepEpoch`, for every client and every run until they are replaced; the
   * other steps have a place of their own to go to.
   */
  setBreakpoints: [z.strictObject({ breakpoints: breakpointsSchema }), nothing],
  /** A new run at step 0, standing still. Payload: weights to start from (safetensors), or empty. Refused as a whole or done as a whole. */
  restart: [
    z.strictObject({ config: runConfigSchema, weightsFile: fileNameSchema.nullable() }),
    z.strictObject({ runId: count, remark: remarkSchema }),
  ],
  /** More epochs for a finished run; leaves it standing still. */
  continue: [z.strictObject({ epochs: z.int().positive() }), nothing],
  /** Chooses a test image for digitOutput, digitError and digitProbabilities. Reply payload: its pixel bytes, row-major. */
  chooseDigit: [
    z.strictObject({ testIndex: count }),
    z.strictObject({ testIndex: count, label: count, height: count, width: count }),
  ],
  /** Chooses which example of the minibatch, counted from 0, this client sees in `output`, `error` and `mask`; 0 at first. */
  chooseExample: [z.strictObject({ example: count }), nothing],
  /**
   * Puts a digit drawn by hand in the place of the test image. Payload: its pixel bytes, row-major, of the dataset's height
   * and width. It has no label, and digitError needs one: `assumedLabel`, or when that is null the class that the network
   * says at the time (the first of the most probable).
   */
  drawDigit: [
    z.strictObject({ assumedLabel: count.nullable() }),
    z.strictObject({ assumedLabel: count.nullable(), height: count, width: count }),
  ],
  /** Replaces every weight, standing still, at a minibatch boundary; optimiser state is cleared. Payload: safetensors. */
  loadWeights: [z.strictObject({ fileName: fileNameSchema }), z.strictObject({ remark: remarkSchema })],
  /** Reply payload: safetensors. */
  saveWeights: [nothing, z.strictObject({ step: count, weightsSha256: z.string() })],
  /** Sets one value of a parameter by hand (flat index, PyTorch's layout), standing still: an experiment. NaN is allowed. */
  setWeight: [z.strictObject({ name: nameSchema, index: count, value: wireNumberSchema }), nothing],
  /**
   * One whole tensor as it is now. Reply payload: float32. `activation` (output), `error` (dL/d output) and `mask`
   * (dropout: 0 or 1/(1-rate); other layers have none) are of a layer and the whole minibatch, (n, ...), and only there
   * while standing inside a step after they were computed.
   */
  readTensor: [
    z.strictObject({
      name: nameSchema,
      kind: z.enum(['weight', 'gradient', 'update', 'activation', 'error', 'mask']),
    }),
    z.strictObject({
      shape: listOf(count),
      step: count,
      phase: phaseSchema.nullable(),
      freshness: freshnessSchema,
    }),
  ],
  /**
   * What the last finished step did to the loss of its own minibatch, under its own dropout masks: the mean loss at W + a dW
   * for several shares a of the step (0: before it, 1: after it). `slope` is g . dW, the change that the slope promises for
   * the whole step, and `slopes` the part of each layer; `curvature` is dW . H . dW of the parabola with that loss and slope
   * at 0 that fits the points up to twice the step. Standing, it is measured at once; running, after the next steps, as seldom as the trainer likes.
   */
  measureStep: [
    nothing,
    z.strictObject({
      step: z.int().positive(),
      examples: z.int().positive(),
      points: listOf(z.strictObject({ share: z.number(), loss: wireNumberSchema })),
      slopes: listOf(z.strictObject({ layer: z.string(), slope: wireNumberSchema })),
      slope: wireNumberSchema,
      curvature: wireNumberSchema,
    }),
  ],
  /**
   * The arithmetic behind one value, in numbers (explanation.ts says in which forms); only while training stands, and it
   * changes nothing. `gradient` and `update` are of a parameter; `output` and `error` of a layer for one `example` of the
   * minibatch under way; `digitOutput` and `digitError` for the chosen digit. `index` is flat, in the tensor of one example.
   * `example` counts for `output` and `error` only.
   */
  explain: [
    z.strictObject({ name: nameSchema, kind: explainedKindSchema, index: count, example: count }),
    explanationSchema,
  ],
  /**
   * One kernel (`input` null: a unit of a dense layer) at some steps of the run so far. Reply payload: float32, column after
   * column, `count` values each: step; L2 norms of the kernel after it, of the gradient applied in it and of the update;
   * share (0..1) of the filter's outputs above zero in its minibatch, dropout on, after the ReLU named by `activeAfter`.
   * NaN where there was none: step 0 has norms of weights only, and without a ReLU there is no share.
   */
  kernelHistory: [
    z.strictObject({ layer: nameSchema, filter: count, input: count.nullable() }),
    z.strictObject({ count, activeAfter: z.string().nullable() }),
  ],
} as const satisfies Record<string, readonly [z.ZodType, z.ZodType]>;

export type RequestName = keyof typeof REQUESTS;
export type RequestParams<N extends RequestName> = z.infer<(typeof REQUESTS)[N][0]>;
export type RequestResult<N extends RequestName> = z.infer<(typeof REQUESTS)[N][1]>;
export const REQUEST_NAMES = Object.keys(REQUESTS) as [RequestName, ...RequestName[]];

const requestSchema = z.strictObject({
  type: z.literal('request'),
  id: count,
  method: z.string(),
  params: z.record(z.string(), z.unknown()),
});

export const pageMessageSchema = z.discriminatedUnion('type', [
  helloSchema,
  watchSchema,
  creditSchema,
  visibilitySchema,
  requestSchema,
]);
export type PageMessage = z.infer<typeof pageMessageSchema>;

// ---------------------------------------------------------------- trainer -> page

/**
 * The chosen digit. A test image has a number and a label, one drawn by hand neither; that may have an assumed label (see
 * drawDigit). Pixels: row-major bytes, base64.
 */
const chosenDigitSchema = z.strictObject({
  testIndex: count.nullable(),
  label: count.nullable(),
  assumedLabel: count.nullable(),
  pixels: z.string(),
});

export const engineInfoSchema = z.strictObject({
  name: z.string(),
  /** What of it runs, for people: "SIMD", "plain JavaScript". */
  variant: z.string(),
  /** Library -> version. */
  versions: z.record(z.string(), z.string()),
  /** Why this engine: "asked for", or what auto found. */
  chosenBecause: z.string(),
});

const sampleSchema = z.strictObject({
  index: count,
  label: count,
  /** row-major bytes, base64 */ pixels: z.string(),
});

export const datasetInfoSchema = z.strictObject({
  name: z.string(),
  trainExamples: count,
  testExamples: count,
  height: count,
  width: count,
  classes: count,
  /** A few training images to show. */
  samples: listOf(sampleSchema),
});
export type DatasetInfo = z.infer<typeof datasetInfoSchema>;

/** First message after hello, and again whenever a new run begins. The run's metrics and evaluations so far follow at once. */
const readySchema = z.strictObject({
  type: z.literal('ready'),
  protocol: z.int(),
  runId: count,
  trainer: z.strictObject({ name: z.string(), version: z.string() }),
  engine: engineInfoSchema,
  /** Engines that can be asked for. */
  engines: listOf(z.enum(ENGINE_NAMES)),
  /** What is known of their speed on this network, as in `engine`. */
  engineTable: listOf(engineSpeedSchema).default([]),
  dataset: datasetInfoSchema,
  recipes: listOf(recipeSchema),
  config: runConfigSchema,
  network: networkSpecSchema,
  /** Names of the columns of every `metrics` message of this run. */
  metricColumns: listOf(z.string()),
  /** The chosen digit. */
  digit: chosenDigitSchema,
  /** Trainer's clock, ms since 1970; the page finds the offset to its own with it. */
  clockMs: z.number(),
  /** The trainer says something at least so often, a `status` again when there is nothing new; null: only while it runs. */
  heartbeatMs: z.number().positive().nullable().default(null),
});
export type Ready = z.infer<typeof readySchema>;

export const runStateSchema = z.enum(['running', 'paused', 'finished', 'failed']);
export type RunState = z.infer<typeof runStateSchema>;

/** Another run with the same config had these weights at this step, or had others. */
const proofSchema = z.strictObject({
  mode: modeSchema,
  step: count,
  same: z.boolean(),
});

/** What of a tensor was not finite. */
const NON_FINITE_KINDS = [
  'input',
  'weight',
  'output',
  'loss',
  'gradient',
  'error',
  'update',
  ...STATE_SLOTS,
] as const;
export type NonFiniteKind = (typeof NON_FINITE_KINDS)[number];

const nonFiniteFields = {
  step: count,
  phase: phaseSchema,
  /** Null: in the images or the loss, or the trainer does not say. */
  layer: z.string().nullable().default(null),
  /** A parameter, a layer, `input` or `loss`. */
  tensor: z.string(),
  /** Null: the trainer does not say. */
  kind: z.enum(NON_FINITE_KINDS).nullable().default(null),
  nan: count,
  infinite: count,
};
const nonFinitePlaceSchema = z.strictObject(nonFiniteFields);

/** Sent at every change and, while running, about four times a second. */
const statusSchema = z.strictObject({
  type: z.literal('status'),
  runId: count,
  state: runStateSchema,
  /** Finished steps. */
  step: count,
  /** Epoch under way, counted from 1; when finished, the last one. */
  epoch: count,
  epochs: count,
  stepInEpoch: count,
  stepsPerEpoch: count,
  /** Last finished phase, or with `layer` the one under way; null before the first. */
  phase: phaseSchema.nullable(),
  /** Name of the layer at which training stands inside forward or backward. */
  layer: z.string().nullable(),
  mode: modeSchema,
  /** In the order of a step. */
  breakpoints: breakpointsSchema.default([]),
  /** The one that made training stand where it stands. */
  stoppedAt: breakpointSchema.nullable().default(null),
  stepsPerSecondLimit: z.number().positive().nullable(),
  /** Measured over the last second or so; null when standing. */
  stepsPerSecond: z.number().nullable(),
  imagesPerSecond: z.number().nullable(),
  /** On which the engine runs now; null: not known. */
  threads: z.int().positive().nullable().default(null),
  /** Share of the time of a step that each phase took lately, adding up to 1; null before the first step. */
  phaseShares: z.record(phaseSchema, z.number()).nullable(),
  /**
   * In mode `fit`, ms a step lately: `ownMs` in fit() itself, outside of the operations that both loops call; `stepMs` with
   * these. Standing and giving pictures count in neither. Null: not known.
   */
  fitTime: z
    .strictObject({ ownMs: z.number().min(0), stepMs: z.number().min(0) })
    .nullable()
    .default(null),
  /**
   * Minibatch that is under way (standing inside a step) or was the last: its step, counted from 1, the training images in
   * it and their labels (null: the trainer does not say); its mean loss while one stands inside its step after the loss.
   */
  minibatch: z
    .strictObject({
      step: count,
      indices: listOf(count),
      labels: listOf(count).nullable().default(null),
      loss: wireNumberSchema.nullable().default(null),
    })
    .nullable(),
  /** Of the weights now; known when standing at a minibatch boundary and at the end of each epoch. */
  weightsSha256: z.strictObject({ step: count, value: z.string() }).nullable(),
  proof: proofSchema.nullable(),
  /** Progress of a test run under way, 0..1. */
  testing: z.number().min(0).max(1).nullable(),
  failure: z.strictObject({ code: z.enum(ERROR_CODES), message: sentenceSchema }).nullable(),
  /** What `nonFinite` said last; null: none, or the weights that had it were made sound since. Absent: the trainer does not say. */
  nonFinite: nonFinitePlaceSchema.nullable().optional(),
});
export type Status = z.infer<typeof statusSchema>;

const layoutSchema = z.strictObject({
  type: z.literal('layout'),
  layoutId: count,
  slots: listOf(slotSchema),
});
export type Layout = z.infer<typeof layoutSchema>;

/**
 * Binary. Payload: float32 little-endian, the slots of the layout one after the other; slots at its end that are `notYet`
 * may be left out. Spends one credit.
 */
const frameSchema = z.strictObject({
  type: z.literal('frame'),
  runId: count,
  layoutId: count,
  /** Finished steps when it was taken. */
  step: count,
  /** As in `status`. */
  phase: phaseSchema.nullable(),
  layer: z.string().nullable().default(null),
  /** Which example of the minibatch `output`, `error` and `mask` are of; null: not standing inside a step. */
  example: count.nullable().default(null),
  /**
   * Trainer's clock when the newest values in it were computed; null for a picture taken while nothing changes (paused, during
   * a test, before a step that the speed limit holds back): when that was says nothing of how late pictures come.
   */
  appliedAtMs: z.number().nullable(),
  /** Pictures that were not taken since the last frame to this page because it had no credit. */
  skipped: count,
  slots: slotStatesSchema,
});
export type FrameHead = z.infer<typeof frameSchema>;

/**
 * Binary; lossless, in order, nothing left out. Payload: float32, column after column as named in `ready`, `count` values
 * each, one for each step from `firstStep` on. `loss` is that of the minibatch before the update; `runningLoss` and
 * `runningAccuracy` (0..1) are over the epoch so far with dropout on; `weightNorm:conv1` etc. are L2 norms of the layer's
 * weights (without bias) after the step, `gradientNorm:` of the gradient applied in it, `updateNorm:` of the update.
 */
const metricsSchema = z.strictObject({
  type: z.literal('metrics'),
  runId: count,
  firstStep: count,
  count: count,
  /**
   * Steps that a row is of; more than one only in the first message of a run that began long ago. Then `count` means of each
   * column are followed by as many lowest and as many highest values.
   */
  stride: z.int().min(1).default(1),
});

/** Lossless. Test loss and accuracy (0..1) with dropout off. */
const evaluationSchema = z.strictObject({
  type: z.literal('evaluation'),
  runId: count,
  step: count,
  /** Finished epochs; null within an epoch. */
  epoch: count.nullable(),
  loss: wireNumberSchema,
  accuracy: z.number(),
  examples: count,
  /** At the end of an epoch: that epoch's running training loss and accuracy and speed. */
  runningLoss: wireNumberSchema.nullable(),
  runningAccuracy: z.number().nullable(),
  imagesPerSecond: z.number().nullable(),
});
export type Evaluation = z.infer<typeof evaluationSchema>;

/**
 * Where the first NaN or infinity was met since the run began, or since the weights that had one were made sound by hand.
 */
const nonFiniteSchema = z.strictObject({
  type: z.literal('nonFinite'),
  runId: count,
  ...nonFiniteFields,
});
export type NonFinite = z.infer<typeof nonFinitePlaceSchema>;

/**
 * Lossless. Weights were changed otherwise than by training, after `step`: all of them from a file (`name`: of the file; what
 * the optimiser remembers is cleared), or one value of the parameter `name` by hand. Tests, norms and gradients that were
 * told before are those of other weights.
 */
const weightsReplacedSchema = z.strictObject({
  type: z.literal('weightsReplaced'),
  runId: count,
  step: count,
  source: z.enum(['file', 'value']),
  name: z.string(),
});
export type WeightsReplaced = z.infer<typeof weightsReplacedSchema>;

/** Another digit was chosen or drawn, by whichever page: from now on the digit slots are of it. */
const digitSchema = z.strictObject({
  type: z.literal('digit'),
  runId: count,
  ...chosenDigitSchema.shape,
});

/** The run goes on on another engine, or more is known of the engines there are; takes the place of what `ready` said. */
const engineSchema = z.strictObject({
  type: z.literal('engine'),
  runId: count,
  engine: engineInfoSchema,
  /** What was asked for, by whoever asked last: takes the place of `config.engine`. */
  choice: engineChoiceSchema,
  /** In the order in which engines are preferred; empty: not measured on this network. */
  engineTable: listOf(engineSpeedSchema),
});

const replySchema = z.strictObject({
  type: z.literal('reply'),
  id: count,
  error: z.strictObject({ code: z.enum(ERROR_CODES), message: sentenceSchema }).nullable(),
  result: z.record(z.string(), z.unknown()),
});

/** The last message before the trainer closes the connection. */
const goodbyeSchema = z.strictObject({
  type: z.literal('goodbye'),
  code: z.enum(ERROR_CODES),
  message: sentenceSchema,
});

export const trainerMessageSchema = z.discriminatedUnion('type', [
  readySchema,
  statusSchema,
  layoutSchema,
  frameSchema,
  metricsSchema,
  evaluationSchema,
  nonFiniteSchema,
  weightsReplacedSchema,
  digitSchema,
  engineSchema,
  replySchema,
  goodbyeSchema,
]);
export type TrainerMessage = z.infer<typeof trainerMessageSchema>;

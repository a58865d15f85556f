import { z } from 'zod';
import { listOf } from '../json/list-of';
import { optimiserSchema, STATE_SLOTS } from '../model/optimiser';
import { wireNumberSchema } from './wire-number';

/**
 * How one value of a tensor came about, in numbers that can be checked by hand. `value` is what the tensor holds, `sum` what
 * the shown arithmetic gives in float64. They differ by rounding only: by at most `roundingBound`, which is in proportion to
 * `absolute`, the sum of the absolute terms.
 */

const count = z.int().min(0);
const number = wireNumberSchema;

const result = {
  value: number,
  sum: number,
  absolute: number,
  /** Step the value belongs to. */ step: count,
};
/** Products that were added, and how many of them are exactly zero. A bias is not counted. */
const counts = { terms: count, zeros: count };

/** Where a window lies: row and column of the map at its top left, negative where it sticks out into the padding. */
const corner = z.tuple([z.int(), z.int()]);
/** Rows top to bottom - 1 and columns left to right - 1 of the window are in the map. */
const inside = z.strictObject({ top: count, left: count, bottom: count, right: count });

/**
 * Of a convolution: a window of a map for each plane, times a kernel for each plane. Payload: the windows, then the kernels,
 * each (planes, height, width). Where the window sticks out of the map (outside `inside`) there is no term; the payload has a zero.
 * - an output: planes are the input maps; plus `bias`
 * - the error of a layer before a convolution: planes are the filters; the windows are of their errors, the kernels are turned
 *   by 180 degrees, and of those of a stride above 1 only the values that reach the place are there
 */
const windowSchema = z.strictObject({
  form: z.literal('window'),
  left: z.enum(['input', 'error']),
  planes: z.int().positive(),
  height: z.int().positive(),
  width: z.int().positive(),
  corner,
  inside,
  planeSums: listOf(number),
  bias: number.nullable(),
  ...counts,
  ...result,
});

/**
 * A long sum of products left x right, by its largest terms, the largest first; `rest` is the sum of all others. `place` has
 * one number for each of `axes`.
 * - output of a dense layer: input x weight, plus `bias`; place: the input
 * - error of a layer before a dense one: its errors x weight; place: the unit
 * - gradient of a weight: error x input; place: example, for a convolution also row and column of the output
 * - gradient of a bias: error alone, `right` null; place as for a weight
 */
const termsSchema = z.strictObject({
  form: z.literal('terms'),
  left: z.enum(['input', 'error']),
  right: z.enum(['weight', 'input']).nullable(),
  axes: listOf(z.enum(['example', 'row', 'column', 'input', 'unit'])),
  largest: listOf(
    z.strictObject({ place: listOf(count), left: number, right: number.nullable(), product: number }),
  ),
  rest: number,
  bias: number.nullable(),
  ...counts,
  ...result,
});

/** Output of a max-pool. Payload: its window, (height, width); `winner` is the place in it that won, row-major. */
const maximumSchema = z.strictObject({
  form: z.literal('maximum'),
  height: z.int().positive(),
  width: z.int().positive(),
  corner,
  inside,
  winner: count,
  ...result,
});

/** Output of an average pool: the sum of its window / (height x width); the padding counts as zeros. Payload: the window. */
const meanSchema = z.strictObject({
  form: z.literal('mean'),
  height: z.int().positive(),
  width: z.int().positive(),
  corner,
  inside,
  ...result,
});

/**
 * A value passed on: `factor` x `operand`, which is value `from` of the layer before (of an error: of the layer after).
 * - relu, leakyRelu: factor 1, or 0 or the slope, by `decidedBy`, the input (of an error: the output)
 * - sigmoid, tanh: that function of the operand, factor null; of an error the factor is the slope at `decidedBy`, the output
 * - dropout: the factor of the mask; 1 where dropout is off
 * - flatten: 1
 */
const passedSchema = z.strictObject({
  form: z.literal('passed'),
  rule: z.enum(['relu', 'leakyRelu', 'sigmoid', 'tanh', 'dropout', 'flatten']),
  direction: z.enum(['forward', 'backward']),
  operand: number,
  from: count,
  factor: number.nullable(),
  decidedBy: number.nullable(),
  ...result,
});

/**
 * An error that came back through windows: the sum of factor x operand over all windows that the value is in, `operand` being the
 * error of value `from` of the layer after.
 * - maxPool: factor 1 where the value won the window, else 0
 * - averagePool: factor 1 / size^2
 * Without shares no window reaches the value, and nothing comes back; only so for a convolution (conv2d).
 */
const sharesSchema = z.strictObject({
  form: z.literal('shares'),
  rule: z.enum(['maxPool', 'averagePool', 'conv2d']),
  shares: listOf(z.strictObject({ from: count, operand: number, factor: number })),
  ...result,
});

/**
 * Error of the logits: (probability - target) / examples of the minibatch. Where the loss takes the probabilities for logits and
 * applies softmax `again`: probability x (again.probability - target - again.mean) / examples, where `mean` is the sum over the
 * classes of probability x (again.probability - target).
 */
const lossSchema = z.strictObject({
  form: z.literal('loss'),
  probability: number,
  /** 1 for the class of the label, else 0. */
  target: count,
  /** Of the second softmax, where there is one. */
  again: z.strictObject({ probability: number, mean: number }).nullable(),
  examples: z.int().positive(),
  ...result,
});

/**
 * One value's part in the last update, by the formulas of src-shared/model/optimiser.ts, in float64. `count` is the number of the
 * update since the optimiser's state was zero (t); `decayed` is gradient + weightDecay x weightBefore (d); for each slot of the state
 * `sum` is what the formula makes of `before` and `decayed`, `after` the tensor's own; `direction`, from the state after, is what the
 * learning rate is multiplied by, and `weightSum` is weightBefore - learningRate x direction. `weightAfter` and `update` (W after - W
 * before) are the tensors' own.
 */
const updateSchema = z.strictObject({
  form: z.literal('update'),
  optimiser: optimiserSchema,
  count: z.int().positive(),
  gradient: number,
  decayed: number,
  state: listOf(z.strictObject({ slot: z.enum(STATE_SLOTS), before: number, sum: number, after: number })),
  direction: number,
  weightBefore: number,
  weightSum: number,
  weightAfter: number,
  update: number,
  step: count,
});

export const explanationSchema = z.discriminatedUnion('form', [
  windowSchema,
  termsSchema,
  maximumSchema,
  meanSchema,
  passedSchema,
  sharesSchema,
  lossSchema,
  updateSchema,
]);
export type Explanation = z.infer<typeof explanationSchema>;
export type ExplanationOf<F extends Explanation['form']> = Extract<Explanation, { form: F }>;

export const explainedKindSchema = z.enum([
  'gradient',
  'update',
  'output',
  'error',
  'digitOutput',
  'digitError',
]);
export type ExplainedKind = z.infer<typeof explainedKindSchema>;

/** Half the distance from 1 to the next float32: the largest relative error of one rounded operation. */
const HALF_UNIT = 2 ** -24;
/** Of one operation or a few, or of an exponential by a polynomial, which is good to two units. */
const FEW_OPERATIONS = 1e-6;
/** About the smallest float32 that has all its digits. */
const SMALLEST = 1e-37;

/**
 * How far `value` and `sum` can be apart by float32 rounding alone. A sum of n products, whatever its order, is off by at most
 * (n + 1) 2^-24 of its absolute terms to first order: each is rounded once as a product, and once in each addition after it
 * (Higham, Accuracy and Stability of Numerical Algorithms, 3.1 and 4.2). Everything else takes a few operations.
 */
export function roundingBound(explanation: Exclude<Explanation, { form: 'update' }>): number {
  const share = Math.max(FEW_OPERATIONS, (operandsOf(explanation) + 3) * HALF_UNIT);
  return share * Number(explanation.absolute) + SMALLEST;
}

function operandsOf(explanation: Exclude<Explanation, { form: 'update' }>): number {
  switch (explanation.form) {
    case 'window':
    case 'terms':
      return explanation.terms;
    case 'mean':
      return explanation.height * explanation.width;
    case 'shares':
      return explanation.shares.length;
    case 'maximum':
    case 'passed':
    case 'loss':
      return 1;
  }
}

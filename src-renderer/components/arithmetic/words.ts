import {
  roundingBound,
  type Explanation,
  type ExplanationOf,
} from '../../../src-shared/protocol/explanation';
import { fromWireNumber, toWireNumber } from '../../../src-shared/protocol/wire-number';
import { formatCount, formatPrecise, formatSetting } from '../../scene/numbers';

type Passed = ExplanationOf<'passed'>;
type Shares = ExplanationOf<'shares'>;

const n = (value: Parameters<typeof fromWireNumber>[0]): string => formatPrecise(fromWireNumber(value), 4);

/** The whole arithmetic of a value in one line, with the tensor's own value beside it. */
export function sumSentence(explanation: Explanation): string {
  switch (explanation.form) {
    case 'window':
    case 'terms': {
      const { terms, sum, bias, value } = explanation;
      const what = explanation.form === 'terms' && explanation.right === null ? 'errors' : 'products';
      if (bias === null) return `sum of ${formatCount(terms)} ${what} = ${n(sum)}; tensor ${n(value)}`;
      const products = fromWireNumber(sum) - fromWireNumber(bias);
      return `sum of ${formatCount(terms)} ${what} ${n(products)} + bias ${n(bias)} = ${n(sum)}; tensor ${n(value)}`;
    }
    case 'maximum': {
      const { inside, sum, value } = explanation;
      const count = (inside.bottom - inside.top) * (inside.right - inside.left);
      return `largest of ${formatCount(count)} = ${n(sum)}; tensor ${n(value)}`;
    }
    case 'mean': {
      const { height, width, sum, value } = explanation;
      const count = height * width;
      const total = fromWireNumber(sum) * count;
      return `sum ${n(toWireNumber(total))} / ${formatCount(count)} = ${n(sum)}; tensor ${n(value)}`;
    }
    case 'shares':
      return `${sharesWords(explanation)} = ${n(explanation.sum)}; tensor ${n(explanation.value)}`;
    case 'passed':
      return `${passedWords(explanation)} = ${n(explanation.sum)}; tensor ${n(explanation.value)}`;
    case 'loss': {
      const { probability, target, again, examples, sum, value } = explanation;
      const made =
        again === null
          ? `(probability ${n(probability)} \u2212 target ${String(target)})`
          : `probability ${n(probability)} \u00d7 (second softmax ${n(again.probability)} \u2212 target ` +
            `${String(target)} \u2212 mean ${n(again.mean)})`;
      return `${made} / ${examplesWords(examples)} = ${n(sum)}; tensor ${n(value)}`;
    }
    case 'update': {
      const { update, weightBefore, weightAfter } = explanation;
      const difference = fromWireNumber(weightAfter) - fromWireNumber(weightBefore);
      return (
        `dW = W after ${weight(weightAfter)} \u2212 W before ${weight(weightBefore)} = ` +
        `${n(toWireNumber(difference))}; tensor ${n(update)}`
      );
    }
  }
}

const examplesWords = (count: number): string => `${formatCount(count)} example${count === 1 ? '' : 's'}`;

function passedWords({ rule, direction, operand, factor }: Passed): string {
  if (rule === 'relu' && direction === 'forward') return `max(0, ${n(operand)})`;
  if (factor === null) return `${rule}(${n(operand)})`;
  return `${n(factor)} \u00d7 ${n(operand)}`;
}

/** At most so many products are written out. */
const MOST_SHARES = 4;

function sharesWords({ shares }: Shares): string {
  const parts = shares.filter(({ factor }) => factor !== 0);
  const [first] = shares;
  if (first === undefined) return 'nothing comes back';
  if (parts.length === 0) return `0 \u00d7 ${n(first.operand)}`;
  const written = parts
    .slice(0, MOST_SHARES)
    .map(({ operand, factor }) => `${n(factor)} \u00d7 ${n(operand)}`);
  const left = parts.length - written.length;
  return written.join(' + ') + (left === 0 ? '' : ` + ${String(left)} more`);
}

/** Through which windows an error came back. */
export function sharesReason({ rule, shares }: Shares): string {
  if (shares.length === 0) {
    return `no ${rule === 'conv2d' ? 'kernel' : 'window'} reaches this place, so no error comes back`;
  }
  const won = shares.filter(({ factor }) => factor !== 0).length;
  if (rule !== 'maxPool') {
    return shares.length === 1
      ? 'its share of the error of its window'
      : `its shares of the errors of the ${String(shares.length)} windows it is in`;
  }
  if (shares.length === 1) {
    return won === 1
      ? 'it won its window, so the whole error of the window comes here'
      : 'another value won its window, so no error comes here';
  }
  return won === 0
    ? `other values won the ${String(shares.length)} windows it is in, so no error comes here`
    : `it won ${String(won)} of the ${String(shares.length)} windows it is in: their whole errors come here`;
}

/** Why the factor is what it is. */
export function passedReason({ rule, direction, factor, decidedBy }: Passed): string {
  const passes = factor !== 0;
  switch (rule) {
    case 'relu':
      if (direction === 'forward') return passes ? 'above zero: passed on' : 'not above zero: stopped';
      return `its output is ${n(decidedBy ?? 0)}, ${passes ? 'above zero: the error passes' : 'so the error stops here'}`;
    case 'dropout':
      return factor === 1
        ? 'dropout is off: nothing is changed'
        : passes
          ? 'kept, and scaled up for those that are dropped'
          : 'dropped in this step';
    case 'flatten':
      return 'the same value, laid out in a row';
    case 'leakyRelu': {
      const what = direction === 'forward' ? '' : `its output is ${n(decidedBy ?? 0)}, `;
      return `${what}${factor === 1 ? 'above zero: passed on' : 'not above zero: times the slope'}`;
    }
    case 'sigmoid':
    case 'tanh': {
      if (direction === 'forward') return `${rule} of the value`;
      const slope = rule === 'sigmoid' ? 'y (1 \u2212 y)' : '1 \u2212 y\u00b2';
      return `its output y is ${n(decidedBy ?? 0)}: times the slope there, ${slope}`;
    }
  }
}

/** How far the shown sum and the tensor are apart, and whether rounding to float32 can be why. */
export function differenceWords(explanation: Explanation): string {
  const [sum, value] =
    explanation.form === 'update'
      ? [explanation.weightSum, explanation.weightAfter]
      : [explanation.sum, explanation.value];
  const difference = Math.abs(fromWireNumber(sum) - fromWireNumber(value));
  if (Number.isNaN(difference)) return 'not finite';
  if (difference === 0) return 'the same to the last digit';
  const bound = explanation.form === 'update' ? updateBound(explanation) : roundingBound(explanation);
  const apart = `${formatPrecise(difference, 2)} apart`;
  return difference <= bound
    ? `${apart}: rounding to float32, at most ${formatPrecise(bound, 2)}`
    : `${apart}, but rounding to float32 explains at most ${formatPrecise(bound, 2)}`;
}

/** A weight and what is added to it are rounded a few times. */
const updateBound = ({ optimiser, weightBefore, direction }: Update): number =>
  1e-6 *
    (Math.abs(fromWireNumber(weightBefore)) + Math.abs(optimiser.learningRate * fromWireNumber(direction))) +
  1e-37;

type Update = ExplanationOf<'update'>;
type Line = readonly [formula: string, numbers: string, tensor: string];

/** The rule of the optimiser line by line: the formula, then its numbers, then the tensor's own where there is one. */
export function updateLines(update: Update): readonly Line[] {
  const { optimiser, gradient, decayed, direction, weightBefore, weightSum, weightAfter } = update;
  const { learningRate, weightDecay } = optimiser;
  const lines: Line[] = [];
  if (weightDecay !== 0) {
    const rate = formatSetting(weightDecay);
    lines.push([
      `d = g + ${rate} W`,
      `${n(gradient)} + ${rate} \u00d7 ${weight(weightBefore)} = ${n(decayed)}`,
      '',
    ]);
  }
  const pull = weightDecay === 0 ? 'g' : 'd';
  lines.push(...(optimiser.kind === 'sgd' ? sgdLines(update, pull) : adamLines(update, pull)));
  const moves = optimiser.kind === 'sgd' && !optimiser.nesterov ? 'v' : 's';
  const rate = formatSetting(learningRate);
  lines.push([
    `W = W \u2212 ${rate} ${moves}`,
    `${weight(weightBefore)} \u2212 ${rate} \u00d7 ${n(direction)} = ${weight(weightSum)}`,
    weight(weightAfter),
  ]);
  return lines;
}

function sgdLines({ optimiser, decayed, direction, state }: Update, pull: string): readonly Line[] {
  const [velocity] = state;
  if (optimiser.kind !== 'sgd' || velocity === undefined) return [];
  const keep = formatSetting(optimiser.momentum);
  const { before, sum, after } = velocity;
  const lines: Line[] = [
    optimiser.momentum === 0
      ? [`v = ${pull}`, n(sum), n(after)]
      : [`v = ${keep} v + ${pull}`, `${keep} \u00d7 ${n(before)} + ${n(decayed)} = ${n(sum)}`, n(after)],
  ];
  if (optimiser.nesterov) {
    lines.push([
      `s = ${pull} + ${keep} v`,
      `${n(decayed)} + ${keep} \u00d7 ${n(after)} = ${n(direction)}`,
      '',
    ]);
  }
  return lines;
}

function adamLines({ optimiser, decayed, direction, state, count }: Update, pull: string): readonly Line[] {
  const [first, second] = state;
  if (optimiser.kind !== 'adam' || first === undefined || second === undefined) return [];
  const { beta1, beta2, epsilon } = optimiser;
  const [add1, add2] = [plain(1 - beta1), plain(1 - beta2)];
  const [keep1, keep2] = [formatSetting(beta1), formatSetting(beta2)];
  const t = String(count);
  return [
    [
      `m = ${keep1} m + ${add1} ${pull}`,
      `${keep1} \u00d7 ${n(first.before)} + ${add1} \u00d7 ${n(decayed)} = ${n(first.sum)}`,
      n(first.after),
    ],
    [
      `v = ${keep2} v + ${add2} ${pull}\u00b2`,
      `${keep2} \u00d7 ${n(second.before)} + ${add2} \u00d7 (${n(decayed)})\u00b2 = ${n(second.sum)}`,
      n(second.after),
    ],
    [
      's = m\u0302 / (\u221av\u0302 + \u03b5)',
      `${n(first.after)} / (1 \u2212 ${keep1}^${t}) / (\u221a(${n(second.after)} / (1 \u2212 ` +
        `${keep2}^${t})) + ${formatSetting(epsilon)}) = ${n(direction)}`,
      '',
    ],
  ];
}

/** 1 - 0.9 is 0.1 to the reader. */
const plain = (value: number): string => formatSetting(value);

/** A weight moves by little, so more of its digits are needed to see it move. */
const weight = (value: Parameters<typeof fromWireNumber>[0]): string =>
  formatPrecise(fromWireNumber(value), 7);

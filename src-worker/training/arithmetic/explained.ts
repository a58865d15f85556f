import type { Explanation, ExplanationOf } from '../../../src-shared/protocol/explanation';
import type { TermSum } from './sums';

/** An explanation and the float32 arrays that belong to it. */
export interface Explained {
  readonly explanation: Explanation;
  readonly arrays: readonly Float32Array[];
}

interface PassedParts {
  readonly operand: number;
  readonly from: number;
  readonly factor: number | null;
  readonly decidedBy: number | null;
}

export function passed(
  rule: ExplanationOf<'passed'>['rule'],
  parts: PassedParts,
  {
    value,
    sum,
    absolute = Math.abs(sum),
    step,
  }: { readonly value: number; readonly sum: number; readonly absolute?: number; readonly step: number },
  direction: 'forward' | 'backward' = 'forward',
): Explained {
  return {
    explanation: { form: 'passed', rule, direction, ...parts, value, sum, absolute, step },
    arrays: [],
  };
}

type TermsHead = Pick<ExplanationOf<'terms'>, 'left' | 'right' | 'axes' | 'step'> & {
  readonly bias: number | null;
  readonly value: number;
};

/** @param placeOf a term's place, one number an axis */
export function termsOf(
  sum: TermSum,
  { bias, ...head }: TermsHead,
  placeOf: (place: number) => number[],
): ExplanationOf<'terms'> {
  const { terms, zeros, rest } = sum;
  return {
    form: 'terms',
    ...head,
    bias,
    largest: sum.largest.map(({ place, left, right, product }) => ({
      place: placeOf(place),
      left,
      right: head.right === null ? null : right,
      product,
    })),
    rest,
    terms,
    zeros,
    sum: sum.sum + (bias ?? 0),
    absolute: sum.absolute + Math.abs(bias ?? 0),
  };
}

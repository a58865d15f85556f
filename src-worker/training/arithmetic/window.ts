import type { ExplanationOf } from '../../../src-shared/protocol/explanation';
import type { Explained } from './explained';

/** Two stacks of planes that are multiplied value by value. */
export interface Window
  extends Pick<ExplanationOf<'window'>, 'planes' | 'height' | 'width' | 'corner' | 'inside'> {
  /** (planes, height, width) each */
  readonly left: Float32Array;
  readonly right: Float32Array;
}

export interface WindowHead {
  readonly left: 'input' | 'error';
  readonly bias: number | null;
  readonly value: number;
  readonly step: number;
}

/** The sum of each plane's products and of all, in float64. */
export function addUp({ left, right, ...window }: Window, head: WindowHead): Explained {
  const { planes, height, width, inside } = window;
  const planeSums: number[] = [];
  let terms = 0;
  let zeros = 0;
  let absolute = Math.abs(head.bias ?? 0);
  for (let plane = 0; plane < planes; plane++) {
    let sum = 0;
    for (let row = inside.top; row < inside.bottom; row++) {
      for (let column = inside.left; column < inside.right; column++) {
        const at = (plane * height + row) * width + column;
        const product = left[at]! * right[at]!;
        terms += 1;
        if (product === 0) zeros += 1;
        absolute += Math.abs(product);
        sum += product;
      }
    }
    planeSums.push(sum);
  }
  const sum = planeSums.reduce((all, each) => all + each, head.bias ?? 0);
  const explanation = { form: 'window', ...window, ...head, planeSums, terms, zeros, sum, absolute } as const;
  return { explanation, arrays: [left, right] };
}

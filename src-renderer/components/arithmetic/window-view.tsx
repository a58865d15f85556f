import { useState, type ReactElement } from 'react';
import type { ExplanationOf } from '../../../src-shared/protocol/explanation';
import { fromWireNumber } from '../../../src-shared/protocol/wire-number';
import { formatNumber } from '../../scene/numbers';
import { NumberGrid } from './number-grid';
import { isInsideWindow } from './window-place';

/** A patch times a kernel, number by number, of one plane; and what every plane adds to the sum. */
export function WindowView({
  explanation,
  arrays,
  source,
}: {
  explanation: ExplanationOf<'window'>;
  /** The windows, then the kernels. */
  arrays: Float32Array;
  /** Layer whose maps the windows are of. */
  source: string;
}): ReactElement {
  const { planes, height, width, corner, inside, left: side } = explanation;
  const sums = explanation.planeSums.map(fromWireNumber);
  const [chosen, choose] = useState<number | null>(null);
  const strongestFirst = sums.map((_, plane) => plane).sort((a, b) => size(sums[b]) - size(sums[a]));
  const plane = chosen !== null && chosen < planes ? chosen : (strongestFirst[0] ?? 0);
  const length = height * width;
  const patch = arrays.subarray(plane * length, (plane + 1) * length);
  const kernel = arrays.subarray((planes + plane) * length, (planes + plane + 1) * length);
  const isInside = (index: number): boolean => isInsideWindow(inside, width, index);
  const products = patch.map((value, index) => (isInside(index) ? value * (kernel[index] ?? 0) : 0));
  const word = side === 'input' ? 'input' : 'filter';
  const rows = spanWords('row', corner[0] + inside.top, corner[0] + inside.bottom - 1);
  const columns = spanWords('column', corner[1] + inside.left, corner[1] + inside.right - 1);
  const isWhole = inside.bottom - inside.top === height && inside.right - inside.left === width;
  const silent = planes - strongestFirst.filter((each) => sums[each] !== 0).length;
  return (
    <>
      <p className="source">
        {side === 'input' ? source : `error of ${source}`}
        {(planes > 1 || side === 'error') && ` map ${String(plane)}`}, {rows}, {columns}
        {side === 'error' && '; kernels turned by 180\u00b0'}
        {!isWhole && '; hatched: outside the map'}
      </p>
      <div className="equation">
        <NumberGrid
          name={side === 'input' ? 'input' : 'error'}
          values={patch}
          width={width}
          isInside={isInside}
        />
        <span aria-label="times">×</span>
        <NumberGrid name="weights" values={kernel} width={width} isInside={isInside} />
        <div className="result">
          <span aria-label="equals">=</span>
          <NumberGrid name="products" values={products} width={width} isInside={isInside} />
        </div>
      </div>
      {planes > 1 && (
        <>
          <p className="source">sum of the products of each {word}, strongest first</p>
          <div className="planes" role="group" aria-label={`Products of each ${word}`}>
            {strongestFirst
              .filter((each) => sums[each] !== 0 || each === plane)
              .map((each) => (
                <button
                  key={each}
                  type="button"
                  aria-pressed={each === plane}
                  aria-label={`${word} ${String(each)}: ${formatNumber(sums[each] ?? 0)}`}
                  onClick={() => {
                    choose(each);
                  }}
                >
                  <i>{each}</i> {formatNumber(sums[each] ?? 0)}
                </button>
              ))}
            {silent > 1 && <span>{silent} are zero</span>}
          </div>
        </>
      )}
    </>
  );
}

const spanWords = (word: string, first: number, last: number): string =>
  first === last ? `${word} ${String(first)}` : `${word}s ${String(first)} to ${String(last)}`;

const size = (sum: number | undefined): number =>
  sum === undefined || Number.isNaN(sum) ? Infinity : Math.abs(sum);

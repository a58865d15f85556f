import type { ReactElement } from 'react';
import type { ExplanationOf } from '../../../src-shared/protocol/explanation';
import { fromWireNumber, type WireNumber } from '../../../src-shared/protocol/wire-number';
import { formatCount, formatPrecise } from '../../scene/numbers';

const text = (value: WireNumber): string => formatPrecise(fromWireNumber(value), 4);

/** The column of factors beside it may be called input too. */
const AXIS_WORDS = {
  example: 'example',
  row: 'row',
  column: 'column',
  input: 'number',
  unit: 'unit',
} as const;

/** A long sum by its largest terms, the rest in one line. */
export function TermsView({ explanation }: { explanation: ExplanationOf<'terms'> }): ReactElement {
  const { left, right, axes, largest, rest, bias, terms, zeros, sum, value } = explanation;
  const factors = right === null ? 1 : 3;
  const others = terms - largest.length;
  const wide = axes.length + factors - 1;
  return (
    <table className="terms">
      <thead>
        <tr>
          {axes.map((axis) => (
            <th key={axis} scope="col">
              {AXIS_WORDS[axis]}
            </th>
          ))}
          <th scope="col">{left}</th>
          {right !== null && (
            <>
              <th scope="col">{right}</th>
              <th scope="col">product</th>
            </>
          )}
        </tr>
      </thead>
      <tbody>
        {largest.map((term) => (
          <tr key={term.place.join(' ')}>
            {term.place.map((at, axis) => (
              <td key={axes[axis]} className="place">
                {at}
              </td>
            ))}
            <td>{text(term.left)}</td>
            {term.right !== null && (
              <>
                <td>{text(term.right)}</td>
                <td>{text(term.product)}</td>
              </>
            )}
          </tr>
        ))}
        {others > 0 && (
          <Total
            wide={wide}
            name={
              zeros === terms
                ? `all ${formatCount(terms)} exactly zero`
                : `${formatCount(others)} others, ${formatCount(zeros)} of them exactly zero`
            }
            value={rest}
          />
        )}
        {bias !== null && <Total wide={wide} name="bias" value={bias} />}
        <Total wide={wide} name="sum" value={sum} strong />
        <Total wide={wide} name="tensor" value={value} strong />
      </tbody>
    </table>
  );
}

function Total({
  wide,
  name,
  value,
  strong = false,
}: {
  wide: number;
  name: string;
  value: WireNumber;
  strong?: boolean;
}): ReactElement {
  return (
    <tr className={strong ? 'total strong' : 'total'}>
      <th scope="row" colSpan={wide}>
        {name}
      </th>
      <td>{text(value)}</td>
    </tr>
  );
}

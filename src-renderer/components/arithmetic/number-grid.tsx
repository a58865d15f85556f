import type { ReactElement } from 'react';
import { colourIndex, colourTable, NON_FINITE_INDEX } from '../../scene/colour-table';
import { formatExponent, numberColumn } from '../../scene/numbers';
import { rungOf, rungValue, wholeOf } from '../../scene/scale';
import { useApp } from '../../state/store';

/** Numbers that are neither large nor small are read as they are, others by their common power of ten. */
const STYLE = {
  plain: [-1, 1],
  plainDecimals: (order: number) => (order === -1 ? 3 : 2),
  decimals: 2,
  leading: 1,
  width: 6,
} as const;

/** A few rows of values as numbers on their colours, on a scale of their own. */
export function NumberGrid({
  name,
  values,
  width,
  isInside = () => true,
  outlined = null,
}: {
  name: string;
  values: Float32Array;
  width: number;
  /** Whether there is a value at that index; where there is none the cell stays empty. */
  isInside?: (index: number) => boolean;
  /** Index of the value that matters. */
  outlined?: number | null;
}): ReactElement {
  const theme = useApp(({ view }) => view.theme);
  const { css, text } = colourTable(theme);
  const rung = rungOf([wholeOf(values)]);
  const scale = rung === null ? 1 : rungValue(rung);
  const { exponent, write } = numberColumn(values, STYLE);
  const height = Math.ceil(values.length / width);
  return (
    <table className="numbers">
      <caption>
        {name}
        {exponent !== 0 && <i>, times {formatExponent(exponent)}</i>}
      </caption>
      <tbody>
        {Array.from({ length: height }, (_, row) => (
          <tr key={row}>
            {Array.from({ length: width }, (__, column) => {
              const index = row * width + column;
              if (!isInside(index))
                return <td key={column} className="outside" aria-label="outside the map" />;
              const value = values[index] ?? 0;
              const colour = colourIndex(value, scale);
              const isNumber = colour !== NON_FINITE_INDEX;
              const classes = [outlined === index ? 'outlined' : '', isNumber ? '' : 'not-finite'];
              return (
                <td
                  key={column}
                  className={classes.join(' ').trim() || undefined}
                  style={isNumber ? { background: css[colour], color: text[colour] } : undefined}
                >
                  {write(value)}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

import type { ReactElement } from 'react';
import { colourIndex, colourTable } from '../../scene/colour-table';
import { commonExponent, formatExponent, formatFixed } from '../../scene/numbers';
import { rungOf, rungValue, wholeOf } from '../../scene/scale';
import { useApp } from '../../state/store';

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
  const { exponent, decimals } = digitsFor(values);
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
              return (
                <td
                  key={column}
                  className={outlined === index ? 'outlined' : undefined}
                  style={{ background: css[colour], color: text[colour] }}
                >
                  {formatFixed(value / 10 ** exponent, decimals)}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Numbers that are neither large nor small are read as they are, others by their common power of ten. */
function digitsFor(values: Float32Array): { exponent: number; decimals: number } {
  const exponent = commonExponent(values);
  if (exponent === 0 || exponent === 1) return { exponent: 0, decimals: 2 };
  return exponent === -1 ? { exponent: 0, decimals: 3 } : { exponent, decimals: 2 };
}

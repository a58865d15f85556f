import { useMemo, type ReactElement } from 'react';
import { formatCount } from '../../scene/numbers';
import { useApp } from '../../state/store';
import { DigitCanvas } from './digit-canvas';

export function DataSection(): ReactElement | null {
  const dataset = useApp(({ ready }) => ready?.dataset ?? null);
  const samples = useMemo(
    () =>
      (dataset?.samples ?? []).slice(0, 6).map(({ index, label, pixels }) => ({
        index,
        label,
        bytes: Uint8Array.from(atob(pixels), (character) => character.charCodeAt(0)),
      })),
    [dataset],
  );
  if (dataset === null) return null;
  const { name, trainExamples, testExamples, width, height } = dataset;
  return (
    <section className="section data" aria-label="Data">
      <h2>
        {name}{' '}
        <em>
          {formatCount(trainExamples)} + {formatCount(testExamples)}
        </em>
      </h2>
      <ul className="samples" aria-label="Training images">
        {samples.map(({ index, label, bytes }) => (
          <li key={index}>
            <DigitCanvas
              pixels={bytes}
              width={width}
              height={height}
              label={`Training image ${formatCount(index)}`}
            />
            {label}
          </li>
        ))}
      </ul>
    </section>
  );
}

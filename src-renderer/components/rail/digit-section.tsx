import type { ReactElement } from 'react';
import { formatCount } from '../../scene/numbers';
import { useApp } from '../../state/store';
import { keyHint } from '../keymap';
import { LiveText } from '../live';
import { usePage } from '../page-context';
import { Tip } from '../tip';
import { DigitCanvas } from './digit-canvas';
import { NumberField } from './number-field';
import { mostLikely, Probabilities, probabilitiesOf } from './probabilities';

export function DigitSection(): ReactElement | null {
  const { commands, frames } = usePage();
  const digit = useApp((state) => state.digit);
  const dataset = useApp(({ ready }) => ready?.dataset ?? null);
  if (digit === null || dataset === null) return null;
  const { testIndex, label, pixels } = digit;
  return (
    <section className="section digit" aria-label="Digit">
      <h2>
        Chosen digit <em>of {formatCount(dataset.testExamples)}</em>
      </h2>
      <div className="chosen">
        <DigitCanvas
          pixels={pixels}
          width={dataset.width}
          height={dataset.height}
          label={`Test image ${formatCount(testIndex)}, label ${String(label)}`}
        />
        <div className="tools">
          <div className="tool number">
            <span aria-hidden="true">test</span>
            <NumberField
              label="Test image"
              value={testIndex}
              min={0}
              max={dataset.testExamples - 1}
              onChange={(index) => void commands.chooseDigit(index)}
            />
          </div>
          <div className="pair">
            <Tip text="Previous test image" hint={keyHint('previousDigit')}>
              <button
                type="button"
                className="tool back"
                aria-label="Previous test image"
                onClick={() => void commands.nextDigit(-1)}
              >
                ‹
              </button>
            </Tip>
            <Tip text="Next test image" hint={keyHint('nextDigit')}>
              <button
                type="button"
                className="tool"
                aria-label="Next test image"
                onClick={() => void commands.nextDigit(1)}
              >
                Next <kbd aria-hidden="true">{keyHint('nextDigit')}</kbd>
              </button>
            </Tip>
          </div>
          <p>
            label <b>{label}</b>, says{' '}
            <LiveText
              className="says"
              read={() => {
                const probabilities = probabilitiesOf(frames);
                return probabilities === null ? '–' : mostLikely(probabilities);
              }}
            />
            <br />
            dropout off
          </p>
        </div>
      </div>
      <Probabilities classes={dataset.classes} />
    </section>
  );
}

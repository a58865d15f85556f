import { useId, type ReactElement } from 'react';
import { formatCount } from '../../scene/numbers';
import type { FrameStore } from '../../frames/frame-store';
import { setDrawOpen, toggleSaliency } from '../../state/actions';
import { type Digit, useApp } from '../../state/store';
import { KeyHint } from '../key-hint';
import { keyHint } from '../keymap';
import { LiveText } from '../live';
import { usePage } from '../page-context';
import { Tip } from '../tip';
import { DigitCanvas } from './digit-canvas';
import { NumberField } from './number-field';
import { mostLikely, Probabilities, probabilitiesOf } from './probabilities';
import { FollowChoice, SaliencyCaption, SaliencyPicture } from './saliency';
import { ToolButton } from './tool-button';

/** CSS pixels a pixel of the digit. */
const PIXEL = 3;

const says = (frames: FrameStore): string => {
  const probabilities = probabilitiesOf(frames);
  return probabilities === null ? '–' : mostLikely(probabilities);
};

/** The digit goes through the network less often than there are pictures; then it is said of which step it is. */
function whenSaid(frames: FrameStore): string {
  const view = frames.inWords();
  const state = view?.slot('output', 'digitProbabilities')?.state;
  const isOld = view !== null && state?.freshness === 'old' && state.step < view.step;
  return isOld ? `old, step ${formatCount(state.step)}` : 'dropout off';
}

/** What the digit is, what the network says, and for which class the error column is. */
export function DigitWords({ digit }: { digit: Digit }): ReactElement {
  const { frames } = usePage();
  const { label, assumedLabel } = digit;
  const said = <LiveText className="says" read={() => says(frames)} group="digit" />;
  const when = <LiveText read={() => whenSaid(frames)} group="digit" />;
  if (label !== null) {
    return (
      <p className="words">
        label <b>{label}</b>, says {said}; {when}
      </p>
    );
  }
  return (
    <p className="words">
      drawn, says {said}; {when}
      <br />
      error as if it were {assumedLabel === null ? said : <b>{assumedLabel}</b>}
    </p>
  );
}

export function DigitSection(): ReactElement | null {
  const { commands } = usePage();
  const digit = useApp((state) => state.digit);
  const lastTestIndex = useApp((state) => state.lastTestIndex);
  const saliency = useApp(({ view }) => view.saliency);
  const group = useId();
  const drawOpen = useApp(({ view }) => view.drawOpen);
  const dataset = useApp(({ ready }) => ready?.dataset ?? null);
  if (digit === null || dataset === null) return null;
  const { testIndex, label, pixels } = digit;
  return (
    <section className="section digit" aria-label="Digit">
      <div className="head">
        <h2>Chosen digit</h2>
        <div className="actions">
          <Tip
            text="Which pixels raise the score of a class, and which lower it, if they get more ink"
            hint={keyHint('toggleSaliency')}
          >
            <button
              type="button"
              className="tool pressable"
              aria-pressed={saliency !== null}
              onClick={toggleSaliency}
            >
              Saliency <KeyHint hint={keyHint('toggleSaliency')} />
            </button>
          </Tip>
        </div>
      </div>
      <div className="chosen" data-pair={saliency !== null}>
        <DigitCanvas
          pixels={pixels}
          width={dataset.width}
          height={dataset.height}
          label={
            testIndex === null
              ? 'Digit drawn by hand'
              : `Test image ${formatCount(testIndex)}, label ${String(label)}`
          }
        />
        {saliency !== null && (
          <SaliencyPicture saliency={saliency} height={dataset.height} width={dataset.width} pixel={PIXEL} />
        )}
        <div className="tools">
          {testIndex === null ? (
            <button
              type="button"
              className="tool"
              aria-label={`Back to test image ${formatCount(lastTestIndex)}`}
              onClick={() => void commands.chooseDigit(lastTestIndex)}
            >
              Test image
            </button>
          ) : (
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
          )}
          <div className="pair">
            <ToolButton
              label="Previous test image"
              hint={keyHint('previousDigit')}
              back
              onPress={() => commands.nextDigit(-1)}
            >
              ‹
            </ToolButton>
            <ToolButton
              label="Next test image"
              hint={keyHint('nextDigit')}
              onPress={() => commands.nextDigit(1)}
            >
              Next <KeyHint hint={keyHint('nextDigit')} />
            </ToolButton>
          </div>
          <Tip text="Draw a digit with mouse, pen or keys" hint={keyHint('drawDigit')}>
            <button
              type="button"
              className="tool"
              aria-label="Draw a digit"
              aria-haspopup="dialog"
              aria-expanded={drawOpen}
              onClick={() => {
                setDrawOpen(!drawOpen);
              }}
            >
              Draw <KeyHint hint={keyHint('drawDigit')} />
            </button>
          </Tip>
        </div>
      </div>
      <DigitWords digit={digit} />
      {saliency !== null && (
        <>
          <SaliencyCaption saliency={saliency} />
          <FollowChoice saliency={saliency} group={group} />
        </>
      )}
      <Probabilities classes={dataset.classes} group={group} />
    </section>
  );
}

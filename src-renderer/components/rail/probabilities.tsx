import { useRef, type ReactElement } from 'react';
import type { FrameStore } from '../../frames/frame-store';
import { formatPercent } from '../../scene/numbers';
import { showSaliency } from '../../state/actions';
import { useApp } from '../../state/store';
import { useWords } from '../live';
import { usePage } from '../page-context';
import { setFilled, setText } from '../set-text';

export const probabilitiesOf = (frames: FrameStore): Float32Array | null =>
  frames.inWords()?.slot('output', 'digitProbabilities')?.values ?? null;

/** The class with the largest probability; `NaN` when one of them is not a number. */
export function mostLikely(probabilities: Float32Array): string {
  let best = 0;
  for (let index = 0; index < probabilities.length; index += 1) {
    const value = probabilities[index] ?? NaN;
    if (Number.isNaN(value)) return 'NaN';
    if (value > (probabilities[best] ?? 0)) best = index;
  }
  return String(best);
}

/**
 * What the network makes of the chosen digit, a bar a class, straight from each frame to the page. While the saliency is shown,
 * its class is chosen on the bars.
 *
 * @param group name of the radio buttons, of which there is one a bar
 */
export function Probabilities({ classes, group }: { classes: number; group: string }): ReactElement {
  const { frames } = usePage();
  const list = useRef<HTMLDivElement>(null);
  const painted = useRef(-1);
  const saliency = useApp(({ view }) => view.saliency);
  useWords(() => {
    const { current } = list;
    const frame = frames.inWords();
    const values = probabilitiesOf(frames);
    if (current === null || frame === null || values === null || frame.serial === painted.current) return;
    painted.current = frame.serial;
    const best = mostLikely(values);
    for (let index = 0; index < current.children.length; index += 1) {
      paintRow(
        current.children.item(index)?.firstElementChild ?? null,
        values[index] ?? NaN,
        String(index) === best,
      );
    }
  }, 'digit');
  return (
    <div className="probabilities" ref={list} role="group" aria-label="Probabilities">
      {Array.from({ length: classes }, (_, index) => (
        <div key={index} className="row">
          <div role="meter" aria-label={String(index)} aria-valuemin={0} aria-valuemax={1} aria-valuenow={0}>
            <i>{index}</i>
            <u>
              <s />
            </u>
            <span>–</span>
          </div>
          {saliency !== null && (
            <input
              type="radio"
              name={group}
              aria-label={`Saliency of class ${String(index)}`}
              checked={saliency === index}
              onChange={() => {
                showSaliency(index);
              }}
            />
          )}
        </div>
      ))}
    </div>
  );
}

/** `99.9 %` has the room; `100 %` needs no more. */
const PERCENT_WIDTH = 6;

/** About a pixel of the bar. */
const LEAST_SHARE = 0.01;

function paintRow(row: Element | null, share: number, isBest: boolean): void {
  const bar = row?.querySelector('s') ?? null;
  const figure = row?.lastElementChild ?? null;
  if (row === null || bar === null || figure === null) return;
  row.classList.toggle('best', isBest);
  row.classList.toggle('bad', Number.isNaN(share));
  // The bar of nothing at all is still a line.
  setFilled(bar, Number.isNaN(share) ? 1 : Math.max(share, LEAST_SHARE));
  const text = formatPercent(share, 1, PERCENT_WIDTH);
  if (figure.textContent === text) return;
  setText(figure, text);
  // Never with an exponent, which is no number to screen readers.
  row.setAttribute('aria-valuenow', String(Number.isNaN(share) ? 0 : Math.round(share * 1e4) / 1e4));
  row.setAttribute('aria-valuetext', text);
}

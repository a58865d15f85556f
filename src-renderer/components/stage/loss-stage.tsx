import { useRef, type ReactElement } from 'react';
import { exampleLoss, LOSS_STEPS, strengthText, type LossKind } from '../../scene/loss';
import { formatExponent, formatFixed, formatNumber, formatScale, numberColumn } from '../../scene/numbers';
import { rungFor, rungValue } from '../../scene/scale';
import { norm } from '../../scene/statistics';
import { appStore, useApp } from '../../state/store';
import { useWords } from '../live';
import { usePage } from '../page-context';
import { setText } from '../set-text';
import { lossView, type LossView } from './loss-view';
import './loss-stage.css';

/**
 * The loss of one image and the error that leaves it, class by class: of an example while training stands at the loss, else
 * of the chosen digit. Where the loss is not the right one, what the right one would send stands beside it.
 */
export function LossStage(): ReactElement | null {
  const kind = useApp(({ plan }) => plan?.spec.loss ?? null);
  const classes = useApp(({ plan }) => plan?.classes ?? 0);
  const { frames } = usePage();
  const root = useRef<HTMLDivElement>(null);
  const written = useRef('');
  useWords(() => {
    const { current } = root;
    if (current === null) return;
    const state = appStore.getState();
    const frame = frames.inWords();
    // A picture may come before the status that says which labels its minibatch has.
    const step = state.status?.minibatch?.step ?? 0;
    const key = [frame?.serial, frame?.runId, step, state.digit?.label, kind].join();
    if (key === written.current) return;
    written.current = key;
    writeWords(current, lossView(frame, state));
  });
  if (kind === null) return null;
  const isRight = kind === 'softmaxCrossEntropy';
  return (
    <div className="stage loss-stage" ref={root} data-right={isRight}>
      <h2>
        <span data-word="title" />
        <em data-word="loss" />
      </h2>
      <p className="of">
        <span data-word="whose" />
        <em>{LOSS_STEPS[kind].join(', ')}</em>
      </p>
      <p className="verdict" data-word="verdict" />
      <table aria-label="Error of the logits">
        <thead>
          <tr>
            <th scope="col">
              <span className="unseen">class</span>
            </th>
            <th scope="col" title="Logit: what the last layer gives">
              z
            </th>
            <th scope="col" title="Probability: softmax of the logits">
              p
            </th>
            <th scope="col" title="1 for the label, else 0">
              y
            </th>
            <th className="scale" data-word="scale" aria-hidden="true" />
            <th scope="col">{isRight ? 'dL/dz' : 'sent'}</th>
            {!isRight && <th scope="col">right</th>}
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: classes }, (_, index) => (
            <Row key={index} index={index} isRight={isRight} />
          ))}
        </tbody>
      </table>
      <p className="both">
        <em data-word="unit" />
        {!isRight && <i />} <span data-word="sent" />
        {!isRight && (
          <>
            <br />
            <i className="thin" /> <span data-word="right" />
          </>
        )}
      </p>
      <p className="hint">{explanation(kind, classes)}</p>
      <p className="hint" data-word="mean" />
    </div>
  );
}

function Row({ index, isRight }: { index: number; isRight: boolean }): ReactElement {
  return (
    <tr>
      <th scope="row">{index}</th>
      <td />
      <td />
      <td />
      <td className="bars" aria-hidden="true">
        <s />
        {!isRight && <s />}
      </td>
      <td />
      {!isRight && <td />}
    </tr>
  );
}

function explanation(kind: LossKind, classes: number): string {
  if (kind === 'softmaxCrossEntropy') {
    return `Softmax and logarithm together send back ${ERROR}: all that is wrong with the answer, nothing where it is right.`;
  }
  const certain = Float32Array.from({ length: classes }, (_, index) => (index === 0 ? 1 : 0));
  const floor = formatFixed(exampleLoss(kind, certain, 0), 2);
  return (
    'Softmax is applied twice, so each error is multiplied by p once more: a class with a small p hardly learns. ' +
    `Even a perfect answer has a loss of ${floor}.`
  );
}

/** Characters of a logit or a probability. */
const FIGURE_WIDTH = 5;

/** Numbers of a hundredth and more read best as they are. */
const ERROR_STYLE = {
  plain: [-1, 0],
  plainDecimals: () => 3,
  decimals: 2,
  leading: 2,
  width: 6,
} as const;

/** p - y, in one piece wherever a line ends. */
const ERROR = 'p\u00a0−\u00a0y';

/** Writes what the picture says into the cells that React made. */
function writeWords(root: HTMLElement, view: LossView | null): void {
  const write = (word: string, text: string): void => {
    setText(root.querySelector(`[data-word="${word}"]`), text);
  };
  const isDigit = view === null || view.example === null;
  write('title', isDigit ? 'Loss of the chosen digit' : 'Standing at the loss');
  write('loss', view === null ? '' : `loss ${formatNumber(view.loss)}`);
  write('whose', view === null ? 'not computed yet' : whoseText(view));
  if (view === null) return;
  const isRight = root.dataset['right'] === 'true';
  const errors = isRight ? [view.sent] : [view.sent, view.right];
  const most = errors.flatMap((error) => [...error]).reduce(largerSize, 0);
  const scale = most > 0 ? rungValue(rungFor(most)) : 1;
  const { exponent, write: writeError } = numberColumn([most], ERROR_STYLE);
  write('scale', `±${formatScale(scale)}`);
  write('unit', exponent === 0 ? '' : `times ${formatExponent(exponent)}`);
  const [sent, right] = [norm(view.sent), norm(view.right)];
  write('verdict', isRight ? '' : `${strengthText(sent, right)} the right loss`);
  write('sent', `${isRight ? '' : 'sent: '}dL/dz, norm ${formatNumber(sent)}`);
  write('right', `right: ${rightText(view.examples)}, norm ${formatNumber(right)}`);
  write('mean', isDigit ? '' : meanText(view.examples, isRight));
  const rows = root.querySelectorAll('tbody tr');
  rows.forEach((row, index) => {
    writeRow(row, view, index, { errors, scale, writeError });
  });
}

/** The larger |v| of two, of which one may be no number. */
const largerSize = (most: number, value: number): number =>
  Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most;

const whoseText = ({ example, examples, label, isAssumed }: LossView): string => {
  if (example !== null) return `Example ${String(example)} of ${String(examples)}, label ${String(label)}`;
  return isAssumed ? `Drawn, taken for ${String(label)}` : `Label ${String(label)}, dropout off`;
};

/** A mean over n examples gives each of them the nth part. */
const rightText = (examples: number): string => (examples === 1 ? ERROR : `(${ERROR})/${String(examples)}`);

const meanText = (examples: number, isRight: boolean): string => {
  const of = `The loss is the mean of ${String(examples)} examples, so `;
  return `${of}${isRight ? `the error is ${rightText(examples)}` : `both errors carry the factor 1/${String(examples)}`}.`;
};

function writeRow(
  row: Element,
  { logits, probabilities, label }: LossView,
  index: number,
  {
    errors,
    scale,
    writeError,
  }: { errors: readonly Float32Array[]; scale: number; writeError: (value: number) => string },
): void {
  row.classList.toggle('label', index === label);
  const [z, p, y, , ...cells] = row.querySelectorAll('td');
  setText(z ?? null, formatFixed(logits[index] ?? NaN, 2, FIGURE_WIDTH));
  setText(p ?? null, formatFixed(probabilities[index] ?? NaN, 3, FIGURE_WIDTH));
  setText(y ?? null, index === label ? '1' : '0');
  const bars = row.querySelectorAll('s');
  errors.forEach((error, at) => {
    const value = error[index] ?? NaN;
    setText(cells[at] ?? null, writeError(value));
    const bar = bars[at];
    if (bar === undefined) return;
    bar.classList.toggle('bad', !Number.isFinite(value));
    bar.classList.toggle('negative', value < 0);
    // A transform lays nothing out.
    bar.style.transform = `scaleX(${String(Number.isFinite(value) ? value / scale : 1)})`;
  });
}

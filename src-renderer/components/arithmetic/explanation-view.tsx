import type { ReactElement } from 'react';
import type { NetworkPlan } from '../../../src-shared/model/network';
import type { Explanation } from '../../../src-shared/protocol/explanation';
import { columnOf, type Cell } from './cell';
import { NumberGrid } from './number-grid';
import { TermsView } from './terms-view';
import { WindowView } from './window-view';
import { isInsideWindow } from './window-place';
import { passedReason, sharesReason, updateLines } from './words';

/** What a value was made of, in numbers. */
export function ExplanationView({
  plan,
  cell,
  explanation,
  arrays,
}: {
  plan: NetworkPlan;
  cell: Cell;
  explanation: Explanation;
  arrays: Float32Array;
}): ReactElement {
  switch (explanation.form) {
    case 'window':
      return <WindowView explanation={explanation} arrays={arrays} source={sourceOf(plan, cell)} />;
    case 'terms':
      return (
        <>
          <p className="source">{termsWords(plan, cell)}</p>
          <TermsView explanation={explanation} />
        </>
      );
    case 'maximum':
    case 'mean': {
      const { form, inside, height, width } = explanation;
      const isWhole = inside.bottom - inside.top === height && inside.right - inside.left === width;
      return (
        <>
          <p className="source">
            window of {sourceOf(plan, cell)}
            {form === 'maximum' && '; the outlined value won'}
            {!isWhole && (form === 'mean' ? '; hatched: padding, counted as 0' : '; hatched: padding')}
          </p>
          <div className="equation">
            <NumberGrid
              name="window"
              values={arrays}
              width={width}
              isInside={(index) => isInsideWindow(inside, width, index)}
              outlined={form === 'maximum' ? explanation.winner : null}
            />
          </div>
        </>
      );
    }
    case 'shares':
      return (
        <p className="source">
          {sourceOf(plan, cell)}: {sharesReason(explanation)}
        </p>
      );
    case 'passed':
      return (
        <p className="source">
          {sourceOf(plan, cell)}: {passedReason(explanation)}
        </p>
      );
    case 'loss':
      return (
        <p className="source">
          {explanation.again === null
            ? 'softmax probability, minus 1 for the class of the label, mean over examples'
            : 'softmax of the softmax, minus 1 for the class of the label and minus the mean of that, times the probability'}
        </p>
      );
    case 'update':
      return (
        <table className="lines">
          <thead className="unseen">
            <tr>
              <th scope="col">rule</th>
              <th scope="col">numbers</th>
              <th scope="col">tensor</th>
            </tr>
          </thead>
          <tbody>
            {updateLines(explanation).map(([rule, numbers, tensor]) => (
              <tr key={rule}>
                <th scope="row">{rule}</th>
                <td>{numbers}</td>
                <td>
                  {tensor !== '' && (
                    <>
                      <i>tensor</i> {tensor}
                    </>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      );
  }
}

/** The layer that the numbers come from: before the cell's for an output, after it for an error. */
function sourceOf(plan: NetworkPlan, { layer, kind }: Cell): string {
  const at = plan.layers.findIndex(({ spec }) => spec.name === layer);
  const other = plan.layers[columnOf(kind) === 'output' ? at - 1 : at + 1];
  return other?.spec.name ?? (columnOf(kind) === 'output' ? 'image' : 'loss');
}

function termsWords(plan: NetworkPlan, cell: Cell): string {
  const column = columnOf(cell.kind);
  if (column === 'output') return `output of ${sourceOf(plan, cell)} × weights`;
  if (column === 'error') return `error of ${sourceOf(plan, cell)} × weights`;
  const layer = plan.layers.find(({ spec }) => spec.name === cell.layer);
  const input = plan.layers[(layer?.index ?? 0) - 1]?.spec.name ?? 'image';
  const where = layer?.spec.kind === 'conv2d' ? 'positions and examples' : 'examples';
  return `error of ${cell.layer} × its input (${input}), summed over ${where}`;
}

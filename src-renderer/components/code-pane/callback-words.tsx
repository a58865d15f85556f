import { useRef, type ReactElement } from 'react';
import { formatFixed } from '../../scene/numbers';
import { shownStep } from '../../state/shown-step';
import { appStore } from '../../state/store';
import { useWords } from '../live';
import { usePage } from '../page-context';
import { setText } from '../set-text';

/** What Keras hands to a callback now, what it keeps to itself, and how that is seen here all the same. */
export function CallbackWords(): ReactElement {
  const { metrics, frames } = usePage();
  const logs = useRef<HTMLElement>(null);
  const epochLogs = useRef<HTMLElement>(null);
  useWords(() => {
    const { status } = appStore.getState();
    const step = status === null ? 0 : shownStep(status, frames);
    // Keras gives the means over the epoch so far, as the running figures are.
    const batch = {
      loss: metrics.at('runningLoss', step),
      accuracy: metrics.at('runningAccuracy', step),
    };
    setText(logs.current, logsText(batch));
    const test = appStore.getState().evaluations.findLast(({ epoch }) => epoch !== null && epoch > 0);
    setText(
      epochLogs.current,
      test === undefined
        ? ''
        : `, and at the end of epoch ${String(test.epoch)} val_accuracy: ${formatFixed(test.accuracy, 3)}`,
    );
  });
  return (
    <ul className="callback-words" aria-label="What a callback sees">
      <li>
        <b>A callback sees</b> the weights, and <code>logs =</code> <code ref={logs} />, means over the epoch
        so far
        <span ref={epochLogs} />.
      </li>
      <li>
        <b>It is not given</b> gradients, errors or momentum.
      </li>
      <li>
        <b>Gradscope sees them</b>: its layers are custom-gradient operations, its optimiser is tapped.
      </li>
    </ul>
  );
}

function logsText(logs: Readonly<Record<string, number | null>>): string {
  const entries = Object.entries(logs).map(
    ([name, value]) => `${name}: ${value === null ? '–' : formatFixed(value, 3)}`,
  );
  return `{${entries.join(', ')}}`;
}

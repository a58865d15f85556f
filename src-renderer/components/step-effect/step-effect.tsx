import { useEffect, useState, type ReactElement } from 'react';
import { layerKey } from '../../draw/layer-keys';
import { formatCount, formatEnds, formatFixed, formatNumber, formatPercent } from '../../scene/numbers';
import { isLowestShown, verdictOf, type StepEffect as Effect } from '../../scene/step-effect';
import { usePage } from '../page-context';
import { EffectWatch, NOTHING, type Watched } from './effect-watch';
import { StepChart } from './step-chart';
import './step-effect.css';

/** Whether the last step helped: the loss of its minibatch before and after, and what the slope had promised. */
export function StepEffect(): ReactElement {
  const { effect, refusal } = useWatched();
  return (
    <div className="step-effect">
      <h2>
        Did the step help?
        {effect !== null && <em>step {formatCount(effect.step)}</em>}
      </h2>
      {effect !== null && <Measured effect={effect} />}
      {effect === null && (
        <p className="nothing">
          {refusal ??
            'After a step, this is the loss of its minibatch before and after it, beside the change that the slope ' +
              'promised, and where the step landed. Step a batch to see it.'}
        </p>
      )}
    </div>
  );
}

function useWatched(): Watched {
  const { send } = usePage();
  const [watched, setWatched] = useState(NOTHING);
  useEffect(() => {
    const watch = new EffectWatch({
      send,
      after: (delayMs, callback) => {
        const timer = setTimeout(callback, delayMs);
        return () => {
          clearTimeout(timer);
        };
      },
      isVisible: () => document.visibilityState === 'visible',
      onChange: setWatched,
    });
    const look = (): void => {
      watch.consider();
    };
    document.addEventListener('visibilitychange', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
      watch.stop();
    };
  }, [send]);
  return watched;
}

/** Characters. */
const LOSS_WIDTH = 9;
const SHARE_WIDTH = 7;

function Measured({ effect }: { effect: Effect }): ReactElement {
  const { before, after, change, slope } = effect;
  const { helped, sentence, because } = verdictOf(effect);
  const [from, to] = formatEnds(before, after, LOSS_WIDTH, (loss) => formatFixed(loss, 4, LOSS_WIDTH));
  return (
    <>
      <p className="verdict" role="status" aria-label="Whether the step helped" data-helped={helped}>
        <b>{sentence}</b> {because}
      </p>
      <dl>
        <dt>loss</dt>
        <dd>
          {from} to {to}
        </dd>
        <dt>real change</dt>
        <dd>{formatNumber(change)}</dd>
        <dt>promised by the slope</dt>
        <dd>{formatNumber(slope)}</dd>
      </dl>
      <StepChart effect={effect} />
      <ul className="legend" aria-hidden="true">
        <li className="measured">measured</li>
        <li className="landed">landed here</li>
        <li className="slope">slope</li>
        <li className="parabola">parabola</li>
        {isLowestShown(effect) && <li className="lowest">its minimum</li>}
      </ul>
      <h3>
        Promised by each layer <em>g · dW</em>
      </h3>
      <Slopes effect={effect} />
    </>
  );
}

/** Which layer promised how much; the bars are shares of the largest. */
function Slopes({ effect: { slopes, slope } }: { effect: Effect }): ReactElement {
  const largest = Math.max(...slopes.map((layer) => Math.abs(layer.slope)));
  return (
    <table className="slopes" aria-label="Change of the loss promised by each layer">
      <tbody>
        {slopes.map((layer, index) => (
          <tr key={layer.layer}>
            <th scope="row">{layer.layer}</th>
            <td className="bar">
              <i
                style={{
                  background: layerKey(index, 'right'),
                  width: largest > 0 ? `${String((Math.abs(layer.slope) / largest) * 100)}%` : 0,
                }}
              />
            </td>
            <td>{formatNumber(layer.slope)}</td>
            <td>{slope === 0 ? '–' : formatPercent(layer.slope / slope, 0, SHARE_WIDTH)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

import type { ReactElement } from 'react';
import type { NetworkPlan } from '../../../src-shared/model/network';
import { PHASES, type Phase } from '../../../src-shared/model/phases';
import type { Status } from '../../../src-shared/protocol/messages';
import { formatPercent, formatSteadyPercent } from '../../scene/numbers';
import { useApp } from '../../state/store';
import { FlowIcon } from '../icons';
import { usePage } from '../page-context';

/** What is known after a phase, for who stands there. */
const KNOWN_AFTER: Readonly<Record<Phase, string>> = {
  zeroGrad: 'gradients cleared',
  forward: 'outputs known',
  loss: 'known',
  backward: 'gradients known',
  step: 'weights updated',
};

/** Where training stands inside a step; null when it is not inside one. */
export function standingAt(status: Status, plan: NetworkPlan): string | null {
  const { phase, layer, state } = status;
  if (state === 'running' || phase === null || phase === 'step') return null;
  if (layer === null) return KNOWN_AFTER[phase];
  const count = plan.layers.length;
  const index = plan.layers.findIndex(({ spec }) => spec.name === layer);
  const place = phase === 'backward' ? count - index : index + 1;
  return `at ${layer}, layer ${String(place)} of ${String(count)}`;
}

/** The five phases of a step: the one that was done last, where training stands, and their shares of the time. */
export function PhaseStrip(): ReactElement {
  const status = useApp((state) => state.status);
  const plan = useApp((state) => state.plan);
  const { frames } = usePage();
  const running = status?.state === 'running';
  // Running free, phases come and go faster than anything can be shown: the lit one is that of the picture.
  const phase = (running ? frames.latest()?.phase : null) ?? status?.phase ?? null;
  const standing = status === null || plan === null ? null : standingAt(status, plan);
  const shares = standing === null ? (status?.phaseShares ?? null) : null;
  const testing = status?.testing ?? null;
  // Once training is over no phase is now.
  const isOver = status?.state === 'finished' || status?.state === 'failed';
  const current = phase === null || isOver ? -1 : PHASES.indexOf(phase);
  const isHeld = (status?.stoppedAt ?? null) !== null;
  const text = phase === null ? 'not begun' : standing === null ? phase : `${phase} ${standing}`;
  return (
    <>
      <span className="unseen" role="status" aria-label="Phase" aria-live={running ? 'off' : 'polite'}>
        {phase ?? 'none'}
      </span>
      <ol
        className="phases"
        aria-label={`Phases of a step; last done: ${text}${isHeld ? ', stopped at a breakpoint' : ''}`}
      >
        {PHASES.map((name, index) => (
          <li key={name} className={index === current ? 'on' : index < current ? 'done' : undefined}>
            {index > 0 && <FlowIcon />}
            <span className="phase">
              {name}
              {index === current && isHeld && <i className="held" title="Stopped at a breakpoint" />}
              {index === current && standing !== null && <small>{standing}</small>}
              {shares !== null && <small>{formatSteadyPercent(shares[name])}</small>}
            </span>
          </li>
        ))}
      </ol>
      {testing !== null && <span className="testing">testing {formatPercent(testing, 0)}</span>}
    </>
  );
}

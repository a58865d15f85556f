import type { ReactElement } from 'react';
import type { Mode } from '../../../src-shared/model/run-config';
import { formatCount } from '../../scene/numbers';
import { useApp } from '../../state/store';
import { shortSha } from './short-sha';
import { CheckIcon, WarnIcon } from '../icons';
import { usePage } from '../page-context';

const LOOP: Readonly<Record<Mode, string>> = { imperative: 'imperative loop', fit: 'fit()' };

/** Weights in and out, and the proof that both loops give the same ones. */
export function WeightsSection(): ReactElement {
  const { commands } = usePage();
  const sha = useApp(({ status }) => status?.weightsSha256 ?? null);
  const proof = useApp(({ status }) => status?.proof ?? null);
  const isOpen = useApp(({ connection, status }) => connection.state === 'open' && status !== null);
  return (
    <section className="section weights" aria-label="Weights">
      <div className="head">
        <h2>Weights</h2>
        <div className="actions">
          <button
            type="button"
            className="small-button"
            aria-label="Open weights"
            disabled={!isOpen}
            onClick={() => void commands.openWeights()}
          >
            Open…
          </button>
          <button
            type="button"
            className="small-button"
            aria-label="Save weights"
            disabled={!isOpen}
            onClick={() => void commands.saveWeights()}
          >
            Save…
          </button>
        </div>
      </div>
      <p>SHA-256{sha !== null && ` at step ${formatCount(sha.step)}`}</p>
      {sha === null ? (
        <p className="unknown">known when standing</p>
      ) : (
        <p className="mono sha" title={sha.value}>
          {shortSha(sha.value)}
        </p>
      )}
      {proof !== null && (
        <p className={proof.same ? 'proof' : 'proof differs'}>
          {proof.same ? <CheckIcon /> : <WarnIcon />}
          {LOOP[proof.mode]} had {proof.same ? 'the same' : 'others'} at step {formatCount(proof.step)}
        </p>
      )}
    </section>
  );
}

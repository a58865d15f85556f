import { useState, type ReactElement, type ReactNode } from 'react';
import { dismissNotice } from '../../state/actions';
import { useApp } from '../../state/store';
import { formatCount } from '../../scene/numbers';
import { CloseIcon, WarnIcon } from '../icons';
import { usePage } from '../page-context';

type Tone = 'warn' | 'nan' | 'news';

function Line({ tone, children }: { tone: Tone; children: ReactNode }): ReactElement {
  return (
    <div className={`news ${tone}`} role={tone === 'news' ? 'status' : 'alert'} aria-label="News">
      {tone !== 'news' && <WarnIcon />}
      {children}
    </div>
  );
}

/** What a person must know and cannot see in the pictures, each in one line under the strip. */
export function Lines(): ReactElement {
  return (
    <div className="lines">
      <TrainerLost />
      <RunFailed />
      <NonFiniteMet />
      <RunFinished />
      <Refusal />
    </div>
  );
}

function TrainerLost(): ReactElement | null {
  const { commands } = usePage();
  const { state, code, message } = useApp(({ connection }) => connection);
  if (state !== 'lost') return null;
  return (
    <Line tone="warn">
      <b>Trainer gone</b>
      <span className="sentence">{message} What is shown is old. Restart begins a new run.</span>
      <code>{code}</code>
      <button type="button" className="small-button" onClick={() => void commands.reconnect()}>
        Reconnect
      </button>
    </Line>
  );
}

function RunFailed(): ReactElement | null {
  const failure = useApp(({ status }) => status?.failure ?? null);
  if (failure === null) return null;
  return (
    <Line tone="warn">
      <b>Training failed</b>
      <span className="sentence">{failure.message} Restart begins a new run.</span>
      <code>{failure.code}</code>
    </Line>
  );
}

function NonFiniteMet(): ReactElement | null {
  const met = useApp(({ nonFinite }) => nonFinite);
  if (met === null) return null;
  const counts = [
    met.nan > 0 ? `${formatCount(met.nan)} NaN` : '',
    met.infinite > 0 ? `${formatCount(met.infinite)} infinite` : '',
  ].filter((text) => text !== '');
  return (
    <Line tone="nan">
      <b>{counts.join(' and ')}</b>
      <span className="sentence">
        first met in {met.tensor}, in {met.phase} of step {formatCount(met.step)}
      </span>
    </Line>
  );
}

function RunFinished(): ReactElement | null {
  const { commands } = usePage();
  const [epochs, setEpochs] = useState(1);
  const isFinished = useApp(({ status }) => status?.state === 'finished');
  const step = useApp(({ status }) => status?.step ?? 0);
  const epoch = useApp(({ status }) => status?.epoch ?? 0);
  const isWhole = useApp(({ status }) => status?.stepInEpoch === status?.stepsPerEpoch);
  if (!isFinished) return null;
  return (
    <Line tone="news">
      <b>Finished</b>
      <span className="sentence">
        at step {formatCount(step)}, {isWhole ? 'after' : 'in'} epoch {formatCount(epoch)}. Go on for
      </span>
      <input
        type="number"
        className="field"
        aria-label="More epochs"
        min={1}
        max={999}
        value={epochs}
        onChange={({ currentTarget }) => {
          setEpochs(Math.max(1, Math.floor(Number(currentTarget.value))));
        }}
      />
      <span>{epochs === 1 ? 'more epoch' : 'more epochs'}</span>
      <button type="button" className="small-button" onClick={() => void commands.continueRun(epochs)}>
        Continue
      </button>
    </Line>
  );
}

function Refusal(): ReactElement | null {
  const notice = useApp((state) => state.notice);
  if (notice === null) return null;
  return (
    <Line tone="warn">
      <b>Not done</b>
      <span className="sentence">{notice.message}</span>
      <code>{notice.code}</code>
      <button type="button" className="icon-button tiny" aria-label="Dismiss" onClick={dismissNotice}>
        <CloseIcon />
      </button>
    </Line>
  );
}

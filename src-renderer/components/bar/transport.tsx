import type { ReactElement } from 'react';
import { useApp } from '../../state/store';
import { PauseIcon, PlayIcon, RestartIcon } from '../icons';
import { keepFocus } from '../keep-focus';
import { KeyHint } from '../key-hint';
import { keyHint } from '../keymap';
import { usePage } from '../page-context';
import { Tip } from '../tip';

export function Transport(): ReactElement {
  const { commands } = usePage();
  const isRunning = useApp(({ status }) => status?.state === 'running');
  const canTrain = useApp(canTrainNow);
  const canRestart = useApp(({ ready, connection }) => ready !== null || connection.state === 'lost');
  return (
    <div className="transport">
      <Tip text="Restart at step 0" hint={keyHint('restart')}>
        <button
          type="button"
          className="icon-button"
          aria-label="Restart"
          disabled={!canRestart}
          onMouseDown={keepFocus}
          onClick={() => void commands.restart()}
        >
          <RestartIcon />
        </button>
      </Tip>
      <Tip text={isRunning ? 'Stand still at once' : 'Train'} hint={keyHint('playOrPause')}>
        <button
          type="button"
          className="primary"
          disabled={!canTrain}
          onMouseDown={keepFocus}
          onClick={() => void commands.playOrPause()}
        >
          {isRunning ? <PauseIcon /> : <PlayIcon />}
          {isRunning ? 'Pause' : 'Play'}
        </button>
      </Tip>
    </div>
  );
}

const STEPS = [
  { id: 'stepPhase', unit: 'phase' },
  { id: 'stepLayer', unit: 'layer' },
  { id: 'stepBatch', unit: 'batch' },
  { id: 'stepEpoch', unit: 'epoch' },
] as const;

const STEP_TIPS = {
  phase: 'To the end of the phase',
  layer: 'To the next layer, forward or backward',
  batch: 'To the end of the minibatch',
  epoch: 'To the end of the epoch',
} as const;

export function StepGroup(): ReactElement {
  const { commands } = usePage();
  const canTrain = useApp(canTrainNow);
  return (
    <div className="steps" role="group" aria-label="Step">
      <b aria-hidden="true">Step</b>
      {STEPS.map(({ id, unit }) => (
        <Tip key={id} text={STEP_TIPS[unit]} hint={keyHint(id)}>
          <button
            type="button"
            aria-label={`Step ${unit}`}
            disabled={!canTrain}
            onMouseDown={keepFocus}
            onClick={() => void commands[id]()}
          >
            {unit} <KeyHint hint={keyHint(id)} />
          </button>
        </Tip>
      ))}
    </div>
  );
}

function canTrainNow({ status, connection }: Parameters<Parameters<typeof useApp>[0]>[0]): boolean {
  return connection.state === 'open' && (status?.state === 'running' || status?.state === 'paused');
}

import type { ReactElement, ReactNode } from 'react';
import { formatCount, formatDuration, formatRate } from '../../scene/numbers';
import { setEngineOpen } from '../../state/actions';
import { isRunning, isTrainerHeard } from '../../state/alive';
import { shownEpoch, shownStep } from '../../state/shown-step';
import { appStore, useApp, type AppState } from '../../state/store';
import { EngineMenu } from '../engine/engine-menu';
import { shortVariant } from '../engine/engine-rows';
import { ChevronIcon } from '../icons';
import { LiveText } from '../live';
import { usePage } from '../page-context';

/** Above this the picture is noticeably behind what it shows. */
const OLD_PICTURE_MS = 250;

/** The run's state in one word. */
export function runStateText(state: AppState): string {
  const { connection, status } = state;
  if (connection.state === 'lost') return 'no trainer';
  if (connection.state === 'connecting' || status === null) return 'connecting';
  return isTrainerHeard(state) ? status.state : 'no answer';
}

/** Finished steps: of the picture on the screen, as all words about it. */
function StepNumber(): ReactElement {
  const { frames } = usePage();
  const running = useApp(isRunning);
  return (
    <LiveText
      role="status"
      aria-label="Step"
      aria-live={running ? 'off' : 'polite'}
      className="value"
      read={() => {
        const { status } = appStore.getState();
        if (status === null) return '–';
        return formatCount(shownStep(status, frames));
      }}
      group="step"
    />
  );
}

export function Counters(): ReactElement {
  const { frames } = usePage();
  const epochs = useApp(({ status }) => status?.epochs ?? null);
  return (
    <div className="counters">
      <div>
        <span>Step</span>
        <StepNumber />
      </div>
      <div>
        <span>Epoch</span>
        <span className="value" role="status" aria-label="Epoch">
          <LiveText
            read={() => {
              const { status } = appStore.getState();
              return status === null ? '–' : formatCount(shownEpoch(status, shownStep(status, frames)));
            }}
            group="step"
          />{' '}
          {epochs !== null && <i>of {formatCount(epochs)}</i>}
        </span>
      </div>
    </div>
  );
}

function Reading({ label, children }: { label: ReactNode; children: ReactNode }): ReactElement {
  return (
    <div className="reading">
      <span>{label}</span>
      {children}
    </div>
  );
}

export function EngineReadings(): ReactElement {
  const engine = useApp(({ ready }) => ready?.engine ?? null);
  const isMenuOpen = useApp(({ view }) => view.engineOpen);
  const state = useApp(runStateText);
  const running = useApp(isRunning);
  const images = useApp(({ status }) => status?.imagesPerSecond ?? null);
  const steps = useApp(({ status }) => status?.stepsPerSecond ?? null);
  const frames = useApp(({ rates }) => rates.framesPerSecond);
  const age = useApp(({ rates }) => rates.pictureAgeMs);
  const isOpen = useApp(({ connection }) => connection.state === 'open');
  const isSilent = useApp(({ silentSeconds }) => silentSeconds > 0);
  const wasRunning = useApp(({ status }) => status?.state === 'running');
  const threads = useApp(({ status }) => status?.threads ?? null);
  const rate = (value: number | null): string =>
    running && !isSilent && value !== null ? formatRate(value) : '–';
  const short = engine === null ? '' : shortVariant(engine);
  const isOld = wasRunning && age !== null && age > OLD_PICTURE_MS;
  return (
    <div className="engine">
      <Reading
        label={
          <>
            Engine{' '}
            <span role="status" aria-label="Run state">
              {state}
            </span>
          </>
        }
      >
        <EngineMenu open={isMenuOpen} onOpenChange={setEngineOpen}>
          <button
            type="button"
            className="engine-name"
            aria-label={`Engine ${engine === null ? 'not known' : `${[engine.name, short].join(' ').trim()}, ${engine.variant}`}: how fast each is`}
            title={engine === null ? undefined : aboutEngine(engine, threads)}
            disabled={engine === null}
          >
            <i className={running ? 'dot on' : 'dot'} />
            {engine?.name ?? '–'} {short !== '' && <span className="variant">{short}</span>}
            <ChevronIcon />
          </button>
        </EngineMenu>
      </Reading>
      <Reading label="images/s">
        <b>{state === 'paused' ? 'paused' : rate(images)}</b>
      </Reading>
      <Reading label="steps/s">
        <b>{rate(steps)}</b>
      </Reading>
      <Reading label="frames/s">
        <b>{running && !isSilent ? formatRate(frames) : '–'}</b>
      </Reading>
      <Reading label="picture age">
        <b className={isOld ? 'warn' : undefined}>{pictureAge(isOpen, wasRunning, isSilent, age)}</b>
      </Reading>
    </div>
  );
}

function aboutEngine(
  { name, variant, chosenBecause }: NonNullable<AppState['ready']>['engine'],
  threads: number | null,
): string {
  const on =
    threads === null ? '' : `, on ${threads === 1 ? 'one thread' : `${String(threads)} threads`} now`;
  return `${name} (${variant}${on}): ${chosenBecause}`;
}

function pictureAge(isOpen: boolean, running: boolean, isSilent: boolean, age: number | null): string {
  if (!isOpen) return 'old';
  if (!running) return isSilent ? '–' : 'current';
  return age === null ? '–' : formatDuration(age);
}

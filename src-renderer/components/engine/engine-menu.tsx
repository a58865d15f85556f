import { Popover } from 'radix-ui';
import { useId, useRef, type ReactElement, type ReactNode } from 'react';
import type { Ready } from '../../../src-shared/protocol/messages';
import { setDraft } from '../../state/actions';
import { examplesUnderWay } from '../../state/standing';
import { type AppState, useApp } from '../../state/store';
import { usePage } from '../page-context';
import { engineRows, type EngineRow, switchWords } from './engine-rows';
import './engine.css';

/**
 * How fast each engine is on this network, and the choice of one: for the next run, and for the one that stands there.
 * @param children the button that opens it
 */
export function EngineMenu({
  children,
  ...control
}: {
  children: ReactNode;
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
}): ReactElement {
  const ready = useApp((state) => state.ready);
  return (
    <Popover.Root {...control}>
      <Popover.Trigger asChild>{children}</Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          className="engine-menu"
          aria-label="Engines"
          align="end"
          sideOffset={8}
          collisionPadding={8}
          onOpenAutoFocus={(event) => {
            event.preventDefault();
            focusChoice(event.currentTarget);
          }}
        >
          {ready !== null && <Engines ready={ready} />}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Engines({ ready }: { ready: Ready }): ReactElement {
  const { commands } = usePage();
  const group = useId();
  const reason = useId();
  const choices = useRef<HTMLDivElement>(null);
  const draft = useApp((state) => state.draft.engine);
  const whyNot = useApp((state) => obstacleTo('switch this run', state));
  const choice = draft ?? ready.config.engine;
  const words = switchWords(ready, choice);
  return (
    <>
      <header role="none">
        <h2>Engines</h2>
        <MeasureAgain />
      </header>
      <div ref={choices} className="choices" role="radiogroup" aria-label="Engine">
        {engineRows(ready).map((row) => (
          <Choice key={row.name} row={row} group={group} chosen={row.choice === choice} />
        ))}
      </div>
      <p>
        {ready.engine.name}: {ready.engine.chosenBecause}.
      </p>
      {words !== null && (
        <div className="switch">
          <button
            type="button"
            className="small-button strong"
            disabled={whyNot !== null}
            aria-describedby={reason}
            onClick={() => {
              // The button goes when there is nothing left to switch.
              focusChoice(choices.current);
              void commands.setEngine(choice);
            }}
          >
            {words}
          </button>
          <span id={reason}>
            {whyNot ?? 'Weights, optimiser and place stay.'} A new run begins with {choice}.
          </span>
        </div>
      )}
    </>
  );
}

/** What was measured in a noisy moment is wrong for as long as it is kept. */
function MeasureAgain(): ReactElement | null {
  const { commands } = usePage();
  const reason = useId();
  const measuring = useApp(({ view }) => view.measuring);
  const hasSome = useApp(({ ready }) => (ready?.engines.length ?? 0) > 1);
  const whyNot = useApp((state) => obstacleTo('measure', state));
  const isInside = useApp(({ status }) => examplesUnderWay(status) !== null);
  if (!hasSome) return null;
  const about = isInside ? 'Gives up this minibatch.' : '';
  return (
    <>
      <span id={reason} role="status">
        {whyNot ?? (measuring ? 'Measuring …' : about)}
      </span>
      <button
        type="button"
        className="small-button"
        disabled={whyNot !== null}
        aria-busy={measuring}
        aria-describedby={reason}
        onClick={() => {
          void commands.measureEngines();
        }}
      >
        Measure again
      </button>
    </>
  );
}

/** Why what needs the run to stand cannot be done now; null: it can. */
function obstacleTo(what: string, { connection, status }: AppState): string | null {
  if (connection.state === 'lost') return 'The trainer has gone.';
  if (connection.state === 'connecting') return 'Connecting to the trainer.';
  if (status?.state === 'running') return `Pause to ${what}.`;
  return status?.state === 'failed' ? 'The run has failed.' : null;
}

function Choice({
  row: { name, choice, speed, words, cannot, now },
  group,
  chosen,
}: {
  row: EngineRow;
  group: string;
  chosen: boolean;
}): ReactElement {
  return (
    <label data-cannot={cannot}>
      <input
        type="radio"
        name={group}
        aria-label={[name, now ? 'this run' : null, speed, words].filter((part) => part !== null).join(', ')}
        value={name}
        checked={chosen}
        disabled={choice === null}
        onChange={() => {
          if (choice !== null) setDraft({ engine: choice });
        }}
      />
      <b>
        {name}
        {now && <i>this run</i>}
      </b>
      <span className="speed-of">{speed}</span>
      <span className="what">{words}</span>
    </label>
  );
}

function focusChoice(within: EventTarget | null): void {
  if (within instanceof Element) within.querySelector<HTMLInputElement>('input:checked')?.focus();
}

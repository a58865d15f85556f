import { Tabs } from 'radix-ui';
import { useEffect, useMemo, useRef, type ReactElement } from 'react';
import type { Mode } from '../../../src-shared/model/run-config';
import { chooseCodeView, toggleCodeFold } from '../../state/actions';
import { appStore, CODE_VIEWS, useApp, type AppState, type CodeView } from '../../state/store';
import { ChevronIcon } from '../icons';
import { keepFocus } from '../keep-focus';
import { KeyHint } from '../key-hint';
import { keyHint } from '../keymap';
import { LiveText } from '../live';
import { usePage } from '../page-context';
import { Tip } from '../tip';
import { CallbackWords } from './callback-words';
import { CodeLines } from './code-lines';
import './code-pane.css';
import { codePlace, fitTimeWords, placeSentence, type CodePlace } from './code-place';
import { codeFacts, viewOf, type CodeFacts } from './code-text';

const LABELS: Readonly<Record<CodeView, string>> = { loop: 'loop', fit: 'fit()', tape: 'tape' };

/** The files in src-worker/training that do the step, whichever view is open. */
const RUNS: Readonly<Record<Mode, string>> = { imperative: 'imperative-loop.ts', fit: 'fit-loop.ts' };

/** Code equivalent to what trains, and where in it training stands. */
export function CodePane(): ReactElement {
  const pane = useRef<HTMLElement>(null);
  const facts = useFacts();
  const following = useApp((state) => viewOf(modeOf(state)));
  const chosen = useApp(({ view: { codeView } }) => codeView);
  const view = chosen ?? following;
  const folded = useApp((state) => state.view.codeFolded && state.view.drawer !== 'code');
  useFocusWhenAsked(pane);
  return (
    <section ref={pane} className="section code-pane" aria-label="Code" data-view={view} data-folded={folded}>
      <Tabs.Root
        value={view}
        onValueChange={(value) => {
          const found = CODE_VIEWS.find((one) => one === value);
          if (found !== undefined) chooseCodeView(found === following ? null : found);
        }}
      >
        <header>
          <h2>
            <Tip text={folded ? 'Unfold the code' : 'Fold the code'} hint={keyHint('foldCode')} side="left">
              <button
                type="button"
                aria-label="Code"
                aria-expanded={!folded}
                onMouseDown={keepFocus}
                onClick={toggleCodeFold}
              >
                Code <ChevronIcon />
              </button>
            </Tip>
            <KeyHint hint={keyHint('code')} />
          </h2>
          <ClearBreakpoints />
          <Tabs.List className="code-views" aria-label="Code view" onMouseDown={keepFocus}>
            {CODE_VIEWS.map((one) => (
              <Tabs.Trigger key={one} value={one}>
                {LABELS[one]}
              </Tabs.Trigger>
            ))}
          </Tabs.List>
        </header>
        {facts !== null && (
          <Tabs.Content className="code-view" value={view} tabIndex={-1}>
            <View view={view} facts={facts} folded={folded} />
          </Tabs.Content>
        )}
      </Tabs.Root>
    </section>
  );
}

function ClearBreakpoints(): ReactElement | null {
  const { commands } = usePage();
  const hasSome = useApp(({ status }) => (status?.breakpoints.length ?? 0) > 0);
  if (!hasSome) return null;
  return (
    <button
      type="button"
      className="small-button"
      aria-label="Clear all breakpoints"
      onMouseDown={keepFocus}
      onClick={() => void commands.clearBreakpoints()}
    >
      Clear all
    </button>
  );
}

function View({ view, facts, folded }: { view: CodeView; facts: CodeFacts; folded: boolean }): ReactElement {
  const place = usePlace();
  const mode = useApp(modeOf);
  return (
    <>
      <Where place={place} view={view} facts={facts} />
      {!folded && (
        <>
          <CodeLines view={view} facts={facts} moment={place?.moment ?? null} />
          <p className="equivalent">
            Equivalent code; what runs: {RUNS[mode]}
            {view === 'fit' && (
              <LiveText className="fit-time" read={() => fitTimeText(appStore.getState())} />
            )}
          </p>
          {view === 'fit' && <CallbackWords />}
        </>
      )}
    </>
  );
}

/** Where training stands, and why. */
function Where({
  place,
  view,
  facts,
}: {
  place: CodePlace | null;
  view: CodeView;
  facts: CodeFacts;
}): ReactElement {
  const state = useApp(({ status }) => status?.state ?? 'paused');
  const stoppedAt = useApp(({ status }) => status?.stoppedAt ?? null);
  return (
    <div className="where">
      <p role="status" aria-label="Place in the code" aria-live={state === 'running' ? 'off' : 'polite'}>
        {placeSentence(place, { state, stoppedAt }, view, facts)}
      </p>
      <span className="share-head">% of step time</span>
    </div>
  );
}

const fitTimeText = ({ status }: AppState): string => fitTimeWords(status?.fitTime ?? null);

const modeOf = ({ status, ready }: AppState): Mode => status?.mode ?? ready?.config.mode ?? 'imperative';

function useFacts(): CodeFacts | null {
  const ready = useApp((state) => state.ready);
  const epochs = useApp(({ status }) => status?.epochs ?? null);
  return useMemo(() => {
    const recipe = ready?.recipes.find(({ name }) => name === ready.config.recipe);
    if (ready === null || recipe === undefined) return null;
    return codeFacts(recipe, ready.config, epochs ?? ready.config.epochs ?? recipe.epochs);
  }, [ready, epochs]);
}

/** Changes only when the place does: statuses come several times a second. */
function usePlace(): CodePlace | null {
  const { frames } = usePage();
  const text = useApp(({ status }) =>
    JSON.stringify(status === null ? null : codePlace(status, frames.latest()?.phase ?? null)),
  );
  return useMemo(() => JSON.parse(text) as CodePlace | null, [text]);
}

/** The line where training stands, or the first that can have a breakpoint. */
function useFocusWhenAsked(pane: React.RefObject<HTMLElement | null>): void {
  const asked = useApp(({ view }) => view.codeAsked);
  const answered = useRef(asked);
  useEffect(() => {
    if (asked === answered.current) return;
    answered.current = asked;
    const line =
      pane.current?.querySelector<HTMLElement>('[aria-current] button') ??
      pane.current?.querySelector<HTMLElement>('li button:not([aria-disabled])');
    line?.focus();
  }, [asked, pane]);
}

import { Toolbar } from 'radix-ui';
import { useEffect, useMemo, useRef, type ReactElement } from 'react';
import type { Phase } from '../../../src-shared/model/phases';
import { formatSteadyPercent } from '../../scene/numbers';
import { appStore, useApp, type CodeView } from '../../state/store';
import { keepFocus } from '../keep-focus';
import { LiveText } from '../live';
import { usePage } from '../page-context';
import { Tip } from '../tip';
import { litLines, sameMoment, stopName } from './code-place';
import { codeOf, type CodeFacts, type CodeLine, type Moment } from './code-text';
import { tokensOf } from './syntax';

/** The lines of one view: where training is, how long each takes, and where play stops. */
export function CodeLines({
  view,
  facts,
  moment,
}: {
  view: CodeView;
  facts: CodeFacts;
  moment: Moment | null;
}): ReactElement {
  const lines = useMemo(() => codeOf(view, facts), [view, facts]);
  const lit = litLines(lines, moment);
  return (
    <Toolbar.Root orientation="vertical" aria-label="Lines of code" loop={false}>
      <ol className="code-lines">
        {lines.map((line, index) => (
          <Line
            key={index}
            line={line}
            number={index + 1}
            isLit={index === lit.line}
            isAround={index === lit.around}
          />
        ))}
      </ol>
    </Toolbar.Root>
  );
}

/** That surely have room beside a share. */
const MOST_CHARACTERS = 31;

interface LineProps {
  readonly line: CodeLine;
  readonly number: number;
  readonly isLit: boolean;
  /** Training is inside the loop that begins here. */
  readonly isAround: boolean;
}

function Line({ line, number, isLit, isAround }: LineProps): ReactElement {
  const tokens = useMemo(() => tokensOf(line.text), [line.text]);
  const item = useRef<HTMLLIElement>(null);
  // The longest code does not fit into a low window. Running free, the line moves too fast to be followed.
  useEffect(() => {
    if (isLit && appStore.getState().status?.state !== 'running')
      item.current?.scrollIntoView({ block: 'nearest' });
  }, [isLit]);
  return (
    <li
      ref={item}
      className={isLit ? 'lit' : isAround ? 'around' : undefined}
      aria-current={isLit ? 'step' : undefined}
      value={number}
    >
      <Gutter line={line} number={number} />
      <svg className="arrow" viewBox="0 0 8 8" aria-hidden="true">
        {isLit && <path d="M1 .5 7.5 4 1 7.5z" />}
        {isAround && <path d="M1.5 1 6 4 1.5 7" />}
      </svg>
      <code className={line.text.length > MOST_CHARACTERS ? 'long' : undefined}>
        {tokens.map(({ kind, text }, index) =>
          kind === 'plain' ? (
            text
          ) : (
            <span key={index} className={kind}>
              {text}
            </span>
          ),
        )}
      </code>
      {line.phases.length > 0 && <LiveText className="share" read={() => shareText(line.phases)} />}
    </li>
  );
}

/** The button reaches over its whole line. */
function Gutter({ line: { stop, about }, number }: { line: CodeLine; number: number }): ReactElement {
  const { commands } = usePage();
  const isSet = useApp(
    ({ status }) => stop !== null && (status?.breakpoints.some((one) => sameMoment(one, stop)) ?? false),
  );
  const name =
    stop === null
      ? `No breakpoint at line ${String(number)}`
      : `Breakpoint at line ${String(number)}, ${stopName(stop)}`;
  return (
    <Tip text={about} side="left">
      <Toolbar.Button
        type="button"
        className="gutter"
        aria-label={name}
        aria-pressed={stop === null ? undefined : isSet}
        aria-disabled={stop === null ? true : undefined}
        onMouseDown={keepFocus}
        onClick={() => {
          if (stop !== null) void commands.toggleBreakpoint(stop);
        }}
      >
        <i className={isSet ? 'stop set' : 'stop'} />
        {number}
      </Toolbar.Button>
    </Tip>
  );
}

function shareText(phases: readonly Phase[]): string {
  const shares = appStore.getState().status?.phaseShares ?? null;
  if (shares === null) return '';
  return formatSteadyPercent(phases.reduce((sum, phase) => sum + shares[phase], 0));
}

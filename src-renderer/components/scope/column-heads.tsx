import { useRef, type ReactElement } from 'react';
import type { FrameView } from '../../frames/frame-store';
import type { NetworkRow } from '../../scene/network-rows';
import { useWords } from '../live';
import { usePage } from '../page-context';
import { columnState } from './column-state';
import { setData, setText } from '../set-text';
import { useApp } from '../../state/store';
import { examplesUnderWay } from '../../state/standing';
import { isKernelKind, KERNEL_KINDS, mapKind, type KernelKind } from './scope-model';

const TITLES: Readonly<Record<KernelKind, readonly [symbol: string, words: string]>> = {
  weight: ['W', 'weights'],
  gradient: ['g', 'minibatch gradient'],
  update: ['dW', 'update'],
};

/** What each column is, and of which step its pictures are. */
export function ColumnHeads({ rows }: { rows: readonly NetworkRow[] }): ReactElement {
  const { frames } = usePage();
  const examples = useApp(({ status }) => examplesUnderWay(status));
  const chosen = useApp(({ view }) => view.example);
  const steps = useRef(new Map<KernelKind | 'output', HTMLElement>());
  useWords(() => {
    const view = frames.inWords();
    for (const [kind, element] of steps.current) {
      const names = kind !== 'output' && isKernelKind(kind) ? weightNames(rows) : layerNames(rows);
      const shown = kind === 'output' ? mapKind(view, kind) : kind;
      // The head of an example's maps has its room for saying which it is.
      const state = view === null || shown === 'output' ? '' : columnState(view, shown, names);
      // The digit goes through the network less often than there are pictures: its maps say then that they are older.
      const isOld = shown === 'digitOutput' && view !== null && isBehind(view, names);
      setText(element, isOld ? `old, ${state}` : state);
      setData(element.parentElement, 'old', isOld ? 'true' : null);
    }
  }, 'step');
  const step = (kind: KernelKind | 'output'): ReactElement => (
    <em
      ref={(element) => {
        if (element !== null) steps.current.set(kind, element);
        return () => {
          steps.current.delete(kind);
        };
      }}
      title="Step of the pictures in this column"
    />
  );
  return (
    <div className="scope-row column-heads">
      <div className="norm-heads">
        <span>|W|</span>
        <span>|g|</span>
        <span>|dW|/|W|</span>
      </div>
      {KERNEL_KINDS.map((kind) => (
        <div key={kind} className="column-head">
          <b>{TITLES[kind][0]}</b>
          <span>{TITLES[kind][1]}</span>
          {step(kind)}
        </div>
      ))}
      <div className="column-head maps" data-example={examples !== null}>
        <b>output</b>
        <svg viewBox="0 0 9 10" aria-hidden="true">
          <path d="M4.5 1v8M1.5 6l3 3 3-3" />
        </svg>
        {examples === null ? (
          <span title="Of the chosen digit, dropout off">of digit</span>
        ) : (
          <span title="Of the minibatch under way">
            example {Math.min(chosen, examples - 1)} <i>of {examples}</i>
          </span>
        )}
        {step('output')}
      </div>
      <div className="column-head maps" data-example={examples !== null}>
        <b>error</b>
        <svg viewBox="0 0 9 10" aria-hidden="true">
          <path d="M4.5 9V1M1.5 4l3-3 3 3" />
        </svg>
        <span title={examples === null ? 'Of the chosen digit' : 'Of the same example'}>dL/d output</span>
      </div>
    </div>
  );
}

/** Whether the digit's maps are of a step before that of the weights beside them. */
const isBehind = (view: FrameView, names: readonly string[]): boolean =>
  names.some((name) => {
    const state = view.slot(name, 'digitOutput')?.state;
    return state?.freshness === 'old' && state.step < view.step;
  });

const layerNames = (rows: readonly NetworkRow[]): string[] =>
  rows.flatMap((row) => (row.kind === 'layer' ? [row.layer.spec.name] : []));

const weightNames = (rows: readonly NetworkRow[]): string[] =>
  rows.flatMap((row) => (row.kind === 'layer' ? [row.weight.name] : []));

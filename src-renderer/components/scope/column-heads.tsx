import { useRef, type ReactElement } from 'react';
import type { NetworkRow } from '../../scene/network-rows';
import { useWords } from '../live';
import { usePage } from '../page-context';
import { columnState } from './column-state';
import { setText } from '../set-text';
import { isKernelKind, KERNEL_KINDS, type KernelKind, type MapKind } from './scope-model';

const TITLES: Readonly<Record<KernelKind, readonly [symbol: string, words: string]>> = {
  weight: ['W', 'weights'],
  gradient: ['g', 'minibatch gradient'],
  update: ['dW', 'update'],
};

/** What each column is, and of which step its pictures are. */
export function ColumnHeads({ rows }: { rows: readonly NetworkRow[] }): ReactElement {
  const { frames } = usePage();
  const steps = useRef(new Map<KernelKind | MapKind, HTMLElement>());
  useWords(() => {
    const view = frames.latest();
    for (const [kind, element] of steps.current) {
      const names = isKernelKind(kind) ? weightNames(rows) : layerNames(rows);
      setText(element, view === null ? '' : columnState(view, kind, names));
    }
  });
  const step = (kind: KernelKind | MapKind): ReactElement => (
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
      <div className="column-head maps">
        <b>output</b>
        <svg viewBox="0 0 9 10" aria-hidden="true">
          <path d="M4.5 1v8M1.5 6l3 3 3-3" />
        </svg>
        <span title="Of the chosen digit, dropout off">of digit</span>
        {step('digitOutput')}
      </div>
      <div className="column-head maps">
        <b>error</b>
        <svg viewBox="0 0 9 10" aria-hidden="true">
          <path d="M4.5 9V1M1.5 4l3-3 3 3" />
        </svg>
        <span>dL/d output</span>
      </div>
    </div>
  );
}

const layerNames = (rows: readonly NetworkRow[]): string[] =>
  rows.flatMap((row) => (row.kind === 'layer' ? [row.layer.spec.name] : []));

const weightNames = (rows: readonly NetworkRow[]): string[] =>
  rows.flatMap((row) => (row.kind === 'layer' ? [row.weight.name] : []));

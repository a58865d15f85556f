import { Popover } from 'radix-ui';
import { useEffect, useRef, useSyncExternalStore, type KeyboardEvent, type ReactElement } from 'react';
import { createPortal } from 'react-dom';
import { notify, setArithmetic } from '../../state/actions';
import { appStore, useApp } from '../../state/store';
import { CloseIcon } from '../icons';
import { usePainter } from '../live';
import { Loupe } from '../loupe/loupe';
import { isShortcut } from '../key-press';
import { usePage } from '../page-context';
import { mapKind, scopeModelOf } from '../scope/scope-model';
import { arithmeticOf, type Shown } from './arithmetic-model';
import './arithmetic.css';
import { type Cell, cellTitle, columnOf } from './cell';
import { cellPlaces, type ScreenRect } from './cell-places';
import { ExplanationView } from './explanation-view';
import { differenceWords, sumSentence } from './words';
import { setHidden } from '../set-text';

const ARROWS: Readonly<Record<string, { rows?: number; columns?: number; planes?: number }>> = {
  ArrowUp: { rows: -1 },
  ArrowDown: { rows: 1 },
  ArrowLeft: { columns: -1 },
  ArrowRight: { columns: 1 },
  PageUp: { planes: -1 },
  PageDown: { planes: 1 },
};

/**
 * The arithmetic of one value beside it: of the value on which the pointer rests, while training stands; with the key it stays
 * and takes the focus, and the arrows lead to the neighbours.
 */
export function ArithmeticCard(): ReactElement | null {
  const parts = usePage();
  const model = arithmeticOf(parts);
  const shown = useSyncExternalStore(model.subscribe, model.current);
  const isAsked = useApp(({ view }) => view.arithmetic);
  const plan = useApp((state) => state.plan);
  const outline = useRef<HTMLDivElement>(null);
  const anchor = useRef<HTMLDivElement>(null);
  const card = useRef<HTMLDivElement>(null);
  const opener = useRef<Element | null>(null);
  usePainter((nowMs) => {
    model.follow(nowMs);
    const cell = model.current()?.cell ?? null;
    if (cell === null) return;
    const rect = cellPlaces.find(cell.layer, columnOf(cell.kind), cell.index, scopeModelOf(parts).pointer);
    place(outline.current, rect);
    place(anchor.current, rect);
  });

  useEffect(() => {
    if (!isAsked) {
      if (model.current()?.pinned === true) model.close();
      return;
    }
    const cell = cellToPin(parts);
    if (cell === null) {
      setArithmetic(false);
      return;
    }
    opener.current = document.activeElement;
    model.pin(cell);
  }, [isAsked, model, parts]);

  const isPinned = shown?.pinned === true;
  useEffect(() => {
    if (isPinned) card.current?.focus();
    else if (opener.current instanceof HTMLElement && opener.current.isConnected) {
      opener.current.focus({ preventScroll: true });
      opener.current = null;
    }
  }, [isPinned]);

  if (shown === null) return null;
  const { layer, kind, index } = shown.cell;
  const name = plan === null ? layer : cellTitle(plan, shown.cell);
  const walk = (event: KeyboardEvent): void => {
    const by = ARROWS[event.key];
    if (by === undefined || isShortcut(event)) return;
    event.preventDefault();
    event.stopPropagation();
    model.move(by);
  };
  return (
    <Popover.Root
      open
      onOpenChange={(open) => {
        if (!open) model.close();
      }}
    >
      {createPortal(
        <>
          {/* Another value is another place to stand beside. */}
          <Popover.Anchor key={`${layer} ${kind} ${String(index)}`} asChild>
            <div ref={anchor} className="arithmetic-anchor" aria-hidden="true" />
          </Popover.Anchor>
          <div ref={outline} className="arithmetic-cell" aria-hidden="true" />
        </>,
        document.body,
      )}
      <Popover.Portal>
        <Popover.Content
          ref={card}
          className="arithmetic"
          role="region"
          aria-label={`Arithmetic of ${name}`}
          data-pinned={isPinned}
          data-old={shown.old}
          tabIndex={-1}
          side="right"
          sideOffset={16}
          collisionPadding={8}
          onOpenAutoFocus={(event) => {
            event.preventDefault();
            if (isPinned) card.current?.focus();
          }}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
          }}
          onInteractOutside={(event) => {
            event.preventDefault();
          }}
          onKeyDown={walk}
        >
          <Body shown={shown} onClose={() => model.close()} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Body({ shown, onClose }: { shown: Shown; onClose: () => void }): ReactElement | null {
  const plan = useApp((state) => state.plan);
  if (plan === null) return null;
  const { cell, answer, pinned, old } = shown;
  return (
    <>
      <header role="none">
        <b>{cellTitle(plan, cell)}</b>
        {pinned && (
          <button type="button" className="icon-button tiny" aria-label="Close arithmetic" onClick={onClose}>
            <CloseIcon />
          </button>
        )}
      </header>
      {'refusal' in answer ? (
        <p className="source">{answer.refusal}</p>
      ) : (
        <>
          <ExplanationView
            key={`${cell.layer} ${cell.kind} ${String(cell.index)}`}
            plan={plan}
            cell={cell}
            explanation={answer.explanation}
            arrays={answer.arrays}
          />
          <p className="sum" aria-live={pinned ? 'polite' : 'off'}>
            {sumSentence(answer.explanation)}
          </p>
          <p className="source">
            {differenceWords(answer.explanation)}; step {answer.explanation.step}
            {old && ', training runs on'}
          </p>
        </>
      )}
      <Loupe value={cell} />
      <p className="keys" aria-hidden="true">
        {pinned ? (
          <>
            <kbd>Arrows</kbd> neighbours <kbd>PgUp PgDn</kbd>{' '}
            {columnOf(cell.kind) === 'output' || columnOf(cell.kind) === 'error' ? 'maps' : 'kernels'}{' '}
            <kbd>Esc</kbd> close
          </>
        ) : (
          <>
            <kbd>A</kbd> keep open
          </>
        )}
      </p>
    </>
  );
}

/** Touches the document only when it is elsewhere. */
function place(element: HTMLElement | null, rect: ScreenRect | null): void {
  if (element === null) return;
  setHidden(element, rect === null);
  if (rect === null) return;
  const { left, top, width, height } = rect;
  const box = [left, top, width, height].join(' ');
  if (element.dataset['box'] === box) return;
  element.dataset['box'] = box;
  Object.assign(element.style, {
    left: `${String(left)}px`,
    top: `${String(top)}px`,
    width: `${String(width)}px`,
    height: `${String(height)}px`,
  });
}

/** What the key is meant for: where the focus is seen to be, else where the pointer is. Says so when that is nowhere. */
function cellToPin(parts: Parameters<typeof arithmeticOf>[0]): Cell | null {
  const { status } = appStore.getState();
  if (status === null || status.state === 'running') {
    notify({ code: 'not-now', message: 'Arithmetic is shown while training stands still; pause it first.' });
    return null;
  }
  const focused = document.activeElement?.closest<HTMLElement>('[data-cells]') ?? null;
  const hover = scopeModelOf(parts).hover;
  const isSeen = document.activeElement?.matches(':focus-visible') ?? false;
  const pointed =
    hover === null || hover.index === null
      ? null
      : { layer: hover.layer, kind: hover.kind, index: hover.index };
  const first = firstIn(parts, focused);
  // The keys may have led the pointer along the row that has the focus.
  const isAlong = first?.layer === pointed?.layer && kernelOf(focused) === hover?.kernel;
  const found = isSeen && !isAlong ? (first ?? pointed) : (pointed ?? first);
  if (found === null) {
    notify({ code: 'not-now', message: 'Point at a value, or go to a kernel or map with Tab, and press A.' });
  }
  return found;
}

/** The first value of the kernel or of the maps that have the focus. */
function firstIn(parts: Parameters<typeof arithmeticOf>[0], picture: HTMLElement | null): Cell | null {
  const { cells: layer, column, size } = picture?.dataset ?? {};
  if (layer === undefined || column === undefined) return null;
  if (column === 'output' || column === 'error') {
    return { layer, kind: mapKind(parts.frames.latest(), column), index: 0 };
  }
  if (column !== 'weight' && column !== 'gradient' && column !== 'update') return null;
  return { layer, kind: column, index: kernelOf(picture) * Number(size ?? 1) };
}

/** The kernel that has the focus in a picture; the first when none has. */
function kernelOf(picture: HTMLElement | null): number {
  const cell = picture?.querySelector<HTMLElement>('[data-kernel]:focus');
  return Number(cell?.dataset['kernel'] ?? 0);
}

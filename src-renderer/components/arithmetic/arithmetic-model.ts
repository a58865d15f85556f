import { GradscopeError } from '../../../src-shared/protocol/errors';
import type { Explanation } from '../../../src-shared/protocol/explanation';
import { setArithmetic } from '../../state/actions';
import { appStore } from '../../state/store';
import { newestOnly } from '../newest-only';
import type { PageParts } from '../page-context';
import { type Hover, scopeModelOf } from '../scope/scope-model';
import { type Cell, moved, planesOf, questionOf, sameCell } from './cell';

/** The pointer must rest so long on a value before it is asked about, ms. */
export const REST_MS = 180;

/** What the trainer said about a value: its arithmetic, or in one sentence why there is none. */
export type Answer =
  | { readonly explanation: Explanation; readonly arrays: Float32Array }
  | { readonly refusal: string };

/** What the card shows. */
export interface Shown {
  readonly cell: Cell;
  /** Stays when the pointer goes. */
  readonly pinned: boolean;
  /** Training runs, so the numbers are of where it stood before. */
  readonly old: boolean;
  readonly answer: Answer;
}

/**
 * Decides which value's arithmetic is on the screen and asks the trainer for it: of the value on which the pointer rests, or
 * of one that was pinned. Only while training stands, one question at a time, the newest first.
 */
export class ArithmeticModel {
  private readonly parts: Pick<PageParts, 'frames' | 'loop' | 'send'>;
  private readonly hover: () => Hover | null;
  private readonly listeners = new Set<() => void>();
  private readonly ask: (question: { readonly cell: Cell; readonly key: string }) => Promise<void>;
  private shown: Shown | null = null;
  private pinnedCell: Cell | null = null;
  /** What was asked last: the value, and the picture it was on. */
  private askedKey = '';
  private over: Cell | null = null;
  private overSinceMs = 0;
  /** The run whose trainer has no arithmetic to show. */
  private mute: number | null = null;
  /** Closed by hand: stays closed until the pointer is on another value. */
  private dismissed = false;

  constructor(parts: Pick<PageParts, 'frames' | 'loop' | 'send'>, hover: () => Hover | null) {
    this.parts = parts;
    this.hover = hover;
    this.ask = newestOnly(async ({ cell, key }) => {
      const answer = await this.answerTo(cell);
      // The pointer may have gone on meanwhile, or training.
      if (key !== this.askedKey || answer === null) return;
      this.show({ cell, pinned: sameCell(cell, this.pinnedCell), old: false, answer });
    });
  }

  /** Null: no card. The same object as long as nothing changed. */
  readonly current = (): Shown | null => this.shown;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  };

  /** Whether the card says all that the tip would about what the pointer is on. */
  get coversHover(): boolean {
    const hover = this.hover();
    return this.shown !== null && sameCell(this.shown.cell, cellOf(hover));
  }

  /** Once an animation frame: looks at where the pointer is, and asks when it has rested. */
  follow(nowMs: number): void {
    const { status, connection } = appStore.getState();
    const stands = status !== null && status.state !== 'running' && connection.state === 'open';
    if (!stands || status.runId === this.mute) {
      this.askedKey = '';
      this.over = null;
      if (this.pinnedCell === null) this.show(null);
      else if (this.shown !== null && !this.shown.old) this.show({ ...this.shown, old: true });
      return;
    }
    const cell = this.pinnedCell ?? this.rested(nowMs);
    if (cell === null) {
      this.askedKey = '';
      this.show(null);
      return;
    }
    const { layer, kind, index } = cell;
    const key = [layer, kind, index, this.parts.frames.latest()?.serial, status.runId].join(' ');
    if (key === this.askedKey) return;
    this.askedKey = key;
    void this.ask({ cell, key });
  }

  /** Opens the card of a value and keeps it open. */
  pin(cell: Cell): void {
    this.pinnedCell = cell;
    if (this.shown !== null && sameCell(this.shown.cell, cell)) this.show({ ...this.shown, pinned: true });
    this.parts.loop.invalidate();
  }

  /** To another value of the same tensor. */
  move(by: Parameters<typeof moved>[2]): void {
    const { plan } = appStore.getState();
    const cell = this.pinnedCell;
    const planes = cell === null || plan === null ? null : planesOf(plan, cell);
    if (cell !== null && planes !== null) this.pin(moved(cell, planes, by));
  }

  close(): void {
    this.pinnedCell = null;
    this.askedKey = '';
    this.dismissed = true;
    this.show(null);
    setArithmetic(false);
  }

  private rested(nowMs: number): Cell | null {
    const cell = cellOf(this.hover());
    if (!sameCell(cell, this.over)) {
      this.over = cell;
      this.overSinceMs = nowMs;
      this.dismissed = false;
    }
    if (cell === null || this.dismissed) return null;
    const left = this.overSinceMs + REST_MS - nowMs;
    if (left <= 0) return cell;
    this.parts.loop.invalidateAfter(left);
    return null;
  }

  /** Null when this trainer never gives one. */
  private async answerTo(cell: Cell): Promise<Answer | null> {
    const { frames, send } = this.parts;
    try {
      const example = frames.latest()?.example ?? 0;
      const { result, payload } = await send.request('explain', questionOf(cell, example));
      return { explanation: result, arrays: new Float32Array(payload.slice().buffer) };
    } catch (error) {
      if (!(error instanceof GradscopeError)) throw error;
      if (error.code === 'unknown-command') {
        this.mute = appStore.getState().status?.runId ?? null;
        return null;
      }
      return { refusal: error.message };
    }
  }

  private show(shown: Shown | null): void {
    if (shown === this.shown) return;
    this.shown = shown;
    for (const listener of this.listeners) listener();
    this.parts.loop.invalidate();
  }
}

/** A mean of several values has no arithmetic of its own. */
const cellOf = (hover: Hover | null): Cell | null =>
  hover === null || hover.index === null
    ? null
    : { layer: hover.layer, kind: hover.kind, index: hover.index };

const models = new WeakMap<object, ArithmeticModel>();

/** The one model of a page. */
export function arithmeticOf(parts: PageParts): ArithmeticModel {
  let model = models.get(parts.frames);
  if (model === undefined) {
    const scope = scopeModelOf(parts);
    model = new ArithmeticModel(parts, () => scope.hover);
    models.set(parts.frames, model);
  }
  return model;
}

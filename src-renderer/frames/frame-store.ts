import type { Phase } from '../../src-shared/model/phases';
import type { FrameHead, Layout, Slot, SlotState, TensorKind } from '../../src-shared/protocol/messages';
import { GradscopeError } from '../../src-shared/protocol/errors';

/** One tensor of a frame. `values` views the frame's payload: never write to it. */
export interface FrameSlot {
  readonly values: Float32Array;
  /** Shape of `values`, which is empty where a `notYet` was not sent (the tensor's own unless it was reduced on the way). */
  readonly shape: readonly number[];
  readonly state: SlotState;
  readonly slot: Slot;
}

/** Nothing to see: zeroed, or never computed. */
export const isBlank = ({ state }: FrameSlot): boolean =>
  state.freshness === 'cleared' || state.freshness === 'notYet';

/** One picture of the network: every tensor that is watched, of one step. */
export interface FrameView {
  readonly runId: number;
  readonly layoutId: number;
  /** Finished steps when it was taken. */
  readonly step: number;
  readonly phase: Phase | null;
  /** Layer at which training stood. */
  readonly layer: string | null;
  /** Example of the minibatch that `output`, `error` and `mask` are of; null: not taken inside a step. */
  readonly example: number | null;
  /** Counts the frames this store was given; two views with the same number are the same picture. */
  readonly serial: number;
  slot(name: string, kind: TensorKind): FrameSlot | null;
}

/** What a FrameStore needs of the frame loop. */
export interface FrameClock {
  addPainter(phase: 'read' | 'after', painter: (nowMs: number) => void): () => void;
  invalidate(): void;
  invalidateAfter(delayMs: number): void;
  /** Calls back when words begin to be written; where there is none, words are of the picture on the screen. */
  onSweep?(listener: () => void): () => void;
}

/**
 * The newest frame, outside React and zustand.
 *
 * Frames come in at any time; `latest()` changes only in the `read` phase of an animation frame, so everything painted
 * in one animation frame is of one picture. A frame's `drawn` is called exactly once, after the animation frame that
 * painted it or, when a newer one overtook it, the newer one. That bounds what a trainer can send to its credits per
 * animation frame, and a page that stops drawing stops acknowledging.
 */
export class FrameStore {
  private layout: IndexedLayout | null = null;
  private current: FrameView | null = null;
  private arrived: FrameView | null = null;
  private told: FrameView | null = null;
  /** `drawn` of the frames that arrived since the last animation frame, and of those it is painting. */
  private owedForArrived: (() => void)[] = [];
  private owedForCurrent: (() => void)[] = [];
  private serial = 0;
  private clock: FrameClock | null = null;
  private intervalMs = 0;
  private presentedAtMs = Number.NEGATIVE_INFINITY;
  private readonly listeners = new Set<() => void>();

  /** Joins the store to the animation frames; returns what parts them again. */
  attach(clock: FrameClock): () => void {
    this.clock = clock;
    const stop = [
      clock.addPainter('read', (nowMs) => {
        this.present(nowMs);
      }),
      clock.addPainter('after', () => {
        this.acknowledge();
      }),
      clock.onSweep?.(() => {
        this.told = this.current;
      }),
    ];
    return () => {
      for (const remove of stop) remove?.();
      this.clock = null;
    };
  }

  setLayout(layout: Layout): void {
    const places: IndexedLayout['places'] = new Map();
    layout.slots.forEach(({ name, kind }, index) => {
      const ofKind = places.get(kind) ?? new Map<string, number>();
      places.set(kind, ofKind.set(name, index));
    });
    this.layout = { ...layout, places };
  }

  /**
   * Takes a frame that fits the layout; one of another layout is dropped and its credit given back at once.
   * @throws GradscopeError `malformed-message` when its size is not what the layout says.
   */
  put(head: FrameHead, payload: Float32Array, drawn: () => void): void {
    const { layout } = this;
    if (layout === null || head.layoutId !== layout.layoutId) {
      drawn();
      return;
    }
    this.arrived = frameView(layout, head, payload, ++this.serial);
    this.owedForArrived.push(drawn);
    this.clock?.invalidate();
    for (const listener of this.listeners) listener();
  }

  /** The picture that is on the screen or is being painted. */
  latest(): FrameView | null {
    return this.current;
  }

  /**
   * The picture that words are about: the one that was on the screen when they began to be written. They are written slice
   * by slice over several animation frames, and all that they say is of this one.
   */
  inWords(): FrameView | null {
    return this.told ?? this.current;
  }

  /** The newest picture there is, painted or not. */
  newest(): FrameView | null {
    return this.arrived ?? this.current;
  }

  /** Frames that have arrived and were not painted yet. */
  get pending(): number {
    return this.owedForArrived.length + this.owedForCurrent.length;
  }

  /** Forgets every picture (a new run, another trainer). Credits still owed are given back. */
  clear(): void {
    this.current = null;
    this.told = null;
    this.arrived = null;
    this.owedForCurrent.push(...this.owedForArrived);
    this.owedForArrived = [];
    this.acknowledge();
    this.clock?.invalidate();
  }

  /** Pictures change at most this often (reduced motion); 0: at every animation frame. */
  setMinimumInterval(intervalMs: number): void {
    this.intervalMs = intervalMs;
    this.clock?.invalidate();
  }

  /** Called whenever a frame arrives, before it is painted. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  private present(nowMs: number): void {
    if (this.arrived === null) return;
    const wait = this.presentedAtMs + this.intervalMs - nowMs;
    if (wait > 0) {
      this.clock?.invalidateAfter(wait);
      return;
    }
    this.presentedAtMs = nowMs;
    this.current = this.arrived;
    this.arrived = null;
    this.owedForCurrent.push(...this.owedForArrived);
    this.owedForArrived = [];
  }

  private acknowledge(): void {
    const owed = this.owedForCurrent;
    this.owedForCurrent = [];
    for (const drawn of owed) drawn();
  }
}

const NOTHING = new Float32Array(0);

/** With the place of each tensor among the slots, which are looked up a hundred times a picture. */
interface IndexedLayout extends Layout {
  readonly places: Map<TensorKind, Map<string, number>>;
}

function frameView(layout: IndexedLayout, head: FrameHead, payload: Float32Array, serial: number): FrameView {
  if (head.slots.length !== layout.slots.length) {
    throw new GradscopeError(
      'malformed-message',
      `A frame of layout ${String(layout.layoutId)} should describe ${String(layout.slots.length)} tensors, ` +
        `but it describes ${String(head.slots.length)}.`,
    );
  }
  const slots = layout.slots.map((slot, index): FrameSlot => {
    const state = head.slots[index];
    const isThere = slot.offset + slot.length <= payload.length;
    // What was never computed may be left out at the end.
    if (state === undefined || (!isThere && state.freshness !== 'notYet')) {
      throw new GradscopeError(
        'malformed-message',
        `A frame of layout ${String(layout.layoutId)} should hold ${String(slot.offset + slot.length)} values, ` +
          `but it holds ${String(payload.length)}.`,
      );
    }
    const values = isThere ? payload.subarray(slot.offset, slot.offset + slot.length) : NOTHING;
    return { values, shape: slot.sentShape, state, slot };
  });
  const { runId, layoutId, step, phase, layer, example } = head;
  return {
    runId,
    layoutId,
    step,
    phase,
    layer,
    example,
    serial,
    slot: (name, kind) => slots[layout.places.get(kind)?.get(name) ?? -1] ?? null,
  };
}

import type { LayerPlan } from '../../src-shared/model/network';
import { MOST_FRAME_VALUES } from '../../src-shared/protocol/limits';
import {
  type FrameHead,
  INITIAL_CREDITS,
  type Layout,
  type WatchItem,
} from '../../src-shared/protocol/messages';
import type { Slot, SlotState } from '../../src-shared/protocol/messages';
import { countNonFinite } from '../../src-shared/tensor/statistics';
import type { ClientId } from '../training/run-control';
import type { ExampleKind, SessionView } from '../training/session';
import { capture } from './capture';
import { payloadLength, planSlots } from './layout';
import { PicturePool, type SharedPayload } from './picture-pool';

/** What somebody wants to see of the chosen digit besides outputs. Each costs a backward pass. */
export interface DigitWants {
  readonly errors: boolean;
  /** Classes whose saliency is wanted: their numbers, or SAID. */
  readonly saliencies: ReadonlySet<string>;
}

/** The chosen digit's own pass through the network. */
export interface DigitView {
  /** Whether what `read` gives is not that of the weights and the digit as they are now. */
  stale(wants: DigitWants): boolean;
  /** Computes it anew: always when `exact`, else only when its share of the time allows. */
  update(wants: DigitWants, exact: boolean): void;
  /** Finished steps when it was last computed; null: never. */
  readonly step: number | null;
  /** The whole tensor of a digit slot. The array is reused by the next call. */
  read(slot: Slot): Float32Array;
}

/** Everything a picture is taken of. */
export interface PictureSource {
  readonly runId: number;
  readonly session: SessionView;
  readonly digit: DigitView;
  /** Last finished phase, or the phase under way and the layer gone through last. */
  readonly place: { readonly phase: FrameHead['phase']; readonly layer: LayerPlan | null };
}

export interface PublisherOutput {
  layout(client: ClientId, layout: Layout): void;
  /** `payload` is lent: whoever has sent it on gives it back. */
  frame(client: ClientId, head: FrameHead, payload: SharedPayload): void;
}

/**
 * Between two pictures for one client, ms, while training runs without a pause: one that draws none and gives credit at once gets no
 * more. Screens show 60 pictures a second, some 120.
 */
const LEAST_PICTURE_MS = 8;

interface Watcher {
  items: readonly WatchItem[];
  slots: readonly Slot[];
  layoutId: number;
  credits: number;
  /** Frames it was sent and has not drawn. */
  inFlight: number;
  visible: boolean;
  /** Which example of a minibatch it looks at. */
  example: number;
  skipped: number;
  /** The picture that it has not been sent yet. */
  owed: boolean;
  /** When its last one was taken. */
  takenAtMs: number;
}

/**
 * Takes pictures for the pages that look, and only what they look at. A picture costs a credit, which comes back when the
 * page has drawn it; without credit nothing is taken or kept, only counted.
 */
export class Publisher {
  private readonly output: PublisherOutput;
  private readonly wallClock: () => number;
  private readonly pool = new PicturePool();
  private readonly watchers = new Map<ClientId, Watcher>();
  private source: PictureSource | undefined;
  private shown = false;
  private layouts = 0;
  private changedAtMs = 0;
  private changedPlace = '';

  /** @param wallClock ms since 1970 */
  constructor(output: PublisherOutput, wallClock: () => number) {
    this.output = output;
    this.wallClock = wallClock;
  }

  connect(client: ClientId): void {
    this.watchers.set(client, {
      items: [],
      slots: [],
      layoutId: 0,
      credits: 0,
      inFlight: 0,
      visible: true,
      example: 0,
      skipped: 0,
      owed: false,
      takenAtMs: -Infinity,
    });
  }

  disconnect(client: ClientId): void {
    this.watchers.delete(client);
  }

  /** Whether anybody is there. */
  get hasWatchers(): boolean {
    return this.watchers.size > 0;
  }

  /** Whether anybody is looking at pictures now. */
  get isWatched(): boolean {
    for (const { visible, slots } of this.watchers.values()) if (visible && slots.length > 0) return true;
    return false;
  }

  /** Whether anybody has drawn a picture of this run. */
  get hasShown(): boolean {
    return this.shown;
  }

  /** A new run: everybody gets a layout for its network, as what was sent before has no meaning any more. */
  setSource(source: PictureSource): void {
    this.source = source;
    this.shown = false;
    for (const [client, watcher] of this.watchers) {
      if (watcher.items.length > 0) this.layOut(client, watcher);
    }
    this.changed();
  }

  watch(client: ClientId, items: readonly WatchItem[]): void {
    const watcher = this.watchers.get(client);
    if (watcher === undefined) return;
    watcher.items = items;
    this.layOut(client, watcher);
  }

  credit(client: ClientId, count: number): void {
    const watcher = this.watchers.get(client);
    if (watcher === undefined) return;
    if (watcher.inFlight > 0) this.shown = true;
    watcher.inFlight = Math.max(0, watcher.inFlight - count);
    watcher.credits = Math.min(INITIAL_CREDITS, watcher.credits + count);
  }

  /** A frame that could not be handed to the transport: its credit is back, and the picture is one that was skipped. */
  frameDropped(client: ClientId): void {
    const watcher = this.watchers.get(client);
    if (watcher === undefined) return;
    this.credit(client, 1);
    watcher.skipped += 1;
  }

  setVisible(client: ClientId, visible: boolean): void {
    const watcher = this.watchers.get(client);
    if (watcher !== undefined) watcher.visible = visible;
  }

  /** Chooses which example of the minibatch this client sees; of a smaller minibatch it sees the last. */
  chooseExample(client: ClientId, example: number): void {
    const watcher = this.watchers.get(client);
    if (watcher === undefined || watcher.example === example) return;
    watcher.example = example;
    if (this.source?.session.inStep === true && watcher.slots.some(isOfExample)) watcher.owed = true;
  }

  /** Whether a step that this client asked for may begin: it has drawn the last one, or nobody is there to see it. */
  hasDrawn(client: ClientId): boolean {
    const watcher = this.watchers.get(client);
    return watcher === undefined || !watcher.visible || watcher.inFlight === 0;
  }

  /** Something that can be seen is not what it was. */
  changed(): void {
    this.changedAtMs = this.wallClock();
    this.changedPlace = this.place();
    for (const watcher of this.watchers.values()) {
      if (watcher.slots.length === 0) continue;
      if (watcher.owed) watcher.skipped += 1;
      watcher.owed = true;
    }
  }

  /** Training stands: makes sure that a picture of exactly this place is on its way, once. */
  stood(): void {
    if (this.source === undefined) return;
    const digitIsOld = this.someWatch(isOfDigit) && this.source.digit.stale(this.digitWants());
    if (digitIsOld || this.place() !== this.changedPlace) this.changed();
  }

  /**
   * Sends every picture that is owed and paid for.
   * @param when what training is at: a step that is just `applied`, a `pause` between two steps that it makes by itself (a test), or
   * it `stands`, so that nothing may be old
   */
  publish(when: 'applied' | 'pause' | 'stands'): void {
    for (const [client, watcher] of this.watchers) {
      if (watcher.owed && watcher.credits > 0 && this.source !== undefined) {
        if (when === 'applied' && this.isTooSoon(watcher)) continue;
        this.take(client, watcher, this.source, when);
      }
    }
  }

  /** A clock that was put back is no reason to wait. */
  private isTooSoon({ takenAtMs }: Watcher): boolean {
    const sinceMs = this.wallClock() - takenAtMs;
    return sinceMs >= 0 && sinceMs < LEAST_PICTURE_MS;
  }

  /** Where training is, as far as pictures can tell. */
  private place(): string {
    if (this.source === undefined) return '';
    const { session, place } = this.source;
    return `${String(session.step)} ${place.phase ?? ''} ${place.layer?.spec.name ?? ''}`;
  }

  private someWatch(which: (slot: Slot) => boolean): boolean {
    return [...this.watchers.values()].some((watcher) => watcher.slots.some(which));
  }

  /** All pages' wants together, or two of them would make each other's digit old. */
  private digitWants(): DigitWants {
    let errors = false;
    const saliencies = new Set<string>();
    for (const { slots } of this.watchers.values()) {
      for (const { kind, name } of slots) {
        if (kind === 'digitError') errors = true;
        else if (kind === 'digitSaliency') saliencies.add(name);
      }
    }
    return { errors, saliencies };
  }

  private layOut(client: ClientId, watcher: Watcher): void {
    if (this.source === undefined) return;
    this.layouts += 1;
    watcher.layoutId = this.layouts;
    const slots = planSlots(this.source.session.plan, watcher.items);
    // Whoever hears of a layout that is too large sends the client away; until then no picture is taken for it.
    watcher.slots = payloadLength(slots) > MOST_FRAME_VALUES ? [] : slots;
    watcher.owed = watcher.slots.length > 0;
    this.output.layout(client, { type: 'layout', layoutId: watcher.layoutId, slots: [...slots] });
  }

  private take(
    client: ClientId,
    watcher: Watcher,
    source: PictureSource,
    when: Parameters<Publisher['publish']>[0],
  ): void {
    const { session, digit } = source;
    if (watcher.slots.some(isOfDigit)) digit.update(this.digitWants(), when === 'stands');
    const example = session.inStep ? exampleOf(watcher, session) : null;
    const sent = session.inStep ? watcher.slots : withoutLastExamples(watcher.slots);
    const payload = this.pool.take(payloadLength(sent));
    const states = watcher.slots.map((slot) => takeSlot(slot, source, example, payload));
    const head: FrameHead = {
      type: 'frame',
      runId: source.runId,
      layoutId: watcher.layoutId,
      step: session.step,
      phase: source.place.phase,
      layer: source.place.layer?.spec.name ?? null,
      example,
      appliedAtMs: when === 'applied' ? this.changedAtMs : null,
      skipped: watcher.skipped,
      slots: states,
    };
    watcher.credits -= 1;
    watcher.inFlight += 1;
    watcher.skipped = 0;
    watcher.owed = false;
    watcher.takenAtMs = this.wallClock();
    this.output.frame(client, head, payload);
  }
}

const isOfDigit = (slot: Slot): boolean => slot.kind.startsWith('digit');

/** Which tensor of a layer each kind of slot shows. */
const OF_EXAMPLE: Partial<Record<Slot['kind'], ExampleKind>> = {
  output: 'activation',
  error: 'error',
  mask: 'mask',
};
const isOfExample = (slot: Slot): boolean => OF_EXAMPLE[slot.kind] !== undefined;

const exampleOf = ({ example }: Watcher, { minibatch }: SessionView): number =>
  Math.min(example, (minibatch?.indices.length ?? 1) - 1);

/** Outside a step there is no example to see; slots at the end of a frame that hold nothing are not sent. */
function withoutLastExamples(slots: readonly Slot[]): readonly Slot[] {
  return slots.slice(0, slots.findLastIndex((slot) => !isOfExample(slot)) + 1);
}

function takeSlot(
  slot: Slot,
  source: PictureSource,
  example: number | null,
  payload: Float32Array,
): SlotState {
  const { session, digit } = source;
  const kind = OF_EXAMPLE[slot.kind];
  if (kind !== undefined) {
    const found = example === null ? null : session.readExample(slot.name, kind, example);
    if (found === null) {
      // What is lent holds what was in it before.
      payload.fill(0, slot.offset, slot.offset + slot.length);
      return { freshness: 'notYet', step: 0, phase: null, nan: 0, infinite: 0 };
    }
    const { values, step, phase } = found;
    capture(values, slot, payload);
    return { freshness: 'fresh', step, phase, ...countNonFinite(values) };
  }
  if (slot.kind === 'weight' || slot.kind === 'gradient' || slot.kind === 'update') {
    const { values, freshness, step, phase } = session.mirror(slot.name)[slot.kind];
    capture(values, slot, payload);
    return { freshness, step, phase, ...countNonFinite(values) };
  }
  const values = digit.read(slot);
  capture(values, slot, payload);
  return {
    freshness: digit.step === null ? 'notYet' : digit.step === session.step ? 'fresh' : 'old',
    step: digit.step ?? 0,
    phase: null,
    ...countNonFinite(values),
  };
}

import type { NetworkPlan } from '../../../src-shared/model/network';
import { nonFinitePlace } from '../../../src-shared/text/non-finite';
import { isBlank, type FrameSlot, type FrameView } from '../../frames/frame-store';
import { WeightSnapshots } from '../../frames/weight-snapshots';
import { colourTable, type ColourTable } from '../../scene/colour-table';
import { FilterSilence, healthOf, type Health } from '../../scene/health';
import { kernelNumber, kernelShape, networkRows, type LayerRow } from '../../scene/network-rows';
import { Scale, wholeOf } from '../../scene/scale';
import { ScaleBook, type ScaledTensor } from '../../scene/scale-book';
import type { Tiles } from '../../scene/tiles';
import { changeSteps, SORT_MEASURES } from '../../scene/sorting';
import { appStore, type AppState, type Selection } from '../../state/store';
import type { PageParts } from '../page-context';

export { isBlank } from '../../frames/frame-store';

export const KERNEL_KINDS = ['weight', 'gradient', 'update'] as const;
export type KernelKind = (typeof KERNEL_KINDS)[number];
export const MAP_KINDS = ['digitOutput', 'digitError', 'output', 'error'] as const;
export type MapKind = (typeof MAP_KINDS)[number];
/** The two columns of maps. */
export type MapSide = 'output' | 'error';

/** What a column of maps shows: the chosen digit, inside a step an example of the minibatch. */
export function mapKind(view: FrameView | null, side: MapSide): MapKind {
  if (view !== null && view.example !== null) return side;
  return side === 'output' ? 'digitOutput' : 'digitError';
}

export const isKernelKind = (kind: KernelKind | MapKind): kind is KernelKind =>
  kind === 'weight' || kind === 'gradient' || kind === 'update';

/** Where the pointer is: a value of a kernel picture or of a map. */
export interface Hover {
  readonly layer: string;
  readonly kind: KernelKind | MapKind;
  /** Kernel, map or unit. */
  readonly kernel: number;
  /** Index of the value in the tensor; null where it is one mean of several. */
  readonly index: number | null;
}

/**
 * What all parts of the scope know together about the newest picture: its scales, which filters are dead, the
 * weights of pictures before, where the pointer is. Brought up to date once a picture, by whoever paints first.
 */
export class ScopeModel {
  private readonly parts: Pick<PageParts, 'frames' | 'metrics' | 'loop'>;
  private readonly scales = new ScaleBook();
  private readonly mapScales = new Map<string, Scale>();
  private readonly silences = new Map<string, FilterSilence>();
  /** By layer: the last verdict, since which step, and of which rows of metrics. */
  private readonly verdicts = new Map<string, { kind: Health['kind']; since: number; revision: number }>();
  /** Earlier weights, for the orders by how far they have gone. */
  readonly snapshots = new WeightSnapshots(SORT_MEASURES.flatMap((by) => changeSteps(by) ?? []));
  /** By layer: W, g and dW where they have too few pixels a value to tell one from the next. A loupe then shows them. */
  readonly finePictures = new Map<string, Tiles>();
  private plan: NetworkPlan | null = null;
  private layers: readonly LayerRow[] = [];
  /** Whose outputs and errors may be shown. */
  private mapNames: readonly string[] = [];
  private seenKey = '';
  private hovered: Hover | null = null;
  private pointedAt = { x: 0, y: 0 };

  constructor(parts: Pick<PageParts, 'frames' | 'metrics' | 'loop'>) {
    this.parts = parts;
    appStore.subscribe((state, previous) => {
      if (concernsPictures(state, previous)) parts.loop.invalidate();
    });
    parts.metrics.subscribe(() => {
      parts.loop.invalidateWords();
    });
  }

  /** The picture on the screen, with everything here brought up to date with it. */
  refresh(): FrameView | null {
    const state = appStore.getState();
    this.follow(state);
    const view = this.parts.frames.latest();
    const { scaleScope, scaleLocked } = state.view;
    // A picture at which training stands has exactly the scale of the rule, even if it came while it still ran.
    const settle = state.status?.state !== 'running';
    const key = `${String(view?.serial)} ${scaleScope} ${String(scaleLocked)} ${String(settle)}`;
    if (view === null || key === this.seenKey) return view;
    this.seenKey = key;
    const tensors: ScaledTensor[] = [];
    for (const { layer, weight } of this.layers) {
      const { height, width } = kernelShape(weight.shape);
      for (const kind of KERNEL_KINDS) {
        const slot = view.slot(weight.name, kind);
        if (slot === null || isBlank(slot)) continue;
        const reduced = slot.slot.block !== null;
        const kernelSize = reduced ? (slot.shape[1] ?? 1) : height * width;
        tensors.push({ name: weight.name, kind, values: slot.values, kernelSize });
        if (kind === 'gradient' && !reduced && slot.state.freshness === 'fresh') {
          this.silenceOf(layer.spec.name, weight.shape[0] ?? 1).see(slot.state.step, slot.values);
        }
      }
    }
    this.scales.update(tensors, { scope: scaleScope, locked: scaleLocked, settle });
    this.updateMapScales(view, settle);
    this.snapshots.see(
      view,
      this.layers.map(({ weight }) => weight.name),
    );
    return view;
  }

  /** End of the scale of W, g or dW, and how many of the values it is taken over lie beyond. */
  scaleOf(parameter: string, kind: KernelKind, kernel: number): Scale {
    return this.scales.scaleOf(parameter, kind, kernel);
  }

  /** Scale of each kernel; returns whether any changed. */
  fillScales(parameter: string, kind: KernelKind, target: Float64Array): boolean {
    return this.scales.fill(parameter, kind, target);
  }

  /** Output and error of a layer, always over the whole layer; the output of `input` is the image. */
  mapScaleOf(layer: string, kind: MapKind): Scale {
    const key = `${kind} ${layer}`;
    let scale = this.mapScales.get(key);
    if (scale === undefined) {
      scale = new Scale();
      this.mapScales.set(key, scale);
    }
    return scale;
  }

  colours(): ColourTable {
    return colourTable(appStore.getState().view.theme);
  }

  /** The verdict on a layer, and the finished step at which this page saw it first. */
  health({ layer, weight }: LayerRow): { readonly health: Health; readonly since: number } {
    const { metrics, frames } = this.parts;
    const view = frames.latest();
    const { name } = layer.spec;
    const silence = this.silences.get(name);
    const ofNumbers = healthOf({
      ...worst(KERNEL_KINDS.map((kind) => view?.slot(weight.name, kind)?.state)),
      gradientNorms: metrics.column(`gradientNorm:${name}`),
      updateNorms: metrics.column(`updateNorm:${name}`),
      weightNorms: metrics.column(`weightNorm:${name}`),
      losses: metrics.column('loss'),
      classes: this.plan?.classes ?? 0,
      from: metrics.stepsOfOtherWeights,
      deadFilters: silence?.dead() ?? [],
      silence: silence?.silent() ?? { filters: [], pictures: 0 },
    });
    const health = ofNumbers.kind === 'nonFinite' ? ofNumbers : (metIn(name) ?? ofNumbers);
    const { length, revision } = metrics;
    const before = this.verdicts.get(name);
    const isSame = before?.kind === health.kind && before.revision === revision && before.since <= length;
    const since = isSame ? before.since : length;
    this.verdicts.set(name, { kind: health.kind, since, revision });
    return { health, since };
  }

  /** Filters that get no gradient (see scene/health.ts). */
  dead(layer: string): readonly number[] {
    return this.silences.get(layer)?.dead() ?? [];
  }

  get hover(): Hover | null {
    return this.hovered;
  }

  /** Where the pointer is in the window, CSS pixels. */
  get pointer(): { readonly x: number; readonly y: number } {
    return this.pointedAt;
  }

  /** The pointer moved: over a value, or over nothing. */
  point(hover: Hover | null, pointer: { clientX: number; clientY: number }): void {
    this.hovered = hover;
    this.pointedAt = { x: pointer.clientX, y: pointer.clientY };
    this.parts.loop.invalidate();
  }

  private follow({ plan }: AppState): void {
    if (plan !== this.plan) {
      this.plan = plan;
      this.mapNames = plan === null ? [] : ['input', ...plan.layers.map(({ spec }) => spec.name)];
      this.layers = plan === null ? [] : networkRows(plan).filter((row) => row.kind === 'layer');
      this.scales.clear();
      this.mapScales.clear();
      this.silences.clear();
      this.verdicts.clear();
      this.snapshots.clear();
      this.seenKey = '';
    }
  }

  private silenceOf(layer: string, filters: number): FilterSilence {
    let silence = this.silences.get(layer);
    if (silence === undefined) {
      silence = new FilterSilence(filters);
      this.silences.set(layer, silence);
    }
    return silence;
  }

  private updateMapScales(view: FrameView, settle: boolean): void {
    for (const name of this.mapNames) {
      for (const kind of MAP_KINDS) {
        const slot = view.slot(name, kind);
        if (slot === null || isBlank(slot)) continue;
        this.mapScaleOf(name, kind).update([wholeOf(slot.values)], { hold: false, settle });
      }
    }
  }
}

/** What comes several times a second while training runs changes words, not pictures. */
const concernsPictures = (state: AppState, previous: AppState): boolean =>
  state.plan !== previous.plan ||
  state.status?.state !== previous.status?.state ||
  state.digit !== previous.digit ||
  state.view !== previous.view;

/** What the trainer met in the layer and no picture of its weights shows: in its bias, its output, its error. */
function metIn(layer: string): Health | null {
  const { nonFinite } = appStore.getState();
  if (nonFinite?.layer !== layer) return null;
  const { nan, infinite } = nonFinite;
  return { kind: 'nonFinite', nan, infinite, place: nonFinitePlace(nonFinite) };
}

/** The state with the most values that are not finite. */
const worst = (states: readonly (FrameSlot['state'] | undefined)[]): { nan: number; infinite: number } =>
  states.reduce(
    (most, state) => {
      const { nan = 0, infinite = 0 } = state ?? {};
      return nan + infinite > most.nan + most.infinite ? { nan, infinite } : most;
    },
    { nan: 0, infinite: 0 },
  );

/** Values of one kernel in a picture; null when they are not in it, or only as block means. */
export function kernelValues(
  view: FrameView,
  { weight }: LayerRow,
  kind: KernelKind,
  selection: Selection,
): { readonly values: Float32Array; readonly step: number; readonly slot: FrameSlot } | null {
  const slot = view.slot(weight.name, kind);
  if (slot === null || slot.slot.block !== null) return null;
  const shape = kernelShape(weight.shape);
  const size = shape.height * shape.width;
  const start = kernelNumber(shape, selection) * size;
  return { values: slot.values.subarray(start, start + size), step: slot.state.step, slot };
}

const models = new WeakMap<object, ScopeModel>();

/** The one model of a page. */
export function scopeModelOf(parts: PageParts): ScopeModel {
  let model = models.get(parts.frames);
  if (model === undefined) {
    model = new ScopeModel(parts);
    models.set(parts.frames, model);
  }
  return model;
}

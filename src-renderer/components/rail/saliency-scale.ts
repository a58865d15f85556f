import type { FrameSlot, FrameStore } from '../../frames/frame-store';
import { Scale, wholeOf } from '../../scene/scale';
import { appStore, type SaliencyClass } from '../../state/store';
import { isBlank } from '../scope/scope-model';

/** The scale of the saliency on the screen, one for all its pictures and words: brought up to date by whoever comes first. */
export class SaliencyScale {
  private readonly frames: FrameStore;
  private scale = new Scale();
  private ofClass: SaliencyClass | null = null;
  private seenKey = '';

  constructor(frames: FrameStore) {
    this.frames = frames;
  }

  /** The newest saliency of this class, and the scale it is on; null where there is none. */
  refresh(ofClass: SaliencyClass): { readonly slot: FrameSlot; readonly scale: Scale } | null {
    const view = this.frames.latest();
    const slot = view?.slot(String(ofClass), 'digitSaliency') ?? null;
    if (view === null || slot === null || isBlank(slot)) return null;
    // Another class is another picture: a scale that waits before it steps down would show it too pale.
    if (ofClass !== this.ofClass) this.scale = new Scale();
    this.ofClass = ofClass;
    const settle = appStore.getState().status?.state !== 'running';
    const key = `${String(view.serial)} ${String(ofClass)} ${String(settle)}`;
    if (key !== this.seenKey) this.scale.update([wholeOf(slot.values)], { hold: false, settle });
    this.seenKey = key;
    return { slot, scale: this.scale };
  }
}

const scales = new WeakMap<FrameStore, SaliencyScale>();

/** The one of a page. */
export function saliencyScaleOf(frames: FrameStore): SaliencyScale {
  const known = scales.get(frames) ?? new SaliencyScale(frames);
  scales.set(frames, known);
  return known;
}

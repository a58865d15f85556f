import {
  MARK_MARGIN,
  markCanvasSize,
  markDeadKernels,
  markDeadMaps,
  markNonFinite,
  type MarkSpace,
} from '../../draw/marks';
import { markFates, type FateMarks } from '../../draw/fate-marks';
import { tokens } from '../../draw/tokens';
import { setHidden } from '../set-text';

export interface MarkContent {
  /** The values, when some of them are NaN or infinite. */
  readonly nonFinite: Float32Array | null;
  readonly deadKernels: readonly number[];
  readonly deadMaps: readonly number[];
  /** Where an error came from, standing at the layer; null: nothing of it is marked. */
  readonly fates: FateMarks | null;
}

/** The canvas over a picture. It is there only while there is something to mark. */
export class MarkLayer {
  private readonly canvas: HTMLCanvasElement;
  private readonly space: MarkSpace;
  private drawnKey = '';

  constructor(canvas: HTMLCanvasElement, space: MarkSpace) {
    this.canvas = canvas;
    this.space = space;
    setHidden(canvas, true);
  }

  /** Marks only what is no number; null, or values that all are numbers: nothing. */
  paintNonFinite(values: Float32Array | null, key: string): void {
    const isBad = values?.some((value) => !Number.isFinite(value)) === true;
    this.paint({ nonFinite: isBad ? values : null, deadKernels: [], deadMaps: [], fates: null }, key);
  }

  /** @param key says when the content is another */
  paint({ nonFinite, deadKernels, deadMaps, fates }: MarkContent, key: string): void {
    const empty = nonFinite === null && deadKernels.length === 0 && deadMaps.length === 0 && fates === null;
    if (empty) {
      setHidden(this.canvas, true);
      this.drawnKey = '';
      return;
    }
    const full = `${key} ${deadKernels.join()} ${deadMaps.join()} ${nonFinite === null ? '' : 'non-finite'} ${fates === null ? '' : 'fates'}`;
    if (full === this.drawnKey) return;
    this.drawnKey = full;
    const { width, height } = markCanvasSize(this.space);
    const { canvas } = this;
    // Setting the size clears the canvas.
    canvas.width = width;
    canvas.height = height;
    canvas.style.width = `${String(width / this.space.pixelRatio)}px`;
    canvas.style.height = `${String(height / this.space.pixelRatio)}px`;
    canvas.style.left = canvas.style.top = `${String(-MARK_MARGIN)}px`;
    setHidden(canvas, false);
    const context = canvas.getContext('2d');
    if (context === null) return;
    const { nan, zero, warn, mark, ink2, ink3, line2 } = tokens();
    if (fates !== null)
      markFates(context, this.space, fates, {
        outline: mark,
        faintOutline: ink3,
        cross: ink2,
        windows: line2,
      });
    if (nonFinite !== null) markNonFinite(context, this.space, nonFinite, { nan, zero });
    markDeadKernels(context, this.space, deadKernels, warn);
    markDeadMaps(context, this.space, deadMaps, warn);
  }
}

import {
  MARK_MARGIN,
  markCanvasSize,
  markDeadKernels,
  markDeadMaps,
  markNonFinite,
  type MarkSpace,
} from '../../draw/marks';
import { tokens } from '../../draw/tokens';

export interface MarkContent {
  /** The values, when some of them are NaN or infinite. */
  readonly nonFinite: Float32Array | null;
  readonly deadKernels: readonly number[];
  readonly deadMaps: readonly number[];
}

/** The canvas over a picture. It is there only while there is something to mark. */
export class MarkLayer {
  private readonly canvas: HTMLCanvasElement;
  private readonly space: MarkSpace;
  private drawnKey = '';

  constructor(canvas: HTMLCanvasElement, space: MarkSpace) {
    this.canvas = canvas;
    this.space = space;
    canvas.hidden = true;
  }

  /** @param key says when the content is another */
  paint({ nonFinite, deadKernels, deadMaps }: MarkContent, key: string): void {
    const empty = nonFinite === null && deadKernels.length === 0 && deadMaps.length === 0;
    if (empty) {
      this.canvas.hidden = true;
      this.drawnKey = '';
      return;
    }
    const full = `${key} ${deadKernels.join()} ${deadMaps.join()} ${nonFinite === null ? '' : 'non-finite'}`;
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
    canvas.hidden = false;
    const context = canvas.getContext('2d');
    if (context === null) return;
    const { nan, zero, warn } = tokens();
    if (nonFinite !== null) markNonFinite(context, this.space, nonFinite, { nan, zero });
    markDeadKernels(context, this.space, deadKernels, warn);
    markDeadMaps(context, this.space, deadMaps, warn);
  }
}

/** From one box to the next, CSS pixels; the last of them is the gap. */
const PITCH = 5;
/** Between two rows of boxes, CSS pixels. */
const ROW_GAP = 2;

export interface BoxRows {
  readonly count: number;
  readonly perRow: number;
  /** Of one box, CSS pixels. */
  readonly height: number;
}

/** In as few rows as `width` CSS pixels allow (infinite: in one), all of them about equally long. */
export function boxRows(count: number, width: number, height: number): BoxRows {
  const most = Math.min(count, Math.max(1, Math.floor((width + 1) / PITCH)));
  return { count, perRow: Math.ceil(count / Math.ceil(count / most)), height };
}

/** CSS pixels. */
export const boxesSize = ({ count, perRow, height }: BoxRows): { width: number; height: number } => ({
  width: Math.min(count, perRow) * PITCH - 1,
  height: Math.ceil(count / perRow) * (height + ROW_GAP) - ROW_GAP,
});

export interface BoxColours {
  readonly kept: string;
  readonly dropped: string;
  readonly unknown: string;
}

/**
 * What dropout decided, in CSS pixels: kept is filled, dropped is open, and of what is not decided yet only the ground line.
 *
 * @param factors one a box, 0 where it was dropped; null: not decided yet
 */
export function paintBoxes(
  context: Pick<
    CanvasRenderingContext2D,
    'fillStyle' | 'strokeStyle' | 'lineWidth' | 'fillRect' | 'strokeRect'
  >,
  { count, perRow, height }: BoxRows,
  factors: Float32Array | null,
  colours: BoxColours,
): void {
  context.lineWidth = 1;
  for (let index = 0; index < count; index += 1) {
    const x = (index % perRow) * PITCH;
    const y = Math.floor(index / perRow) * (height + ROW_GAP);
    if (factors === null) {
      context.fillStyle = colours.unknown;
      context.fillRect(x, y + height - 1, PITCH - 1, 1);
    } else if (factors[index] === 0) {
      context.strokeStyle = colours.dropped;
      context.strokeRect(x + 0.5, y + 0.5, PITCH - 2, height - 1);
    } else {
      context.fillStyle = colours.kept;
      context.fillRect(x, y, PITCH - 1, height);
    }
  }
}

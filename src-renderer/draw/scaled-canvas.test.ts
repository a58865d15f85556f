import fc from 'fast-check';
import { expect, test } from 'vitest';
import { scaledContext } from './scaled-canvas';

/** What a canvas keeps of a size that it is given, and what it would refuse. */
function canvasOf(): { canvas: HTMLCanvasElement; scales: number[][] } {
  const scales: number[][] = [];
  const context = { reset: () => undefined, scale: (...factors: number[]) => scales.push(factors) };
  const canvas = { width: 300, height: 150, style: {}, getContext: () => context };
  return { canvas: canvas as unknown as HTMLCanvasElement, scales };
}

// Catches: a canvas without pixels in a window without room, and one beyond what browsers allow on a large screen.
test('a canvas has whole pixels, at least one and at most what browsers allow, and covers its size', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 40_000, noNaN: true }),
      fc.double({ min: 0, max: 4320, noNaN: true }),
      fc.double({ min: 0.25, max: 4, noNaN: true }),
      (width, height, ratio) => {
        const { canvas, scales } = canvasOf();
        scaledContext(canvas, width, height, ratio);
        for (const side of [canvas.width, canvas.height]) {
          expect(Number.isInteger(side)).toBe(true);
          expect(side).toBeGreaterThanOrEqual(1);
          expect(side).toBeLessThanOrEqual(16_384);
        }
        const [across = 0, down = 0] = scales[0] ?? [];
        expect(Number.isFinite(across) && Number.isFinite(down)).toBe(true);
        expect(Math.abs(width * across - canvas.width)).toBeLessThanOrEqual(1);
        expect(Math.abs(height * down - canvas.height)).toBeLessThanOrEqual(1);
      },
    ),
  );
});

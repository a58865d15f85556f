import type { BrowserContext, Page } from '@playwright/test';
import type { Box } from './gradscope-page';

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** RGBA, row by row. */
  readonly bytes: Uint8Array;
}

/** What is on the screen, in CSS pixels (the tests run at one device pixel each). */
export async function screenshot(page: Page, context: BrowserContext): Promise<Picture> {
  const png = await page.screenshot({ animations: 'disabled', caret: 'hide' });
  // A page of its own decodes it: Chromium has the decoder, and Gradscope's content policy need not allow it.
  const decoder = await context.newPage();
  try {
    return await decoder.evaluate(async (encoded) => {
      const blob = new Blob([Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0))]);
      const bitmap = await createImageBitmap(blob);
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      const drawing = canvas.getContext('2d');
      if (drawing === null) throw new Error('no canvas');
      drawing.drawImage(bitmap, 0, 0);
      const { data } = drawing.getImageData(0, 0, bitmap.width, bitmap.height);
      return { width: bitmap.width, height: bitmap.height, bytes: new Uint8Array(data.buffer) };
    }, png.toString('base64'));
  } finally {
    await decoder.close();
  }
}

/** As CSS writes it: `rgb(1 2 3)`. */
export function colourAt({ bytes, width }: Picture, x: number, y: number): string {
  const at = (Math.floor(y) * width + Math.floor(x)) * 4;
  return `rgb(${bytes.subarray(at, at + 3).join(' ')})`;
}

/** Colours of a `rows` x `columns` picture in `box`, each taken in the middle of its value's square. */
export function cellColours(picture: Picture, box: Box, rows: number, columns: number): string[] {
  return Array.from({ length: rows * columns }, (_, at) =>
    colourAt(
      picture,
      box.x + (((at % columns) + 0.5) * box.width) / columns,
      box.y + ((Math.floor(at / columns) + 0.5) * box.height) / rows,
    ),
  );
}

/** Every colour in `box` and how many pixels have it. */
export function histogram(picture: Picture, box: Box): Map<string, number> {
  const counts = new Map<string, number>();
  for (let y = box.y; y < box.y + box.height; y += 1) {
    for (let x = box.x; x < box.x + box.width; x += 1) {
      const colour = colourAt(picture, x, y);
      counts.set(colour, (counts.get(colour) ?? 0) + 1);
    }
  }
  return counts;
}

import { useEffect, useRef, type ReactElement } from 'react';
import { useApp } from '../../state/store';

/** An image of the dataset as a person wrote it: ink on the paper of the theme. */
export function DigitCanvas({
  pixels,
  width,
  height,
  label,
}: {
  pixels: Uint8Array;
  width: number;
  height: number;
  label: string;
}): ReactElement {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useApp(({ view }) => view.theme);
  useEffect(() => {
    const context = canvas.current?.getContext('2d') ?? null;
    if (context === null) return;
    const image = context.createImageData(width, height);
    pixels.forEach((byte, index) => {
      const grey = theme === 'dark' ? 18 + byte * 0.92 : 255 - byte * 0.94;
      image.data.set([grey, grey, grey, 255], index * 4);
    });
    context.putImageData(image, 0, 0);
  }, [pixels, width, height, theme]);
  return <canvas ref={canvas} width={width} height={height} role="img" aria-label={label} />;
}

import { useRef, type ReactElement } from 'react';
import { useApp } from '../../state/store';
import { useWords } from '../live';
import { usePage } from '../page-context';
import { exampleValues } from '../scope/error-fates';

/** The image of the example as the network gets it, in grey from its smallest value to its largest. */
export function ExampleImage({ label }: { label: number | null }): ReactElement {
  const { frames } = usePage();
  const theme = useApp(({ view }) => view.theme);
  const [, height = 28, width = 28] = useApp(({ plan }) => plan?.spec.input ?? NO_SHAPE);
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = useRef('');
  useWords(() => {
    const view = frames.latest();
    const values = exampleValues(view, 'input', 'output');
    const key = `${String(view?.serial)} ${theme}`;
    const context = canvas.current?.getContext('2d') ?? null;
    if (context === null || values === null || key === drawn.current) return;
    drawn.current = key;
    context.putImageData(greyImage(context.createImageData(width, height), values, theme === 'dark'), 0, 0);
  });
  const name = `image of the example${label === null ? '' : `, label ${String(label)}`}`;
  return <canvas ref={canvas} width={width} height={height} role="img" aria-label={name} />;
}

const NO_SHAPE: readonly number[] = [];

/** The first channel: ink light on a dark page, dark on a light one. */
function greyImage(image: ImageData, values: Float32Array, isDark: boolean): ImageData {
  const { width, height, data } = image;
  const plane = values.subarray(0, width * height);
  const least = plane.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const most = plane.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  plane.forEach((value, index) => {
    const ink = most > least ? (value - least) / (most - least) : 0;
    const grey = isDark ? 18 + ink * 234 : 255 - ink * 240;
    data.set([grey, grey, grey, 255], index * 4);
  });
  return image;
}

import { useEffect, useRef, type ReactElement } from 'react';
import { scaledContext } from '../../draw/scaled-canvas';
import { paintStepChart } from '../../draw/step-chart';
import { tokens } from '../../draw/tokens';
import { formatFixed, formatSetting } from '../../scene/numbers';
import type { StepEffect } from '../../scene/step-effect';
import { useApp } from '../../state/store';
import { useWords } from '../live';
import { usePage } from '../page-context';

const HEIGHT = 110;
const WIDTH = 228;

/** The loss along the step. */
export function StepChart({ effect }: { effect: StepEffect }): ReactElement {
  const { loop } = usePage();
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = useRef<readonly unknown[]>([]);
  const theme = useApp(({ view }) => view.theme);
  // The fonts the canvas writes in may come after its first picture.
  useEffect(() => {
    void document.fonts.ready.then(() => {
      drawn.current = [];
      loop.invalidateWords();
    });
  }, [loop]);
  useWords(() => {
    if (canvas.current === null) return;
    const key = [effect, theme, window.devicePixelRatio];
    if (key.every((part, index) => part === drawn.current[index])) return;
    drawn.current = key;
    const context = scaledContext(canvas.current, WIDTH, HEIGHT, window.devicePixelRatio);
    paintStepChart(context, effect, { width: WIDTH, height: HEIGHT }, tokens());
  });
  return <canvas ref={canvas} className="step-chart" role="img" aria-label={described(effect)} />;
}

function described({ points, minimum }: StepEffect): string {
  const measured = points.map(({ share, loss }) => `${formatFixed(loss, 4)} at ${formatSetting(share, 6)}`);
  const lowest =
    minimum === null ? 'The parabola has no minimum' : `The parabola is lowest at ${formatFixed(minimum, 2)}`;
  return `Loss along the step, by the share of it that is taken: ${measured.join(', ')}. ${lowest}.`;
}

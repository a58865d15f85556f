import { useEffect, useRef, type ReactElement } from 'react';
import { colourTable, RAMP_SIZE } from '../../scene/colour-table';
import { setScaleScope, toggleLock } from '../../state/actions';
import { useApp } from '../../state/store';
import { Segments } from '../segments';
import { Tip } from '../tip';
import { keyHint } from '../keymap';
import './legend.css';

const SCOPES = [
  { value: 'kernel', label: 'kernel' },
  { value: 'layer', label: 'layer' },
  { value: 'network', label: 'network' },
] as const;

/** What the colours mean, and what their scale is taken over. */
export function Legend(): ReactElement {
  const scope = useApp(({ view }) => view.scaleScope);
  const locked = useApp(({ view }) => view.scaleLocked);
  return (
    <div className="legend">
      <div className="ramp" role="img" aria-label="Colours from minus to plus the end of the scale">
        <span>−max</span>
        <Ramp />
        <span>+max</span>
      </div>
      <span className="nan-key">
        <i className="nan-chip" />
        NaN
      </span>
      <Segments label="Scale over" size="small" options={SCOPES} value={scope} onChange={setScaleScope} />
      <Tip text={locked ? 'The scale is locked' : 'Lock the scale over time'} hint={keyHint('toggleLock')}>
        <button
          type="button"
          className="lock"
          aria-label="Lock the scale"
          aria-pressed={locked}
          onClick={toggleLock}
        >
          <svg viewBox="0 0 12 12" aria-hidden="true">
            <rect x="2" y="5.2" width="8" height="5.6" rx="1" />
            <path d={locked ? 'M4 5V3.4a2 2 0 0 1 4 0V5' : 'M4 5V3.4a2 2 0 0 1 4 0'} />
          </svg>
        </button>
      </Tip>
    </div>
  );
}

/** One canvas pixel an entry of the table. */
function Ramp(): ReactElement {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useApp(({ view }) => view.theme);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (context === null || context === undefined) return;
    const image = context.createImageData(RAMP_SIZE, 1);
    new Uint32Array(image.data.buffer).set(colourTable(theme).pixels.subarray(0, RAMP_SIZE));
    context.putImageData(image, 0, 0);
  }, [theme]);
  return <canvas ref={canvas} width={RAMP_SIZE} height={1} />;
}

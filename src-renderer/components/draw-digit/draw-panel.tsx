import {
  useEffect,
  useId,
  useRef,
  useState,
  type KeyboardEvent as ReactKeyboardEvent,
  type PointerEvent as ReactPointerEvent,
  type ReactElement,
} from 'react';
import { MNIST_SIDE, prepareDigit } from '../../../src-shared/model/mnist-digit';
import { setDrawOpen } from '../../state/actions';
import { SMALL_SCREEN, useMedia } from '../../state/screen';
import { appStore, useApp } from '../../state/store';
import { CloseIcon } from '../icons';
import { KeyHint } from '../key-hint';
import { isShortcut, keyOf } from '../key-press';
import { usePage } from '../page-context';
import { DigitCanvas } from '../rail/digit-canvas';
import { DigitWords } from '../rail/digit-section';
import { Probabilities } from '../rail/probabilities';
import { SaliencyCaption, SaliencyPicture } from '../rail/saliency';
import { inkOf, paintStrokes, type PenPoint, type Stroke, SURFACE, widthOf } from './pen';

/** How far an arrow key moves the pen: about a pixel of what the network gets. */
const KEY_STEP = 10;
const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
const MIDDLE = { x: SURFACE / 2, y: SURFACE / 2 };

/** Beside the output column, so that feature maps and probabilities are seen to follow the pen. */
export function DrawPanel(): ReactElement | null {
  const isOpen = useApp(({ view }) => view.drawOpen);
  return isOpen ? <OpenPanel /> : null;
}

function OpenPanel(): ReactElement {
  const { commands } = usePage();
  const digit = useApp((state) => state.digit);
  const classes = useApp(({ ready }) => ready?.dataset.classes ?? 0);
  const theme = useApp(({ view }) => view.theme);
  const saliency = useApp(({ view }) => view.saliency);
  const group = useId();
  const isSmall = useMedia(SMALL_SCREEN);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [strokes, setStrokes] = useState<readonly Stroke[]>([]);
  const [assumedLabel, setAssumedLabel] = useState(digit?.assumedLabel ?? null);
  const [pen, setPen] = useState(MIDDLE);
  const [penDown, setPenDown] = useState(false);
  const [withKeys, setWithKeys] = useState(false);
  const pointer = useRef<number | null>(null);
  /** What the network gets of these strokes; null while there is no ink. */
  const [prepared, setPrepared] = useState<Uint8Array | null>(null);

  useEffect(() => {
    const opener = document.activeElement;
    canvas.current?.focus();
    return () => {
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);

  useEffect(() => {
    const { current } = canvas;
    const context = current?.getContext('2d', { willReadFrequently: true }) ?? null;
    if (current === null || context === null) return;
    paintStrokes(context, strokes, getComputedStyle(current).color);
  }, [strokes, theme]);

  useEffect(() => {
    const context = canvas.current?.getContext('2d', { willReadFrequently: true }) ?? null;
    const pixels =
      context === null || strokes.length === 0
        ? null
        : prepareDigit({ width: SURFACE, height: SURFACE, pixels: inkOf(context) });
    setPrepared(pixels);
    if (pixels !== null) void commands.drawDigit({ pixels, assumedLabel });
  }, [strokes, assumedLabel, commands]);

  const clear = (): void => {
    setStrokes([]);
    setPenDown(false);
    // Nothing drawn is no digit, so the network looks at the test image again.
    const { digit: current, lastTestIndex } = appStore.getState();
    if (current?.testIndex === null) void commands.chooseDigit(lastTestIndex);
  };
  const begin = (point: PenPoint): void => {
    setStrokes((all) => [...all, [point]]);
  };
  const draw = (points: readonly PenPoint[]): void => {
    setStrokes((all) => [...all.slice(0, -1), [...(all.at(-1) ?? []), ...points]]);
  };

  const onPointerDown = (event: ReactPointerEvent<HTMLCanvasElement>): void => {
    if (event.button !== 0 || pointer.current !== null) return;
    pointer.current = event.pointerId;
    event.currentTarget.setPointerCapture(event.pointerId);
    setWithKeys(false);
    setPenDown(false);
    begin(pointOf(event.nativeEvent, event.currentTarget));
  };
  const onPointerMove = (event: ReactPointerEvent<HTMLCanvasElement>): void => {
    if (pointer.current !== event.pointerId) return;
    const { nativeEvent, currentTarget } = event;
    const finer = nativeEvent.getCoalescedEvents();
    draw((finer.length > 0 ? finer : [nativeEvent]).map((each) => pointOf(each, currentTarget)));
  };
  const onPointerEnd = (event: ReactPointerEvent<HTMLCanvasElement>): void => {
    if (pointer.current === event.pointerId) pointer.current = null;
  };

  const onKeyDown = (event: ReactKeyboardEvent): void => {
    if (isShortcut(event)) return;
    const arrow = ARROWS[event.key];
    if (arrow !== undefined) {
      const inside = (at: number): number => Math.max(0, Math.min(SURFACE, at));
      const next = { x: inside(pen.x + arrow[0] * KEY_STEP), y: inside(pen.y + arrow[1] * KEY_STEP) };
      setPen(next);
      setWithKeys(true);
      if (penDown) draw([{ ...next, width: 1 }]);
    } else if (keyOf(event.nativeEvent)?.key === ' ') {
      setWithKeys(true);
      if (!penDown && !event.repeat) begin({ ...pen, width: 1 });
      if (!event.repeat) setPenDown(!penDown);
    } else return;
    event.preventDefault();
  };

  return (
    <div
      className="draw-panel"
      role="dialog"
      aria-label="Draw a digit"
      onKeyDown={(event) => {
        if (isShortcut(event) || (event.key !== 'Delete' && event.key !== 'Backspace')) return;
        event.preventDefault();
        clear();
      }}
    >
      <header role="none">
        <h2>Draw a digit</h2>
        <button
          type="button"
          className="icon-button tiny"
          aria-label="Close drawing"
          onClick={() => {
            setDrawOpen(false);
          }}
        >
          <CloseIcon />
        </button>
      </header>
      <div className="sides">
        <div className="surface">
          <canvas
            ref={canvas}
            width={SURFACE}
            height={SURFACE}
            role="application"
            aria-label="Drawing surface"
            aria-describedby="draw-keys"
            tabIndex={0}
            onPointerDown={onPointerDown}
            onPointerMove={onPointerMove}
            onPointerUp={onPointerEnd}
            onPointerCancel={onPointerEnd}
            onKeyDown={onKeyDown}
          />
          {withKeys && (
            <i
              className={penDown ? 'pen down' : 'pen'}
              style={{ left: pen.x, top: pen.y }}
              aria-hidden="true"
            />
          )}
          {strokes.length === 0 && !withKeys && <span className="hint">Draw here</span>}
        </div>
        <div className="side">
          <h3>The network gets</h3>
          <div className="seen">
            {prepared === null ? (
              <p className="blank">nothing drawn yet</p>
            ) : (
              <DigitCanvas
                pixels={prepared}
                width={MNIST_SIDE}
                height={MNIST_SIDE}
                label="What the network gets"
              />
            )}
            {prepared !== null && saliency !== null && (
              <SaliencyPicture saliency={saliency} height={MNIST_SIDE} width={MNIST_SIDE} pixel={2} />
            )}
          </div>
          {prepared !== null && digit?.testIndex === null && (
            <>
              <DigitWords digit={digit} />
              {saliency !== null && <SaliencyCaption saliency={saliency} />}
            </>
          )}
          <label className="assumed">
            take it for
            <select
              value={assumedLabel ?? ''}
              onChange={({ currentTarget: { value } }) => {
                setAssumedLabel(value === '' ? null : Number(value));
              }}
            >
              <option value="">what it says</option>
              {Array.from({ length: classes }, (_, index) => (
                <option key={index}>{index}</option>
              ))}
            </select>
          </label>
          {isSmall && <Probabilities classes={classes} group={group} />}
          <button type="button" className="tool" disabled={strokes.length === 0} onClick={clear}>
            Clear <KeyHint hint="Del" />
          </button>
        </div>
      </div>
      <p id="draw-keys">
        Fitted into 20 × 20 and centred by mass, as MNIST was. Keys: arrows move the pen, Space puts it down
        or lifts it, Del clears, Esc closes.
      </p>
      <span className="unseen" role="status" aria-label="Pen">
        {withKeys ? (penDown ? 'pen down' : 'pen up') : ''}
      </span>
    </div>
  );
}

function pointOf(event: PointerEvent, surface: HTMLElement): PenPoint {
  const { left, top, width, height } = surface.getBoundingClientRect();
  return {
    x: ((event.clientX - left) / width) * SURFACE,
    y: ((event.clientY - top) / height) * SURFACE,
    width: widthOf(event.pressure, event.pointerType),
  };
}

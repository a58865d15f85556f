import { useRef, type ReactElement } from 'react';
import { createPortal } from 'react-dom';
import type { NetworkPlan } from '../../../src-shared/model/network';
import type { FrameView } from '../../frames/frame-store';
import { kernelAddress, kernelName, kernelShape, networkRows } from '../../scene/network-rows';
import { formatCount, formatNumber, formatScale } from '../../scene/numbers';
import type { Scale } from '../../scene/scale';
import { useApp } from '../../state/store';
import { Loupe } from '../loupe/loupe';
import { usePainter } from '../live';
import { arithmeticOf } from '../arithmetic/arithmetic-model';
import { usePage } from '../page-context';
import { setHidden, setText } from '../set-text';
import { isBlank, isKernelKind, scopeModelOf, type Hover, type ScopeModel } from './scope-model';
import './hover-tip.css';

/** From the pointer to the tip, CSS pixels. */
const OFFSET = 14;
const TEXT_INTERVAL_MS = 125;

/** What is under the pointer: which value, how large, on which scale, and how much of the picture is beyond it. */
export function HoverTip(): ReactElement {
  const parts = usePage();
  const model = scopeModelOf(parts);
  const arithmetic = arithmeticOf(parts);
  const plan = useApp((state) => state.plan);
  const isCovered = useApp(({ view }) => view.helpOpen);
  const tip = useRef<HTMLDivElement>(null);
  const shown = useRef<{ hover: Hover | null; atMs: number }>({ hover: null, atMs: 0 });
  usePainter((nowMs) => {
    const { current } = tip;
    if (current === null) return;
    const { hover } = model;
    const hidden = hover === null || plan === null || isCovered || arithmetic.coversHover;
    const words = hidden ? null : describe(model, plan, hover);
    setHidden(current, words === null);
    if (words === null) return;
    const wait = shown.current.atMs + TEXT_INTERVAL_MS - nowMs;
    if (hover === shown.current.hover && wait > 0) parts.loop.invalidateAfter(wait);
    else {
      words.forEach((text, line) => {
        setText(current.children[line] ?? null, text);
      });
      shown.current = { hover, atMs: nowMs };
    }
    const { offsetWidth, offsetHeight } = current;
    const x = model.pointer.x + OFFSET;
    const y = model.pointer.y + OFFSET;
    const left = x + offsetWidth > window.innerWidth - 4 ? model.pointer.x - OFFSET - offsetWidth : x;
    const top = y + offsetHeight > window.innerHeight - 4 ? model.pointer.y - OFFSET - offsetHeight : y;
    current.style.transform = `translate(${String(left)}px, ${String(top)}px)`;
  });
  // In the body, for it may leave the part of the page it belongs to.
  return createPortal(
    <div ref={tip} className="hover-tip" aria-hidden="true" hidden>
      <b />
      <span className="value" />
      <span />
      <span />
      <Loupe />
    </div>,
    document.body,
  );
}

type Lines = readonly [title: string, value: string, scale: string, clipped: string];

const SYMBOLS = { weight: 'W', gradient: 'g', update: 'dW' } as const;

function describe(model: ScopeModel, plan: NetworkPlan, hover: Hover): Lines | null {
  const view = model.refresh();
  if (view === null) return null;
  return isKernelKind(hover.kind)
    ? kernelLines(model, plan, view, hover)
    : mapLines(model, plan, view, hover);
}

function kernelLines(model: ScopeModel, plan: NetworkPlan, view: FrameView, hover: Hover): Lines | null {
  const { layer, kind, kernel, index } = hover;
  if (!isKernelKind(kind)) return null;
  const row = networkRows(plan).find((one) => one.kind === 'layer' && one.layer.spec.name === layer);
  if (row?.kind !== 'layer') return null;
  const slot = view.slot(row.weight.name, kind);
  const shape = kernelShape(row.weight.shape);
  const size = shape.height * shape.width;
  const scale = model.scaleOf(row.weight.name, kind, kernel);
  const blank = slot === null || isBlank(slot);
  const value = blank || index === null ? null : (slot.values[index] ?? null);
  const place =
    index === null
      ? 'mean of a block'
      : shape.inputs === null
        ? `input ${String(index % size)}`
        : `row ${String(Math.floor((index % size) / shape.width))} column ${String(index % shape.width)}`;
  return [
    index === null ? layer : `${kernelName(layer, kernelAddress(shape, kernel))}, ${place}`,
    value === null
      ? `${SYMBOLS[kind]} ${blank ? freshnessWord(slot?.state.freshness) : place}`
      : `${SYMBOLS[kind]} ${formatNumber(value)}`,
    scale.known ? `scale ±${formatScale(scale.value)}` : 'no scale yet',
    scale.known ? clippedWords(scale) : '',
  ];
}

function mapLines(model: ScopeModel, plan: NetworkPlan, view: FrameView, hover: Hover): Lines | null {
  const { layer, kind, kernel, index } = hover;
  if (isKernelKind(kind)) return null;
  const slot = view.slot(layer, kind);
  const shape = plan.layers.find(({ spec }) => spec.name === layer)?.outputShape ?? [];
  const scale = model.mapScaleOf(layer, kind);
  const [, height, width] = shape;
  const what = kind === 'digitOutput' || kind === 'output' ? 'output' : 'error';
  const blank = slot === null || isBlank(slot);
  const value = blank || index === null ? null : (slot.values[index] ?? null);
  const inside =
    index === null || height === undefined || width === undefined ? null : index % (height * width);
  const title =
    width === undefined || inside === null
      ? index === null
        ? `${layer}, mean of its maps`
        : `${layer} unit ${String(kernel)}`
      : `${layer} map ${String(kernel)}, row ${String(Math.floor(inside / width))} column ${String(inside % width)}`;
  return [
    title,
    value === null
      ? `${what}${blank ? ` ${freshnessWord(slot?.state.freshness)}` : ''}`
      : `${what} ${formatNumber(value)}`,
    scale.known ? `scale ±${formatScale(scale.value)}` : 'no scale yet',
    scale.known ? clippedWords(scale) : '',
  ];
}

const freshnessWord = (freshness: string | undefined): string =>
  freshness === 'cleared' ? 'cleared' : 'not yet';

const clippedWords = ({ clipped, values }: Scale): string =>
  `${formatCount(clipped)} of ${formatCount(values)} beyond the scale`;

import { luminance, oklabFromRgb, parseHex, rgbFromOklab, type Rgb } from './oklab';

export type Theme = 'dark' | 'light';

/** Entries of the ramp, from -max to +max. */
export const RAMP_SIZE = 255;
/** Exactly zero. */
export const ZERO_INDEX = 127;
/** NaN and infinity: a colour outside the ramp, so that no value can look like one. */
export const NON_FINITE_INDEX = 255;

/** The ramp at -1, -0.5, 0, +0.5, +1 of the scale, and the colour of NaN and infinity. */
const STOPS: Readonly<Record<Theme, { readonly ramp: readonly string[]; readonly nonFinite: string }>> = {
  dark: { ramp: ['#7CC6FF', '#2C78CF', '#1B1B1B', '#CF6A17', '#FFC27F'], nonFinite: '#FF3DD1' },
  light: { ramp: ['#0A4593', '#5F9DE0', '#FFFFFF', '#EE9A45', '#9A4100'], nonFinite: '#C2008F' },
};

/** Text on a colour lighter than this is black, else white: where both have the same contrast by WCAG 2. */
const TEXT_LUMINANCE = 0.179;

export interface ColourTable {
  readonly theme: Theme;
  /** 256 opaque pixels as canvas memory holds them (R, G, B, A bytes read as one little-endian word). */
  readonly pixels: Uint32Array;
  /** The same as CSS colours. */
  readonly css: readonly string[];
  /** Colour of text on each of them. */
  readonly text: readonly ('#000' | '#fff')[];
}

const tables = new Map<Theme, ColourTable>();

export function colourTable(theme: Theme): ColourTable {
  const known = tables.get(theme);
  if (known !== undefined) return known;
  const colours = [...rampOf(STOPS[theme].ramp), parseHex(STOPS[theme].nonFinite)];
  const table: ColourTable = {
    theme,
    pixels: Uint32Array.from(colours, packPixel),
    css: colours.map(([red, green, blue]) => `rgb(${String(red)} ${String(green)} ${String(blue)})`),
    text: colours.map((colour) => (luminance(colour) > TEXT_LUMINANCE ? '#000' : '#fff')),
  };
  tables.set(theme, table);
  return table;
}

/**
 * Index of a value on a scale that ends at `scale` > 0: linear, 127 for zero, clipped at both ends, 255 for NaN and
 * infinity.
 */
export function colourIndex(value: number, scale: number): number {
  if (!Number.isFinite(value)) return NON_FINITE_INDEX;
  return Math.min(RAMP_SIZE - 1, Math.max(0, Math.floor(ZERO_INDEX + 0.5 + (ZERO_INDEX * value) / scale)));
}

/** Opaque. */
export const packPixel = ([red, green, blue]: Rgb): number =>
  ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;

/** Between two stops the colours are mixed in OKLab; at a stop they are the stop itself. */
function rampOf(stops: readonly string[]): Rgb[] {
  const labs = stops.map((stop) => oklabFromRgb(parseHex(stop)));
  return Array.from({ length: RAMP_SIZE }, (_, index) => {
    const place = (index / (RAMP_SIZE - 1)) * (stops.length - 1);
    const left = Math.min(stops.length - 2, Math.floor(place));
    const share = place - left;
    const from = labs[left];
    const to = labs[left + 1];
    if (from === undefined || to === undefined) throw new Error('A ramp has at least two stops.');
    if (share === 0) return parseHex(stops[left] ?? '');
    if (share === 1) return parseHex(stops[left + 1] ?? '');
    return rgbFromOklab([
      from[0] + (to[0] - from[0]) * share,
      from[1] + (to[1] - from[1]) * share,
      from[2] + (to[2] - from[2]) * share,
    ]);
  });
}

import { packPixel } from '../scene/colour-table';
import { parseHex } from '../scene/oklab';

/** Colours of styles/tokens.css that canvases need. */
export interface Tokens {
  readonly panel: string;
  readonly sunk: string;
  readonly line: string;
  readonly line2: string;
  readonly ink: string;
  readonly ink2: string;
  readonly ink3: string;
  readonly live: string;
  readonly liveInk: string;
  readonly liveText: string;
  readonly warn: string;
  readonly nan: string;
  readonly mark: string;
  readonly zero: string;
  /** `gap` as canvas memory holds it. */
  readonly gapPixel: number;
  /** k1 .. k4. */
  readonly keys: readonly string[];
  readonly font: string;
}

let cached: { readonly key: string; readonly tokens: Tokens } | null = null;

/** Read once a theme, with a trainer and without: the style sheet decides, the canvases follow. */
export function tokens(): Tokens {
  const root = document.documentElement;
  const key = `${root.dataset['theme'] ?? ''} ${root.dataset['trainer'] ?? ''}`;
  if (cached?.key === key) return cached.tokens;
  const style = getComputedStyle(root);
  const read = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const colours: Tokens = {
    panel: read('panel'),
    sunk: read('sunk'),
    line: read('line'),
    line2: read('line2'),
    ink: read('ink'),
    ink2: read('ink2'),
    ink3: read('ink3'),
    live: read('live'),
    liveInk: read('live-ink'),
    liveText: read('live-text'),
    warn: read('warn'),
    nan: read('nan'),
    mark: read('mark'),
    zero: read('z'),
    gapPixel: packPixel(parseHex(read('gap'))),
    keys: ['k1', 'k2', 'k3', 'k4'].map(read),
    font: read('ui'),
  };
  cached = { key, tokens: colours };
  return colours;
}

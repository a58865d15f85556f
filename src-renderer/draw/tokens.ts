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
let forcedColors: MediaQueryList | null = null;

/**
 * The system's colours as numbers, which a canvas need not know by name in the palette that the person has chosen. What
 * asks has to be in the page, and out of the reach of that palette itself.
 */
function systemColours(root: HTMLElement): { of: (value: string) => string; end: () => void } {
  const probe = root.appendChild(root.ownerDocument.createElement('i'));
  probe.hidden = true;
  probe.style.setProperty('forced-color-adjust', 'none');
  const style = getComputedStyle(probe);
  return {
    of: (value) => {
      probe.style.color = value;
      return style.color;
    },
    end: () => {
      probe.remove();
    },
  };
}

/** Read once a theme, with a trainer and without, and for forced colours: the style sheet decides, the canvases follow. */
export function tokens(): Tokens {
  const root = document.documentElement;
  forcedColors ??= matchMedia('(forced-colors: active)');
  const forced = forcedColors.matches;
  const key = `${root.dataset['theme'] ?? ''} ${root.dataset['trainer'] ?? ''} ${String(forced)}`;
  if (cached?.key === key) return cached.tokens;
  const style = getComputedStyle(root);
  const raw = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const system = forced ? systemColours(root) : null;
  const read = (name: string): string => system?.of(raw(name)) ?? raw(name);
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
    gapPixel: packPixel(parseHex(raw('gap'))),
    keys: ['k1', 'k2', 'k3', 'k4'].map(read),
    font: raw('ui'),
  };
  system?.end();
  cached = { key, tokens: colours };
  return colours;
}

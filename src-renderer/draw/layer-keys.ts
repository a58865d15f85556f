import type { Tokens } from './tokens';

/** Colour of the n-th layer with weights; further layers repeat the four with a dash. */
export const layerColour = ({ keys }: Tokens, keyIndex: number): string => keys[keyIndex % keys.length] ?? '';

const KEYS = 4;

/** Lengths of line and gap of the first four layers, of the next four, and of all others, CSS pixels. */
const DASHES: readonly (readonly number[])[] = [[], [3, 2], [1, 2]];

export const layerDash = (keyIndex: number): readonly number[] =>
  DASHES[Math.min(DASHES.length - 1, Math.floor(keyIndex / KEYS))] ?? [];

/** The same colour and dash as the CSS background of a bar or a line in a legend. */
export function layerKey(keyIndex: number, along: 'right' | 'bottom'): string {
  const colour = `var(--k${String((keyIndex % KEYS) + 1)})`;
  const [line, gap] = layerDash(keyIndex);
  if (line === undefined || gap === undefined) return colour;
  const [end, pitch] = [`${String(line)}px`, `${String(line + gap)}px`];
  return `repeating-linear-gradient(to ${along}, ${colour} 0 ${end}, transparent ${end} ${pitch})`;
}

import type { Tokens } from './tokens';

/** Colour of the n-th layer with weights; further layers repeat the four with a dash. */
export const layerColour = ({ keys }: Tokens, keyIndex: number): string => keys[keyIndex % keys.length] ?? '';

const KEYS = 4;
export const layerDash = (keyIndex: number): number[] => (keyIndex < KEYS ? [] : [3, 2]);

/** The same colour as a CSS value. */
export const layerKey = (keyIndex: number): string => `var(--k${String((keyIndex % KEYS) + 1)})`;

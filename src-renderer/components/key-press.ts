/** What a key press is read from; `getModifierState` is left out by tests that hold no AltGr. */
export interface KeyPress
  extends Pick<KeyboardEvent, 'key' | 'code' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey'> {
  readonly isComposing?: boolean;
  readonly getModifierState?: (key: string) => boolean;
}

/** A key of the keymap: `key` as KeyboardEvent.key, Latin letters in lower case. */
export interface PressedKey {
  readonly key: string;
  readonly shift: boolean;
}

/** Letters, marks, digits and signs of a script other than Latin; ASCII and signs that many scripts share are not. */
const OTHER_SCRIPT = /[^\p{scx=Latin}\p{scx=Common}\p{scx=Inherited}]/u;
/** Full-width forms, which an input method may give: `！` to `～`, each 0xfee0 above its ASCII character. */
const FULL_WIDTH = /^[\uff01-\uff5e]$/;
const FULL_WIDTH_OFFSET = 0xfee0;
const WIDE_SPACES = ['\u3000', '\u00a0', '\u202f'];
/** Characters that are commands and that some layouts have on the third level only. */
const THIRD_LEVEL = ['[', ']', '?'];

const asciiOf = (key: string): string => {
  if (WIDE_SPACES.includes(key)) return ' ';
  return FULL_WIDTH.test(key) ? String.fromCharCode(key.charCodeAt(0) - FULL_WIDTH_OFFSET) : key;
};

/**
 * What a keyboard with the US layout gives for this key: letters, digits, brackets, `?` and Space; null for any other.
 * With Shift the digits' keys have signs there.
 */
function usKey(code: string, shift: boolean): string | null {
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  if (letter !== undefined) return letter.toLowerCase();
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(code)?.[1];
  if (digit !== undefined) return shift ? null : digit;
  if (code === 'Space') return ' ';
  if (code === 'Slash') return shift ? '?' : null;
  if (shift) return null;
  return { BracketLeft: '[', BracketRight: ']' }[code] ?? null;
}

/**
 * The key of the keymap that a press stands for; null for none.
 *
 * - A Latin layout goes by the character, so `Q` of AZERTY and Dvorak is where their users know it.
 * - A layout of another script (Cyrillic, Greek, Hangul, Hebrew, Arabic, Thai ...) has no Latin letters, so the place of
 *   the key counts, as on a US keyboard.
 * - Outside text, an input method that is switched on may report every key as `Process` with its place (UI Events,
 *   section 4.3.3), although nothing is being composed: the place counts again.
 * - The digits' row of some Latin layouts (AZERTY, Czech) gives digits with Shift alone: both ways are taken.
 * - Ctrl, Cmd and Alt belong to the browser and the system. AltGr does not: it is how some layouts write brackets.
 */
export function keyOf(press: KeyPress): PressedKey | null {
  if (press.isComposing === true || press.metaKey) return null;
  const shift = press.shiftKey;
  const key = asciiOf(press.key);
  if (writesThirdLevel(press)) return THIRD_LEVEL.includes(key) ? { key, shift } : null;
  if (press.ctrlKey || press.altKey) return null;
  if (key === 'Process' || key === 'Unidentified' || OTHER_SCRIPT.test(key)) {
    const physical = usKey(press.code, shift);
    return physical === null ? null : { key: physical, shift };
  }
  if (key.length !== 1) return { key, shift };
  if (!shift && /^Digit[0-9]$/.test(press.code) && !/[a-z0-9[\]?]/i.test(key)) {
    return { key: press.code.slice(-1), shift };
  }
  return { key: key.toLowerCase(), shift };
}

/**
 * AltGr is held. Browsers that know it say so and leave Ctrl and Alt out; else a bracket that comes with Alt from a key
 * other than the brackets' own is proof of it: Option on a Mac, Ctrl + Alt on older Windows browsers.
 */
function writesThirdLevel(press: KeyPress): boolean {
  const { key, code, ctrlKey, altKey } = press;
  if (!ctrlKey && !altKey) return press.getModifierState?.('AltGraph') ?? false;
  return altKey && (key === '[' || key === ']') && !code.startsWith('Bracket');
}

/** Ctrl, Cmd or Alt is held, so the press is a shortcut of the browser or of the system. */
export const isShortcut = ({
  ctrlKey,
  metaKey,
  altKey,
}: Pick<KeyPress, 'ctrlKey' | 'metaKey' | 'altKey'>): boolean => ctrlKey || metaKey || altKey;

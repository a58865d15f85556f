import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KeyPress } from './key-press';
import { bindingFor, KEYMAP } from './keymap';

type Held = 'shift' | 'ctrl' | 'meta' | 'alt' | 'altGr';

const press = (key: string, code: string, ...held: Held[]): KeyPress => ({
  key,
  code,
  shiftKey: held.includes('shift'),
  ctrlKey: held.includes('ctrl'),
  metaKey: held.includes('meta'),
  altKey: held.includes('alt'),
  isComposing: false,
  getModifierState: (name) => name === 'AltGraph' && held.includes('altGr'),
});
const idOf = (...parts: Parameters<typeof press>): string | null => bindingFor(press(...parts))?.id ?? null;

/** Layout, then what the keys of B, L, N, X, K and the brackets give without Shift, as the browsers report them. */
const OTHER_SCRIPTS: readonly (readonly [layout: string, keys: Readonly<Record<string, string>>])[] = [
  ['Russian', { KeyB: 'и', KeyL: 'д', KeyN: 'т', KeyX: 'ч', KeyK: 'л', BracketLeft: 'х', BracketRight: 'ъ' }],
  [
    'Ukrainian',
    { KeyB: 'и', KeyL: 'д', KeyN: 'т', KeyX: 'ч', KeyK: 'л', BracketLeft: 'х', BracketRight: 'ї' },
  ],
  [
    'Bulgarian phonetic',
    { KeyB: 'б', KeyL: 'л', KeyN: 'н', KeyX: 'ь', KeyK: 'к', BracketLeft: 'ш', BracketRight: 'щ' },
  ],
  [
    'Serbian Cyrillic',
    { KeyB: 'б', KeyL: 'л', KeyN: 'н', KeyX: 'џ', KeyK: 'к', BracketLeft: 'ш', BracketRight: 'ђ' },
  ],
  ['Greek', { KeyB: 'β', KeyL: 'λ', KeyN: 'ν', KeyX: 'χ', KeyK: 'κ', BracketLeft: '[', BracketRight: ']' }],
  ['Hebrew', { KeyB: 'נ', KeyL: 'ך', KeyN: 'מ', KeyX: 'ס', KeyK: 'ל', BracketLeft: ']', BracketRight: '[' }],
  ['Arabic', { KeyB: 'لا', KeyL: 'م', KeyN: 'ى', KeyX: 'ء', KeyK: 'ن', BracketLeft: 'ج', BracketRight: 'د' }],
  ['Persian', { KeyB: 'ذ', KeyL: 'م', KeyN: 'د', KeyX: 'ط', KeyK: 'ن', BracketLeft: 'ج', BracketRight: 'چ' }],
  [
    'Korean, 2-set',
    { KeyB: 'ㅠ', KeyL: 'ㅣ', KeyN: 'ㅜ', KeyX: 'ㅌ', KeyK: 'ㅏ', BracketLeft: '[', BracketRight: ']' },
  ],
  [
    'Japanese kana',
    { KeyB: 'こ', KeyL: 'り', KeyN: 'み', KeyX: 'さ', KeyK: 'の', BracketLeft: '゛', BracketRight: '゜' },
  ],
  [
    'Thai Kedmanee',
    { KeyB: 'ิ', KeyL: 'ส', KeyN: 'ื', KeyX: 'ป', KeyK: 'า', BracketLeft: 'บ', BracketRight: 'ล' },
  ],
  [
    'Hindi InScript',
    { KeyB: 'व', KeyL: 'त', KeyN: 'ल', KeyX: 'ं', KeyK: 'क', BracketLeft: 'ड', BracketRight: '़' },
  ],
  [
    'Georgian',
    { KeyB: 'ბ', KeyL: 'ლ', KeyN: 'ნ', KeyX: 'ხ', KeyK: 'კ', BracketLeft: '[', BracketRight: ']' },
  ],
  [
    'Armenian',
    { KeyB: 'բ', KeyL: 'լ', KeyN: 'ն', KeyX: 'ց', KeyK: 'կ', BracketLeft: 'խ', BracketRight: 'ծ' },
  ],
  [
    'an input method that is switched on',
    {
      KeyB: 'Process',
      KeyL: 'Process',
      KeyN: 'Process',
      KeyX: 'Process',
      KeyK: 'Process',
      BracketLeft: 'Process',
      BracketRight: 'Process',
    },
  ],
];
const MEANINGS: readonly (readonly [code: string, id: string, shifted: string | null])[] = [
  ['KeyB', 'stepBatch', null],
  ['KeyL', 'stepLayer', null],
  ['KeyN', 'nextDigit', 'previousDigit'],
  ['KeyX', 'nextExample', 'previousExample'],
  ['KeyK', 'toggleLock', null],
];

describe.each(OTHER_SCRIPTS)('%s', (_, keys) => {
  test.each(MEANINGS)('the place of %s is %s', (code, id, shifted) => {
    const key = keys[code] ?? '';
    const capital = key.length === 1 ? key.toUpperCase() : key;
    expect(idOf(key, code)).toBe(id);
    expect(idOf(capital, code), 'under caps lock').toBe(id);
    expect(idOf(capital, code, 'shift')).toBe(shifted);
    for (const held of ['ctrl', 'meta', 'alt', 'altGr'] as const) {
      expect(idOf(key, code, held), held).toBeNull();
    }
  });

  test('slower and faster are on the two keys beside P', () => {
    const ids = [
      idOf(keys['BracketLeft'] ?? '', 'BracketLeft'),
      idOf(keys['BracketRight'] ?? '', 'BracketRight'),
    ];
    // The dead-key-like signs of kana and the mirrored brackets of Hebrew keep what they give.
    expect(ids.toSorted()).toEqual(['faster', 'slower']);
  });
});

/** Press, and what it means by the layout's own characters. */
const BY_CHARACTER: readonly (readonly [
  layout: string,
  press: Parameters<typeof press>,
  id: string | null,
])[] = [
  ['AZERTY: the key of Q on QWERTY gives A', ['a', 'KeyQ'], 'arithmetic'],
  ['AZERTY: the key of A on QWERTY gives Q', ['q', 'KeyA'], null],
  ['AZERTY: M is right of L', ['m', 'Semicolon'], 'toggleMode'],
  ['AZERTY: the key of M on QWERTY gives a comma', [',', 'KeyM'], null],
  ['AZERTY: 1 with Shift', ['1', 'Digit1', 'shift'], 'scaleKernel'],
  ['AZERTY: 1 without Shift', ['&', 'Digit1'], 'scaleKernel'],
  ['AZERTY: 2 without Shift is a letter', ['é', 'Digit2'], 'scaleLayer'],
  ['AZERTY: 7 without Shift is a letter', ['è', 'Digit7'], 'panel-step'],
  ['AZERTY: 7 with Shift', ['7', 'Digit7', 'shift'], 'panel-step'],
  ['AZERTY: 1 on the number pad', ['1', 'Numpad1'], 'scaleKernel'],
  ['AZERTY: ² above Tab is not 2', ['²', 'Backquote'], null],
  ['AZERTY: § is not ?', ['§', 'Slash', 'shift'], null],
  ['AZERTY: ? is Shift and the comma', ['?', 'KeyM', 'shift'], 'help'],
  ['AZERTY: [ is AltGr and 5', ['[', 'Digit5', 'altGr'], 'slower'],
  ['AZERTY: ] is AltGr and )', [']', 'Minus', 'altGr'], 'faster'],
  ['AZERTY: the dead circumflex beside P', ['Dead', 'BracketLeft'], null],
  ['AZERTY: $ right of it', ['$', 'BracketRight'], null],
  ['AZERTY: Shift and Space gives a space that does not break', ['\u00a0', 'Space', 'shift'], 'playOrPause'],
  ['Czech: 2 without Shift is a letter', ['ě', 'Digit2'], 'scaleLayer'],
  ['Dvorak: P is on the key of R', ['p', 'KeyR'], 'stepPhase'],
  ['Dvorak: the key of P gives L', ['l', 'KeyP'], 'stepLayer'],
  ['Dvorak: the key of E gives a full stop', ['.', 'KeyE'], null],
  ['Dvorak: the key of Q gives an apostrophe', ["'", 'KeyQ'], null],
  ['Dvorak: [ is beside 0', ['[', 'Minus'], 'slower'],
  ['Dvorak for programmers: [ is on the key of 2', ['[', 'Digit2'], 'slower'],
  ['QWERTZ: Z is on the key of Y', ['z', 'KeyY'], null],
  ['QWERTZ: [ is AltGr and 8', ['[', 'Digit8', 'altGr'], 'slower'],
  ['QWERTZ: ] is AltGr and 9', [']', 'Digit9', 'altGr'], 'faster'],
  ['QWERTZ: [ where the browser reports AltGr as Ctrl and Alt', ['[', 'Digit8', 'ctrl', 'alt'], 'slower'],
  ['QWERTZ on a Mac: [ is Option and 5', ['[', 'Digit5', 'alt'], 'slower'],
  ['QWERTZ: µ is AltGr and M', ['µ', 'KeyM', 'altGr'], null],
  ['QWERTZ: ü beside P', ['ü', 'BracketLeft'], null],
  ['QWERTZ: ? is Shift and ß', ['?', 'Minus', 'shift'], 'help'],
  ['QWERTZ: _ is not ?', ['_', 'Slash', 'shift'], null],
  ['Spanish: [ is AltGr and the key beside P', ['[', 'BracketLeft', 'altGr'], 'slower'],
  ['Polish: AltGr and L is ł', ['ł', 'KeyL', 'altGr'], null],
  ['Polish: a press of L', ['l', 'KeyL'], 'stepLayer'],
  ['Turkish: ı is not I', ['ı', 'KeyI'], null],
  ['Turkish: i is beside ş', ['i', 'Quote'], 'toggleSaliency'],
  ['US: ! is not 1', ['!', 'Digit1', 'shift'], null],
  ['US: & is not 7', ['&', 'Digit7', 'shift'], null],
  ['US: caps lock and Shift give a small letter', ['n', 'KeyN', 'shift'], 'previousDigit'],
  ['US: caps lock', ['N', 'KeyN'], 'nextDigit'],
  ['US international: a dead apostrophe', ['Dead', 'Quote'], null],
  ['US on a Mac: Option and L is ¬', ['¬', 'KeyL', 'alt'], null],
  ['US: Alt and [ is the system’s', ['[', 'BracketLeft', 'alt'], null],
  ['US: Ctrl and [ is the browser’s', ['[', 'BracketLeft', 'ctrl'], null],
  ['number pad without NumLock: End, not 1', ['End', 'Numpad1'], null],
  ['number pad: Shift lifts NumLock', ['End', 'Numpad1', 'shift'], null],
  ['Russian: ? is Shift and 7', ['?', 'Digit7', 'shift'], 'help'],
  ['Russian: № is Shift and 3', ['№', 'Digit3', 'shift'], null],
  ['Russian: a comma is Shift and the full stop', [',', 'Slash', 'shift'], null],
  ['Arabic: its own question mark', ['؟', 'Slash', 'shift'], 'help'],
  ['Arabic digits', ['١', 'Digit1'], 'scaleKernel'],
  ['Persian digits on the number pad', ['۵', 'Numpad5'], 'panel-kernel'],
  ['Japanese, full width', ['ｂ', 'KeyB'], 'stepBatch'],
  ['Japanese, full width with Shift', ['Ｎ', 'KeyN', 'shift'], 'previousDigit'],
  ['Japanese: a wide space', ['\u3000', 'Space'], 'playOrPause'],
  ['Japanese: corner brackets', ['「', 'BracketLeft'], 'slower'],
  ['Chinese: a wide question mark', ['？', 'Slash', 'shift'], 'help'],
  ['Korean: Shift and E', ['ㄸ', 'KeyE', 'shift'], 'engines'],
  ['an input method: Space', ['Process', 'Space'], 'playOrPause'],
  ['an input method: 2', ['Process', 'Digit2'], 'scaleLayer'],
  ['an input method: Shift and 2', ['Process', 'Digit2', 'shift'], null],
  ['an input method: Enter and Escape are its own', ['Process', 'Escape'], null],
  ['a key without a place or a name', ['Unidentified', ''], null],
];

test.each(BY_CHARACTER)('%s', (_, keys, id) => {
  expect(idOf(...keys)).toBe(id);
});

test('nothing is a command while text is being composed', () => {
  for (const [key, code] of [
    ['ㅠ', 'KeyB'],
    ['Process', 'KeyB'],
    ['b', 'KeyB'],
    ['Escape', 'Escape'],
  ] as const) {
    expect(bindingFor({ ...press(key, code), isComposing: true })).toBeNull();
  }
});

test('Ctrl, Cmd and Alt never reach a binding on the letters, digits and Space of any layout', () => {
  const keys = OTHER_SCRIPTS.flatMap(([, byCode]) => Object.entries(byCode)).concat(
    KEYMAP.filter(({ key }) => /^[a-z0-9 ]$/.test(key)).map(({ key }) => ['', key]),
  );
  const modifiers = fc.subarray<Held>(['ctrl', 'meta', 'alt'], { minLength: 1 });
  fc.assert(
    fc.property(fc.constantFrom(...keys), modifiers, fc.boolean(), ([code, key], held, shift) => {
      expect(idOf(key, code, ...held, ...(shift ? (['shift'] as const) : []))).toBeNull();
    }),
  );
});

import { expect, test } from 'vitest';
import { MENU_COMMANDS } from '../../src-shared/protocol/shell';
import { belongsToPage, bindingFor, KEYMAP } from './keymap';

const press = (
  key: string,
  held: Partial<Record<'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey', boolean>> = {},
) => ({
  key,
  code: '',
  shiftKey: false,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...held,
});

test('no two bindings answer to one press', () => {
  const presses = KEYMAP.map(({ key, shift }) => `${shift ? 'Shift ' : ''}${key}`);
  expect(new Set(presses).size).toBe(presses.length);
});

test('every binding is reached by its own press', () => {
  for (const binding of KEYMAP) {
    expect(bindingFor(press(binding.key, { shiftKey: binding.shift }))?.id).toBe(binding.id);
  }
});

test('letters work under caps lock, and Shift N is not N', () => {
  expect(bindingFor(press('B'))?.id).toBe('stepBatch');
  expect(bindingFor(press('n'))?.id).toBe('nextDigit');
  expect(bindingFor(press('N', { shiftKey: true }))?.id).toBe('previousDigit');
  expect(bindingFor(press('B', { shiftKey: true })), 'Shift B is nobody’s').toBeNull();
});

test('? is found whether the keyboard needs Shift for it or not', () => {
  expect(bindingFor(press('?', { shiftKey: true }))?.id).toBe('help');
  expect(bindingFor(press('?'))?.id).toBe('help');
});

test('the browser keeps its own shortcuts', () => {
  expect(bindingFor(press('r', { ctrlKey: true }))).toBeNull();
  expect(bindingFor(press('t', { metaKey: true }))).toBeNull();
  expect(bindingFor(press('1', { altKey: true }))).toBeNull();
});

test('typing a seed does not train', () => {
  const one = bindingFor(press('1'));
  const escape = bindingFor(press('Escape'));
  if (one === null || escape === null) throw new Error('1 and Escape are in the keymap');
  expect(belongsToPage(one, 'text', false)).toBe(false);
  expect(belongsToPage(escape, 'text', false)).toBe(true);
});

test('Space on a focused button presses that button', () => {
  const space = bindingFor(press(' '));
  if (space === null) throw new Error('Space is in the keymap');
  expect(belongsToPage(space, 'control', false)).toBe(false);
  expect(belongsToPage(space, 'none', false)).toBe(true);
});

test('a key that is held restarts once and steps on', () => {
  const restart = bindingFor(press('r'));
  const batch = bindingFor(press('b'));
  if (restart === null || batch === null) throw new Error('R and B are in the keymap');
  expect(belongsToPage(restart, 'none', true)).toBe(false);
  expect(belongsToPage(batch, 'none', true)).toBe(true);
});

test('every menu item of the desktop but the two for files is a key too', () => {
  const ids = KEYMAP.map(({ id }) => id);
  const files = ['openWeights', 'saveWeights'];
  expect(MENU_COMMANDS.filter((command) => !ids.includes(command))).toEqual(files);
});

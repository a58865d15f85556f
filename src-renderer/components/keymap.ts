import type { MenuCommand } from '../../src-shared/protocol/shell';
import { DRAWERS } from '../state/store';
import {
  askForCode,
  toggleCodeFold,
  openDrawer,
  setArithmetic,
  setDrawOpen,
  setEngineOpen,
  setHelpOpen,
  setScaleScope,
  showPanel,
  toggleLock,
  toggleSaliency,
  toggleTheme,
} from '../state/actions';
import { sortAllAgain, sortByNext } from '../state/sorting';
import { appStore } from '../state/store';
import type { Commands } from './commands';
import { keyOf, type KeyPress } from './key-press';

export type KeyGroup = 'Training' | 'Looking' | 'Panel and code' | 'Page';

/** One key and what it does: the only place that says so. Handlers, tooltips and the help overlay read it. */
export interface KeyBinding {
  readonly id: string;
  /** As `keyOf` gives it: KeyboardEvent.key of a US keyboard, letters in lower case. */
  readonly key: string;
  readonly shift: boolean;
  /** For people. */
  readonly hint: string;
  readonly does: string;
  readonly group: KeyGroup;
  readonly run: (commands: Commands) => void;
}

type Plain = Omit<KeyBinding, 'shift'> & { readonly shift?: boolean };

const TRAINING: readonly Plain[] = [
  {
    id: 'playOrPause',
    key: ' ',
    hint: 'Space',
    does: 'Play or pause',
    group: 'Training',
    run: (c) => void c.playOrPause(),
  },
  {
    id: 'stepPhase',
    key: 'p',
    hint: 'P',
    does: 'Step to the end of the next phase',
    group: 'Training',
    run: (c) => void c.stepPhase(),
  },
  {
    id: 'stepLayer',
    key: 'l',
    hint: 'L',
    does: 'Step to the next layer, forward to the loss and back',
    group: 'Training',
    run: (c) => void c.stepLayer(),
  },
  {
    id: 'stepBatch',
    key: 'b',
    hint: 'B',
    does: 'Step to the end of the minibatch',
    group: 'Training',
    run: (c) => void c.stepBatch(),
  },
  {
    id: 'stepEpoch',
    key: 'e',
    hint: 'E',
    does: 'Step to the end of the epoch',
    group: 'Training',
    run: (c) => void c.stepEpoch(),
  },
  {
    id: 'restart',
    key: 'r',
    hint: 'R',
    does: 'Restart: a new run at step 0',
    group: 'Training',
    run: (c) => void c.restart(),
  },
  {
    id: 'toggleMode',
    key: 'm',
    hint: 'M',
    does: 'Switch between imperative loop and fit() + callbacks',
    group: 'Training',
    run: (c) => void c.toggleMode(),
  },
  {
    id: 'engines',
    key: 'e',
    shift: true,
    hint: 'Shift E',
    does: 'Engines: how fast each is, and switch this run to another',
    group: 'Training',
    run: () => {
      const { ready, view } = appStore.getState();
      // Nothing is known of engines before; its button does nothing then either.
      if (ready !== null) setEngineOpen(!view.engineOpen);
    },
  },
  {
    id: 'slower',
    key: '[',
    hint: '[',
    does: 'Slower',
    group: 'Training',
    run: (c) => void c.changeSpeed(-1),
  },
  {
    id: 'faster',
    key: ']',
    hint: ']',
    does: 'Faster, up to flat out',
    group: 'Training',
    run: (c) => void c.changeSpeed(1),
  },
];

const LOOKING: readonly Plain[] = [
  {
    id: 'nextDigit',
    key: 'n',
    hint: 'N',
    does: 'Next test image',
    group: 'Looking',
    run: (c) => void c.nextDigit(1),
  },
  {
    id: 'previousDigit',
    key: 'n',
    shift: true,
    hint: 'Shift N',
    does: 'Previous test image',
    group: 'Looking',
    run: (c) => void c.nextDigit(-1),
  },
  {
    id: 'nextExample',
    key: 'x',
    hint: 'X',
    does: 'Next example of the minibatch, inside a step',
    group: 'Looking',
    run: (c) => void c.nextExample(1),
  },
  {
    id: 'previousExample',
    key: 'x',
    shift: true,
    hint: 'Shift X',
    does: 'Previous example of the minibatch, inside a step',
    group: 'Looking',
    run: (c) => void c.nextExample(-1),
  },
  {
    id: 'nextMap',
    key: 'f',
    hint: 'F',
    does: 'Next map or unit on the stage',
    group: 'Looking',
    run: (c) => {
      c.nextMap(1);
    },
  },
  {
    id: 'previousMap',
    key: 'f',
    shift: true,
    hint: 'Shift F',
    does: 'Previous map or unit on the stage',
    group: 'Looking',
    run: (c) => {
      c.nextMap(-1);
    },
  },
  {
    id: 'drawDigit',
    key: 'd',
    hint: 'D',
    does: 'Draw a digit',
    group: 'Looking',
    run: () => {
      setDrawOpen(true);
    },
  },
  {
    id: 'toggleSaliency',
    key: 'i',
    hint: 'I',
    does: 'Saliency: which pixels of the digit raise or lower the score of a class',
    group: 'Looking',
    run: () => {
      toggleSaliency();
    },
  },
  {
    id: 'arithmetic',
    key: 'a',
    hint: 'A',
    does: 'Arithmetic of the value under the pointer or in focus: keep it open, or close it',
    group: 'Looking',
    run: () => {
      setArithmetic(!appStore.getState().view.arithmetic);
    },
  },
  {
    id: 'sortByNext',
    key: 's',
    hint: 'S',
    does: 'Sort the matrix of the chosen kernel by |W|, |g|, |dW|/|W|, change, index',
    group: 'Looking',
    run: () => {
      sortByNext();
    },
  },
  {
    id: 'sortAgain',
    key: 's',
    shift: true,
    hint: 'Shift S',
    does: 'Sort it again by the numbers of now',
    group: 'Looking',
    run: () => {
      sortAllAgain();
    },
  },
  {
    id: 'scaleKernel',
    key: '1',
    hint: '1',
    does: 'Colour scale of its own for each kernel',
    group: 'Looking',
    run: () => {
      setScaleScope('kernel');
    },
  },
  {
    id: 'scaleLayer',
    key: '2',
    hint: '2',
    does: 'One colour scale for each layer',
    group: 'Looking',
    run: () => {
      setScaleScope('layer');
    },
  },
  {
    id: 'scaleNetwork',
    key: '3',
    hint: '3',
    does: 'One colour scale for the network',
    group: 'Looking',
    run: () => {
      setScaleScope('network');
    },
  },
  {
    id: 'toggleLock',
    key: 'k',
    hint: 'K',
    does: 'Lock the colour scale over time',
    group: 'Looking',
    run: () => {
      toggleLock();
    },
  },
  {
    id: 'code',
    key: 'c',
    hint: 'C',
    does: 'Code: go to the line where training stands; arrows move, Enter sets a breakpoint',
    group: 'Panel and code',
    run: () => {
      askForCode();
    },
  },
  {
    id: 'foldCode',
    key: 'c',
    shift: true,
    hint: 'Shift C',
    does: 'Fold the code, so that the panel above it has more room, or unfold it',
    group: 'Panel and code',
    run: () => {
      toggleCodeFold();
    },
  },
  ...(
    [
      ['5', 'kernel', 'Panel: the chosen kernel'],
      ['6', 'stage', 'Panel: the layer at which training stands'],
      ['7', 'step', 'Panel: whether the step helped'],
      ['8', 'network', 'Panel: the network and its parameters'],
    ] as const
  ).map(([key, panel, does]) => ({
    id: `panel-${panel}`,
    key,
    hint: key,
    does,
    group: 'Panel and code' as const,
    run: () => {
      showPanel(panel);
    },
  })),
];

const PAGE: readonly Plain[] = [
  {
    id: 'toggleTheme',
    key: 't',
    hint: 'T',
    does: 'Light or dark',
    group: 'Page',
    run: () => {
      toggleTheme();
    },
  },
  {
    id: 'help',
    key: '?',
    hint: '?',
    does: 'This page of help',
    group: 'Page',
    run: () => {
      setHelpOpen(!appStore.getState().view.helpOpen);
    },
  },
  {
    id: 'closeDrawer',
    key: 'Escape',
    hint: 'Esc',
    does: 'Close what is open',
    group: 'Page',
    run: () => {
      openDrawer(null);
      setDrawOpen(false);
      setEngineOpen(false);
      setArithmetic(false);
      setHelpOpen(false);
    },
  },
];

/** `?`, brackets and digits sit behind Shift on some keyboards, so only letters look at it. */
const isLetter = (key: string): boolean => /^[a-z]$/.test(key);

export const KEYMAP: readonly KeyBinding[] = [...TRAINING, ...LOOKING, ...PAGE].map((binding) => ({
  shift: false,
  ...binding,
}));

/** Keys that the grids handle themselves while one of their cells has the focus. */
export const GRID_KEYS = [
  { hint: 'Arrows', does: 'Move from kernel to kernel in the grid that has the focus' },
  { hint: 'Left Right', does: 'In a dense matrix: move the loupe along a unit, with Shift by ten inputs' },
  { hint: 'Enter', does: 'Choose the kernel and read its numbers' },
  { hint: 'Tab', does: 'Go on to the next control or grid' },
  {
    hint: 'A Arrows',
    does: 'Check the arithmetic of a value and go to its neighbours; Page keys: next kernel or map',
  },
] as const;

export function keyHint(id: string): string {
  return KEYMAP.find((binding) => binding.id === id)?.hint ?? '';
}

/** What a key press means; null for nothing of ours. */
export function bindingFor(press: KeyPress): KeyBinding | null {
  const pressed = keyOf(press);
  if (pressed === null) return null;
  return (
    KEYMAP.find(({ key, shift }) => key === pressed.key && (!isLetter(key) || shift === pressed.shift)) ??
    null
  );
}

/** What a press must be left to: `text` takes every key, `control` only those that operate it. */
export type Focus = 'text' | 'control' | 'none';

export function belongsToPage(binding: KeyBinding, focus: Focus, repeat: boolean): boolean {
  if (binding.key === 'Escape') return true;
  if (focus === 'text') return false;
  if (focus === 'control' && binding.key === ' ') return false;
  // Holding a key walks on where walking on is meant.
  return (
    !repeat ||
    [
      'nextDigit',
      'previousDigit',
      'nextExample',
      'previousExample',
      'nextMap',
      'previousMap',
      'stepPhase',
      'stepLayer',
      'stepBatch',
      'slower',
      'faster',
    ].includes(binding.id)
  );
}

/** Menu items of the desktop that are keys too. */
export function runMenuCommand(command: MenuCommand, commands: Commands): void {
  if (command === 'openWeights') void commands.openWeights();
  else if (command === 'saveWeights') void commands.saveWeights();
  else KEYMAP.find((binding) => binding.id === command)?.run(commands);
}

export const DRAWER_TITLES: Readonly<Record<(typeof DRAWERS)[number], string>> = {
  recipe: 'Recipe',
  data: 'Data',
  digit: 'Digit',
  inspector: 'Inspector',
  code: 'Code',
};

/** What a shell and the page agree on besides the messages: where the trainer is reached, and what the desktop adds. */

/**
 * Browser shell: the one WebSocket, on the page's own origin. A text message is one JSON message, a binary one an
 * envelope (envelope.ts). The page is let in by the cookie that it got when it was opened; other programs add `?token=`.
 */
export const TRAINER_PATH = '/trainer';

/**
 * In the address of the page's WebSocket: a text that a page keeps where only pages of its own address find it. Its cookie
 * is taken only together with it from then on, as every server on the machine that the browser visits is sent the cookie.
 */
export const PAGE_KEY_PARAMETER = 'key';

/**
 * A WebSocket closes with one of these numbers and an ErrorCode as its reason, after a `goodbye` that has the sentence.
 * 1006 (no close frame came) means that the shell is gone; 1009 is also what a message over the size limit gets.
 */
export const CLOSE_NUMBERS = {
  closed: 1000,
  shellStopped: 1001,
  refused: 1008,
  tooLarge: 1009,
  failed: 1011,
} as const;

/** Desktop menu items that the page carries out. */
export const MENU_COMMANDS = [
  'openWeights',
  'saveWeights',
  'playOrPause',
  'stepPhase',
  'stepLayer',
  'stepBatch',
  'stepEpoch',
  'restart',
  'toggleTheme',
  'help',
] as const;
export type MenuCommand = (typeof MENU_COMMANDS)[number];

/**
 * `window.gradscopeShell`, put there by the desktop's preload; a page in a browser has none.
 *
 * A port to the trainer comes as a window message from the page's own window (event.source === window) with PORT_MESSAGE
 * as data and the MessagePort as ports[0]; register for it before asking.
 */
export interface GradscopeShell {
  readonly kind: 'desktop';
  /** Asks for a new port; starts the trainer process if none is alive. The port, or onTrainerGone, follows. */
  requestPort(): void;
  onMenu(receiver: (command: MenuCommand) => void): () => void;
  /** The trainer process has ended or could not be started; every port to it is dead. */
  onTrainerGone(receiver: (reason: { code: string; message: string }) => void): () => void;
}

export const PORT_MESSAGE = 'gradscope:port';

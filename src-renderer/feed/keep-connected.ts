import { appStore } from '../state/store';
import { SHELL_STOPPED } from './websocket-port';

const FIRST_DELAY_MS = 2000;
const LONGEST_DELAY_MS = 30_000;

export interface KeepConnectedParts {
  readonly connect: () => Promise<void>;
  readonly after: (delayMs: number, callback: () => void) => void;
  /** Whether a person can see the page. */
  readonly isVisible: () => boolean;
  /** Calls back whenever the page is shown again. */
  readonly onShown: (callback: () => void) => void;
}

/**
 * Looks for the trainer again when it has gone: after two seconds, then after twice as long each time, while the page can
 * be seen. Whoever was told to go away, or whose shell was stopped by its user, is not brought back.
 */
export function keepConnected({ connect, after, isVisible, onShown }: KeepConnectedParts): void {
  let delayMs = FIRST_DELAY_MS;
  let isDue = false;
  const attempt = (): void => {
    if (!isDue || !isVisible() || appStore.getState().connection.state !== 'lost') return;
    isDue = false;
    // A connection that fails says so on the page, and is lost once more.
    connect().catch(() => undefined);
  };
  onShown(attempt);
  appStore.subscribe(({ connection, status }, { connection: before, status: statusBefore }) => {
    if (connection.state === 'open' && status !== statusBefore) delayMs = FIRST_DELAY_MS;
    if (connection === before || connection.state !== 'lost' || !comesBack(connection)) return;
    const delay = delayMs;
    delayMs = Math.min(2 * delayMs, LONGEST_DELAY_MS);
    after(delay, () => {
      isDue = true;
      attempt();
    });
  });
}

const comesBack = ({ code, message }: { code: string | null; message: string | null }): boolean =>
  code === 'worker-died' || (code === 'connection-lost' && message !== SHELL_STOPPED);

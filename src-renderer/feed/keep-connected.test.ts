import { beforeEach, expect, test } from 'vitest';
import { setConnection } from '../state/actions';
import { appStore, INITIAL_STATE } from '../state/store';
import { keepConnected } from './keep-connected';

interface Timer {
  readonly delayMs: number;
  readonly run: () => void;
}

/** A page whose time and visibility a test decides. */
class Page {
  readonly timers: Timer[] = [];
  attempts = 0;
  visible = true;
  shown: () => void = () => undefined;

  constructor() {
    keepConnected({
      connect: () => {
        this.attempts += 1;
        return Promise.reject(new Error('nobody there'));
      },
      after: (delayMs, run) => this.timers.push({ delayMs, run }),
      isVisible: () => this.visible,
      onShown: (callback) => {
        this.shown = callback;
      },
    });
  }

  lose(code = 'worker-died', message = 'It died.'): void {
    setConnection({ state: 'connecting', code: null, message: null });
    setConnection({ state: 'lost', code, message });
  }

  fire(): void {
    this.timers.at(-1)?.run();
  }
}

beforeEach(() => {
  appStore.setState(INITIAL_STATE, true);
});

test('a trainer that has gone is looked for, ever more seldom', () => {
  const page = new Page();
  for (let time = 0; time < 6; time += 1) {
    page.lose();
    page.fire();
  }
  expect(page.attempts).toBe(6);
  expect(page.timers.map(({ delayMs }) => delayMs)).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000]);
});

test('a page that nobody sees waits until it is seen', () => {
  const page = new Page();
  page.visible = false;
  page.lose();
  page.fire();
  expect(page.attempts).toBe(0);
  page.visible = true;
  page.shown();
  page.shown();
  expect(page.attempts).toBe(1);
});

test.each([
  ['that was sent away', 'malformed-message', 'That was no message.'],
  ['whose data cannot be read', 'bad-dataset', 'There is no data.'],
  ['whose shell was stopped by its user', 'connection-lost', 'Gradscope was stopped.'],
])('a page %s is not brought back', (_what, code, message) => {
  const page = new Page();
  page.lose(code, message);
  expect(page.timers).toEqual([]);
});

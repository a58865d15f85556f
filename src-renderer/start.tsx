import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './components/app';
import { Commands } from './components/commands';
import { watchKeys } from './components/focus-moved';
import { keepPace } from './components/keep-pace';
import { runMenuCommand } from './components/keymap';
import { PageContext } from './components/page-context';
import { FrameLoop } from './draw/frame-loop';
import { gradscopeConsole } from './console';
import { pictures } from './draw/picture-registry';
import type { Connector } from './feed/connector';
import { CreditPace } from './feed/credit-pace';
import { Feed } from './feed/feed';
import { keepConnected } from './feed/keep-connected';
import { FrameStore } from './frames/frame-store';
import { MetricsStore } from './frames/metrics-store';
import { keepLit } from './state/alive';
import { appStore } from './state/store';
import { keepView } from './state/kept-view';
import { keepTheme } from './state/theme';
import './styles/index.css';

const MEASURE_EVERY_MS = 250;

/** Makes the parts of the page, joins them and shows them. */
export function startPage(host: HTMLElement, connect: Connector): { feed: Feed; commands: Commands } {
  const loop = new FrameLoop();
  const frames = new FrameStore();
  const metrics = new MetricsStore();
  frames.attach(loop);
  const pace = new CreditPace(
    { now: () => performance.now(), after: (delayMs, callback) => setTimeout(callback, delayMs) },
    () => loop.cost,
    navigator.hardwareConcurrency,
  );
  const now = (): number => performance.timeOrigin + performance.now();
  const feed = new Feed({ connect, frames, metrics, pace, now });
  const commands = new Commands({ send: feed, frames, connect: () => feed.connect() });

  keepTheme(window);
  keepView(() => window.sessionStorage);
  keepLit(document.documentElement);
  watchKeys(window);
  appStore.subscribe(() => {
    loop.invalidateWords();
  });
  matchMedia('(forced-colors: active)').addEventListener('change', () => {
    loop.invalidate();
    loop.invalidateWords();
  });
  Object.defineProperty(window, 'gradscope', {
    value: gradscopeConsole({ feed, frames, loop, pictures }),
    enumerable: true,
  });
  keepPace(window, { frames, loop, credits: pace });
  window.gradscopeShell?.onMenu((command) => {
    runMenuCommand(command, commands);
  });
  document.addEventListener('visibilitychange', () => {
    feed.setVisible(document.visibilityState === 'visible');
  });
  setInterval(() => {
    feed.measureAfter(MEASURE_EVERY_MS);
  }, MEASURE_EVERY_MS);

  keepConnected({
    connect: () => feed.connect(),
    after: (delayMs, callback) => setTimeout(callback, delayMs),
    isVisible: () => document.visibilityState === 'visible',
    onShown: (callback) => {
      document.addEventListener('visibilitychange', callback);
    },
  });

  createRoot(host).render(
    <StrictMode>
      <PageContext value={{ frames, metrics, loop, send: feed, commands }}>
        <App />
      </PageContext>
    </StrictMode>,
  );
  // A connection that fails says so on the page.
  feed.connect().catch(() => undefined);
  return { feed, commands };
}

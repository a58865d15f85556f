import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './components/app';
import { Commands } from './components/commands';
import { runMenuCommand } from './components/keymap';
import { PageContext } from './components/page-context';
import { FrameLoop } from './draw/frame-loop';
import { gradscopeConsole } from './console';
import { pictures } from './draw/picture-registry';
import type { Connector } from './feed/connector';
import { Feed } from './feed/feed';
import { FrameStore } from './frames/frame-store';
import { MetricsStore } from './frames/metrics-store';
import { REDUCED_MOTION } from './state/screen';
import { appStore } from './state/store';
import { keepTheme } from './state/theme';
import './styles/index.css';

const MEASURE_EVERY_MS = 250;
const CALM_INTERVAL_MS = 250;

/** Makes the parts of the page, joins them and shows them. */
export function startPage(host: HTMLElement, connect: Connector): { feed: Feed; commands: Commands } {
  const loop = new FrameLoop();
  const frames = new FrameStore();
  const metrics = new MetricsStore();
  frames.attach(loop);
  const feed = new Feed({ connect, frames, metrics, now: () => performance.timeOrigin + performance.now() });
  const commands = new Commands({ send: feed, connect: () => feed.connect() });

  keepTheme(window);
  appStore.subscribe(() => {
    loop.invalidate();
  });
  Object.defineProperty(window, 'gradscope', {
    value: gradscopeConsole({ feed, frames, loop, pictures }),
    enumerable: true,
  });
  keepCalm(window, frames);
  window.gradscopeShell?.onMenu((command) => {
    runMenuCommand(command, commands);
  });
  document.addEventListener('visibilitychange', () => {
    feed.setVisible(document.visibilityState === 'visible');
  });
  setInterval(() => {
    feed.measure();
  }, MEASURE_EVERY_MS);

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

/** Where less motion is asked for, pictures change four times a second while training runs free; steps are shown at once. */
function keepCalm(page: Window, frames: FrameStore): void {
  const reduced = page.matchMedia(REDUCED_MOTION);
  const update = (): void => {
    const isRunning = appStore.getState().status?.state === 'running';
    frames.setMinimumInterval(reduced.matches && isRunning ? CALM_INTERVAL_MS : 0);
  };
  reduced.addEventListener('change', update);
  appStore.subscribe(({ status }, { status: before }) => {
    if (status?.state !== before?.state) update();
  });
}

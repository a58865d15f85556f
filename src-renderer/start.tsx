import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './components/app';
import { Commands } from './components/commands';
import { PageContext } from './components/page-context';
import { FrameLoop } from './draw/frame-loop';
import type { Connector } from './feed/connector';
import { Feed } from './feed/feed';
import { FrameStore } from './frames/frame-store';
import { MetricsStore } from './frames/metrics-store';
import { keepTheme } from './state/theme';
import { appStore } from './state/store';
import './styles/index.css';

const MEASURE_EVERY_MS = 250;

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

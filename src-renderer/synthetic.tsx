import { memoryPortPair } from '../src-shared/testing/memory-port';
import { SyntheticTrainer } from '../src-shared/testing/synthetic-trainer';
import { startPage } from './start';

/**
 * The real page over a synthetic trainer, for building and photographing it without a worker:
 * `npx vite --config src-renderer/vite.synthetic.config.ts`, then /synthetic.html with
 * ?steps=2640 finished steps to begin with, ?play, ?phases=4 phases of the next step, ?nan, ?mode=fit.
 */
const query = new URLSearchParams(location.search);
const host = document.getElementById('page');
if (host === null) throw new Error('synthetic.html has no element with the id "page".');

const { commands, feed } = startPage(host, () => {
  const [page, end] = memoryPortPair();
  const trainer = new SyntheticTrainer(end, {
    now: () => performance.timeOrigin + performance.now(),
    ticker: (ms, callback) => {
      const timer = setInterval(callback, ms);
      return () => {
        clearInterval(timer);
      };
    },
    steps: Number(query.get('steps') ?? 0),
  });
  // For the console only.
  Object.assign(window, { trainer });
  return Promise.resolve(page);
});

await feed.connect();
if (query.has('nan')) await feed.request('setWeight', { name: 'conv1.weight', index: 30, value: 'NaN' });
for (let phase = 0; phase < Number(query.get('phases') ?? 0); phase += 1) await commands.stepPhase();
if (query.get('mode') === 'fit') await commands.setMode('fit');
if (query.has('play')) await commands.play();

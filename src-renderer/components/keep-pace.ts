import { REDUCED_MOTION } from '../state/screen';
import { appStore } from '../state/store';

/** While training runs free, text and charts change at most this often: faster cannot be read, and costs layout. */
const WORDS_INTERVAL_MS = 400;
/** The same, and for pictures too, where less motion is asked for. */
const CALM_INTERVAL_MS = 500;

interface PacedParts {
  readonly frames: { setMinimumInterval(intervalMs: number): void };
  readonly loop: { setWordsInterval(intervalMs: number): void };
  readonly credits: { setRunning(running: boolean): void };
}

/** Sets how often pictures and words may change. What is stepped to is shown at once, all of it. */
export function keepPace(page: Pick<Window, 'matchMedia'>, { frames, loop, credits }: PacedParts): void {
  const reduced = page.matchMedia(REDUCED_MOTION);
  const update = (): void => {
    const isRunning = appStore.getState().status?.state === 'running';
    const isCalm = reduced.matches && isRunning;
    credits.setRunning(isRunning);
    frames.setMinimumInterval(isCalm ? CALM_INTERVAL_MS : 0);
    loop.setWordsInterval(isCalm ? CALM_INTERVAL_MS : isRunning ? WORDS_INTERVAL_MS : 0);
  };
  update();
  reduced.addEventListener('change', update);
  appStore.subscribe(({ status }, { status: before }) => {
    if (status?.state !== before?.state) update();
  });
}

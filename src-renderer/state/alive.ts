import { SILENT_FROM_SECONDS } from './messages';
import { appStore, type AppState } from './store';

type Told = Pick<AppState, 'connection' | 'status' | 'silentSeconds'>;

/** Whether the trainer is known to be there, so that what is shown as "now" is so. */
export const isTrainerHeard = ({ connection, status, silentSeconds }: Told): boolean =>
  connection.state === 'open' && status !== null && silentSeconds < SILENT_FROM_SECONDS;

/** Whether training is known to run. */
export const isRunning = (state: Told): boolean => isTrainerHeard(state) && state.status?.state === 'running';

/**
 * Tells the style sheet whether there is a "now" at all. Without a trainer, and after a run has failed, nothing is drawn in
 * the colour of what is now.
 */
export function keepLit(root: HTMLElement): void {
  const show = (state: AppState): void => {
    const isDead = state.connection.state === 'lost' || state.status?.state === 'failed';
    const isSilent = state.silentSeconds >= SILENT_FROM_SECONDS;
    const trainer = isDead ? 'gone' : isSilent ? 'silent' : 'there';
    if (root.dataset['trainer'] !== trainer) root.dataset['trainer'] = trainer;
  };
  show(appStore.getState());
  appStore.subscribe(show);
}

import { z } from 'zod';
import { appStore, PANELS, type AppState } from './store';

const KEY = 'gradscope.view';

/** What a reload keeps. The run tells whether a locked scale is still of what is shown. */
const keptSchema = z.object({
  runId: z.int().nullable(),
  selection: z
    .object({ layer: z.string(), filter: z.int().min(0), input: z.int().min(0).nullable() })
    .nullable(),
  panel: z.enum(PANELS),
  restPanel: z.enum(PANELS),
  scaleScope: z.enum(['kernel', 'layer', 'network']),
  scaleLocked: z.boolean(),
});
type Kept = z.infer<typeof keptSchema>;

/** What a page needs to keep something over its reload, and no longer than it is open. */
interface Storage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/**
 * Brings back the chosen kernel, panel and scale of before a reload, and keeps them from then on. What is stored and makes no
 * sense is passed over; where storage is forbidden they last as long as the page.
 */
export function keepView(storageOf: () => Storage): void {
  const kept = read(storageOf);
  if (kept !== null) {
    const { runId, ...view } = kept;
    appStore.setState((state) => ({ view: { ...state.view, ...view }, keptRunId: runId }));
  }
  let written = '';
  appStore.subscribe((state) => {
    // Before the trainer has answered there is nothing newer than what is kept.
    if (state.ready === null) return;
    const text = JSON.stringify(toKeep(state));
    if (text === written) return;
    written = text;
    try {
      storageOf().setItem(KEY, text);
    } catch {
      return;
    }
  });
}

function toKeep({ ready, view }: AppState): Kept {
  const { selection, panel, restPanel, scaleScope, scaleLocked } = view;
  return { runId: ready?.runId ?? null, selection, panel, restPanel, scaleScope, scaleLocked };
}

function read(storageOf: () => Storage): Kept | null {
  try {
    const text = storageOf().getItem(KEY);
    return text === null ? null : keptSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

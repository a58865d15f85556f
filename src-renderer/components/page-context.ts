import { createContext, useContext } from 'react';
import type { FrameLoop } from '../draw/frame-loop';
import type { FrameStore } from '../frames/frame-store';
import type { MetricsStore } from '../frames/metrics-store';
import type { RequestClient } from '../state/request-client';
import type { Commands } from './commands';

/** The parts of the page that are made once, in main.tsx, and are not state. */
export interface PageParts {
  readonly frames: FrameStore;
  readonly metrics: MetricsStore;
  readonly loop: FrameLoop;
  readonly send: RequestClient;
  readonly commands: Commands;
}

export const PageContext = createContext<PageParts | null>(null);

export function usePage(): PageParts {
  const parts = useContext(PageContext);
  if (parts === null) throw new Error('Components of the page are used inside <PageContext value={...}>.');
  return parts;
}

import { useSyncExternalStore } from 'react';

/** Where rails become an icon strip with drawers, the foot one lane, and conv2 two pixels a weight. Same as in styles/. */
export const SMALL_SCREEN = '(max-width: 1279px), (max-height: 759px)';

/** The person asked their system for less motion. */
export const REDUCED_MOTION = '(prefers-reduced-motion: reduce)';

export const isSmallScreen = (): boolean => matchMedia(SMALL_SCREEN).matches;

export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (changed) => {
      const media = matchMedia(query);
      media.addEventListener('change', changed);
      return () => {
        media.removeEventListener('change', changed);
      };
    },
    () => matchMedia(query).matches,
  );
}

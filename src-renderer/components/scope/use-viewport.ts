import { useLayoutEffect, useState, type RefObject } from 'react';
import type { Viewport } from '../../scene/scope-layout';

/** The room an element has, and the window's size and pixel ratio, kept up to date; null before it is mounted. */
export function useViewport(element: RefObject<HTMLElement | null>): Viewport | null {
  const [viewport, setViewport] = useState<Viewport | null>(null);
  useLayoutEffect(() => {
    const { current } = element;
    if (current === null) return;
    const measure = (): void => {
      const next: Viewport = {
        windowWidth: window.innerWidth,
        windowHeight: window.innerHeight,
        width: current.clientWidth,
        height: current.clientHeight,
        pixelRatio: window.devicePixelRatio,
      };
      setViewport((known) => (known !== null && sameViewport(known, next) ? known : next));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    // Zooming changes the pixel ratio and always resizes the window.
    window.addEventListener('resize', measure);
    return () => {
      observer.disconnect();
      window.removeEventListener('resize', measure);
    };
  }, [element]);
  return viewport;
}

const sameViewport = (a: Viewport, b: Viewport): boolean =>
  a.windowWidth === b.windowWidth &&
  a.windowHeight === b.windowHeight &&
  a.width === b.width &&
  a.height === b.height &&
  a.pixelRatio === b.pixelRatio;

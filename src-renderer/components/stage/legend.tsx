import type { ReactElement } from 'react';
import type { Station } from './stage-script';

/** What the marks over a picture mean. */
export function Legend({ outline, cross, box }: Station['legend']): ReactElement | null {
  if (outline === null && cross === null && box === null) return null;
  return (
    <p className="stage-legend">
      {outline !== null && (
        <span>
          <svg viewBox="0 0 9 9" aria-hidden="true" className="won">
            <path d="M1 1h7v7H1z" />
          </svg>
          {outline}
        </span>
      )}
      {cross !== null && (
        <span>
          <svg viewBox="0 0 9 9" aria-hidden="true">
            <path d="M2 2l5 5M7 2l-5 5" />
          </svg>
          {cross}
        </span>
      )}
      {box !== null && (
        <span>
          <svg viewBox="0 0 9 9" aria-hidden="true">
            <path d="M2.5 2.5h4v4h-4z" />
          </svg>
          {box}
        </span>
      )}
    </p>
  );
}

import type { ReactElement } from 'react';

/** Code equivalent to what trains, and where in it training stands. */
export function CodePane(): ReactElement {
  return (
    <section className="section code-pane" aria-label="Code">
      <h2>Code</h2>
    </section>
  );
}

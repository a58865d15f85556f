import { useEffect, useRef, type ReactElement } from 'react';
import { setHelpOpen } from '../../state/actions';
import { useApp } from '../../state/store';
import { CloseIcon } from '../icons';
import { GRID_KEYS, KEYMAP, type KeyGroup } from '../keymap';

/** Two columns; the first has room for more. */
const KEY_COLUMNS: readonly (readonly KeyGroup[])[] = [['Training', 'Panel and code', 'Page'], ['Looking']];

const COLUMNS = [
  ['W', 'The weights, after the step that the column head names.'],
  ['g', 'The gradient of the minibatch loss that the optimiser was given in that step.'],
  ['dW', 'The update: the weights after the step minus the weights before it.'],
  [
    'output',
    'What the layer makes of the chosen digit, dropout off; inside a step, of an example of the minibatch.',
  ],
  [
    'error',
    'dL/d output: how the loss of the chosen digit changes with each output. A drawn digit has no label: its error is as if it were what the network says, or the class you choose.',
  ],
] as const;

const NORMS = [
  [
    '|W|',
    'The length of a kernel or layer as a vector: the root of the sum of its squared values (L2 norm).',
  ],
  ['|g|', 'The same of its gradient: 0 where nothing is left to learn, or where nothing comes through.'],
  ['|dW|/|W|', 'How far a step moves the weights, as a share of them. About 0.001 is usual.'],
] as const;

/** Everything a newcomer has to know, over the page. */
export function Help(): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = useApp(({ view }) => view.helpOpen);
  useEffect(() => {
    const { current } = dialog;
    if (isOpen) {
      current?.showModal();
      current?.querySelector<HTMLElement>('.sheet')?.focus();
    } else current?.close();
  }, [isOpen]);
  return (
    <dialog
      ref={dialog}
      className="help"
      aria-labelledby="help-title"
      onClose={() => {
        setHelpOpen(false);
      }}
      onClick={({ target, currentTarget }) => {
        // The backdrop belongs to the dialog element; everything in it is inside the sheet.
        if (target === currentTarget) setHelpOpen(false);
      }}
    >
      {isOpen && <Sheet />}
    </dialog>
  );
}

function Sheet(): ReactElement {
  return (
    <div className="sheet" tabIndex={-1}>
      <header role="none">
        <h2 id="help-title">Gradscope, an oscilloscope for gradients</h2>
        <button
          type="button"
          className="icon-button"
          aria-label="Close help"
          onClick={() => {
            setHelpOpen(false);
          }}
        >
          <CloseIcon />
        </button>
      </header>
      <div className="columns">
        {KEY_COLUMNS.map((groups) => (
          <div key={groups.join()}>
            {groups.map((group) => (
              <Keys key={group} title={group} keys={KEYMAP.filter((binding) => binding.group === group)} />
            ))}
            {groups.includes('Training') && <Freshness />}
            {groups.includes('Looking') && <Keys title="In a grid" keys={GRID_KEYS} />}
          </div>
        ))}
        <div>
          <section>
            <h3>Columns</h3>
            <Terms terms={COLUMNS} />
            <p>All three of W, g and dW belong to one step, and a kernel has the same place in each.</p>
          </section>
          <section>
            <h3>Norms</h3>
            <Terms terms={NORMS} />
          </section>
          <section>
            <h3>Colours</h3>
            <p>
              <span className="ramp" aria-hidden="true" />
              Blue is negative, orange positive, neutral exactly zero. The end of the scale stands beside each
              picture and steps in 1, 2, 5; what lies beyond it has the end colour.
            </p>
            <p>
              <span className="hatch" aria-hidden="true" />
              NaN or infinity. They are never hidden, and one line under the phases says where the first was
              met.
            </p>
            <p>
              <span className="lime" aria-hidden="true" />
              Now: the phase that was done last, the playhead.
            </p>
          </section>
        </div>
      </div>
    </div>
  );
}

const Freshness = (): ReactElement => (
  <section>
    <h3>Freshness</h3>
    <p>
      <b>cleared</b>: zeroed and not computed since. <b>old</b>: of an earlier step. <b>not yet</b>: never
      computed. Pausing stands still at once; a minibatch whose update had not begun is done again from its
      start.
    </p>
  </section>
);

const Terms = ({ terms }: { terms: readonly (readonly [string, string])[] }): ReactElement => (
  <dl className="terms">
    {terms.map(([name, text]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{text}</dd>
      </div>
    ))}
  </dl>
);

interface KeyWords {
  readonly hint: string;
  readonly does: string;
}

const Keys = ({ title, keys }: { title: string; keys: readonly KeyWords[] }): ReactElement => (
  <section>
    <h3>{title}</h3>
    <dl className="keys">
      {keys.map((key) => (
        <Key key={key.hint} {...key} />
      ))}
    </dl>
  </section>
);

const Key = ({ hint, does }: KeyWords): ReactElement => (
  <div>
    <dt>
      {hint.split(' ').map((part) => (
        <kbd key={part}>{part}</kbd>
      ))}
    </dt>
    <dd>{does}</dd>
  </div>
);

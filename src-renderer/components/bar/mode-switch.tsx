import type { ReactElement } from 'react';
import type { Mode } from '../../../src-shared/model/run-config';
import { useApp } from '../../state/store';
import { keyHint } from '../keymap';
import { usePage } from '../page-context';
import { Segments } from '../segments';
import { Tip } from '../tip';

const MODES: readonly { value: Mode; label: string }[] = [
  { value: 'imperative', label: 'Imperative loop' },
  { value: 'fit', label: 'fit() + callbacks' },
];

export function ModeSwitch(): ReactElement {
  const { commands } = usePage();
  const mode = useApp(({ status, ready }) => status?.mode ?? ready?.config.mode ?? 'imperative');
  const isOpen = useApp(({ connection }) => connection.state === 'open');
  return (
    <Tip text="How the same steps are driven; switches at the next minibatch" hint={keyHint('toggleMode')}>
      <Segments
        label="Training loop"
        options={MODES}
        value={mode}
        disabled={!isOpen}
        onChange={(chosen) => void commands.setMode(chosen)}
      />
    </Tip>
  );
}

import { useState, type ReactElement } from 'react';
import { useApp } from '../../state/store';
import { keyHint } from '../keymap';
import { usePage } from '../page-context';
import { SPEEDS, speedIndex, speedLabel } from '../speeds';
import { Tip } from '../tip';

/** One step a second to flat out, on a logarithmic scale. */
export function SpeedSlider(): ReactElement {
  const { commands } = usePage();
  const limit = useApp(({ status }) => status?.stepsPerSecondLimit ?? null);
  const isOpen = useApp(({ connection, status }) => connection.state === 'open' && status !== null);
  // While it is dragged the slider is ahead of what the trainer has confirmed.
  const [wanted, setWanted] = useState<number | null>(null);
  const index = wanted ?? speedIndex(limit);
  const label = speedLabel(SPEEDS[index] ?? null);
  return (
    <Tip text="Slower, faster" hint={`${keyHint('slower')} ${keyHint('faster')}`}>
      <label className="speed">
        <span>
          <span className="word">Speed</span> <b>{label}</b>
        </span>
        <input
          type="range"
          aria-label="Speed"
          aria-valuetext={label}
          min={0}
          max={SPEEDS.length - 1}
          step={1}
          value={index}
          disabled={!isOpen}
          style={{ '--part': index / (SPEEDS.length - 1) }}
          onChange={({ currentTarget }) => {
            const chosen = Number(currentTarget.value);
            setWanted(chosen);
            void commands.setSpeed(SPEEDS[chosen] ?? null).then(() => {
              setWanted(null);
            });
          }}
        />
      </label>
    </Tip>
  );
}

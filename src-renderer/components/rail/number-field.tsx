import { useState, type ReactElement } from 'react';

/**
 * A whole number, taken as it is typed while it is one within the bounds; one that is not is put right, or back, on
 * Enter and on leaving.
 */
export function NumberField({
  label,
  value,
  min,
  max,
  onChange,
}: {
  label: string;
  value: number;
  min: number;
  max: number;
  onChange: (value: number) => void;
}): ReactElement {
  const [typed, setTyped] = useState<string | null>(null);
  const take = (text: string, bound: (number: number) => number): void => {
    const number = Number(text);
    if (text.trim() === '' || !Number.isInteger(number)) return;
    const taken = bound(number);
    if (taken >= min && taken <= max && taken !== value) onChange(taken);
  };
  const leave = (): void => {
    if (typed !== null) take(typed, (number) => Math.min(max, Math.max(min, number)));
    setTyped(null);
  };
  return (
    <input
      type="number"
      className="field"
      aria-label={label}
      min={min}
      max={max}
      step={1}
      value={typed ?? value}
      onChange={({ currentTarget }) => {
        setTyped(currentTarget.value);
        take(currentTarget.value, (number) => number);
      }}
      onBlur={leave}
      onKeyDown={(event) => {
        if (event.key === 'Enter') leave();
        else if (event.key === 'Escape' && typed !== null) {
          event.preventDefault();
          setTyped(null);
        }
      }}
    />
  );
}

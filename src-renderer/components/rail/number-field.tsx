import { useState, type ReactElement } from 'react';

/** A whole number that is taken when it is one within the bounds, on Enter, on leaving, or by the arrow keys. */
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
  const take = (): void => {
    const number = Number(typed);
    if (typed !== null && typed.trim() !== '' && Number.isInteger(number)) {
      const bounded = Math.min(max, Math.max(min, number));
      if (bounded !== value) onChange(bounded);
    }
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
      }}
      onBlur={take}
      onKeyDown={(event) => {
        if (event.key === 'Enter') take();
        else if (event.key === 'Escape' && typed !== null) {
          event.preventDefault();
          setTyped(null);
        }
      }}
    />
  );
}

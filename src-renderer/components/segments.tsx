import { useId, type HTMLAttributes, type ReactElement } from 'react';

export interface SegmentsProps<T extends string>
  extends Omit<HTMLAttributes<HTMLDivElement>, 'onChange' | 'defaultValue'> {
  label: string;
  options: readonly { readonly value: T; readonly label: string }[];
  value: T;
  disabled?: boolean;
  size?: 'normal' | 'small';
  onChange: (value: T) => void;
}

/** One of a few: real radio buttons that look like a segmented control, so arrows, names and roles are the browser's. */
export function Segments<T extends string>({
  label,
  options,
  value,
  disabled = false,
  size = 'normal',
  onChange,
  ...rest
}: SegmentsProps<T>): ReactElement {
  const group = useId();
  return (
    <div {...rest} className={size === 'small' ? 'seg sm' : 'seg'} role="radiogroup" aria-label={label}>
      {options.map((option) => (
        <label key={option.value}>
          <input
            type="radio"
            name={group}
            value={option.value}
            checked={option.value === value}
            disabled={disabled}
            onMouseDown={(event) => {
              event.preventDefault();
            }}
            onChange={() => {
              onChange(option.value);
            }}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </div>
  );
}

import type { ReactElement, SVGProps } from 'react';

const Icon = ({ size = 14, ...rest }: SVGProps<SVGSVGElement> & { size?: number }): ReactElement => (
  <svg width={size} height={size} viewBox="0 0 14 14" aria-hidden="true" fill="currentColor" {...rest} />
);

const Line = (props: SVGProps<SVGSVGElement> & { size?: number }): ReactElement => (
  <Icon
    fill="none"
    stroke="currentColor"
    strokeWidth={1.4}
    strokeLinecap="round"
    strokeLinejoin="round"
    {...props}
  />
);

export const RestartIcon = (): ReactElement => (
  <Icon>
    <path d="M2.2 2h1.6v10H2.2zM12 2.4v9.2L5 7z" />
  </Icon>
);
export const PlayIcon = (): ReactElement => (
  <Icon>
    <path d="M3 1.8v10.4L12 7z" />
  </Icon>
);
export const PauseIcon = (): ReactElement => (
  <Icon>
    <path d="M3 2h3v10H3zM8 2h3v10H8z" />
  </Icon>
);
export const CheckIcon = (): ReactElement => (
  <Line size={10} stroke="var(--live-text)" strokeWidth={2.2}>
    <path d="M2 7.3 5.5 11 12 3.4" />
  </Line>
);
export const WarnIcon = ({ size = 12 }: { size?: number }): ReactElement => (
  <Icon size={size}>
    <path d="M7 1 13.5 12.5H.5z M6.4 5v3.6h1.2V5z M6.4 9.6v1.3h1.2V9.6z" fillRule="evenodd" />
  </Icon>
);
export const CloseIcon = (): ReactElement => (
  <Line size={12}>
    <path d="M3 3l8 8M11 3l-8 8" />
  </Line>
);
export const UndoIcon = (): ReactElement => (
  <Line size={12}>
    <path d="M3 5.2h5.4a3 3 0 0 1 0 6H5.2M5.6 2.6 3 5.2l2.6 2.6" />
  </Line>
);
export const HelpIcon = (): ReactElement => (
  <Line>
    <circle cx="7" cy="7" r="5.6" />
    <path d="M5.3 5.6a1.75 1.75 0 1 1 2.5 1.6c-.6.3-.8.6-.8 1.2M7 10.2v.1" />
  </Line>
);
export const ThemeIcon = (): ReactElement => (
  <Icon>
    <path
      d="M7 1.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 7 1.2zm0 1.4v8.8a4.4 4.4 0 0 1 0-8.8z"
      fillRule="evenodd"
    />
  </Icon>
);
export const ChevronIcon = (): ReactElement => (
  <Line size={10} viewBox="0 0 10 10" stroke="var(--ink3)" strokeWidth={1.6}>
    <path d="M2 3.5 5 6.5 8 3.5" />
  </Line>
);
/** From one phase to the next; neither font has an arrow to the right. */
export const FlowIcon = (): ReactElement => (
  <svg className="flow" width={14} height={24} viewBox="0 0 14 24" aria-hidden="true">
    <path d="M2 12h9M8 9l3 3-3 3" fill="none" stroke="currentColor" strokeWidth={1.2} />
  </svg>
);

const RAIL_ICONS = {
  recipe: 'M2 4h12M2 8h12M2 12h12M5 2.5v3M10 6.5v3M7 10.5v3',
  data: 'M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z',
  digit: 'M5 5.2C5 3.4 6.3 2.4 8 2.4s3 1 3 2.8c0 2.8-6 5-6 8.4h6.4',
  code: 'M5.5 4.5 2 8l3.5 3.5M10.5 4.5 14 8l-3.5 3.5',
  inspector: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.5 10.5 14 14',
} as const;

export const RailIcon = ({ name }: { name: keyof typeof RAIL_ICONS }): ReactElement => (
  <Line size={16} viewBox="0 0 16 16">
    <path d={RAIL_ICONS[name]} />
  </Line>
);

export const Brand = (): ReactElement => (
  <svg width={20} height={20} viewBox="0 0 20 20" aria-hidden="true" fill="none">
    <rect x=".5" y=".5" width="19" height="19" rx="5" stroke="var(--line2)" />
    <path
      d="M3 5.5c2.6 0 3.4 9 6.2 9s2.6-5.6 4.2-5.6 1.6 3.1 3.6 3.1"
      stroke="var(--live-text)"
      strokeWidth={1.8}
      strokeLinecap="round"
    />
  </svg>
);
export const SortRowsIcon = (): ReactElement => (
  <Line size={12}>
    <path d="M1.5 2.5h11M1.5 7h7.5M1.5 11.5h4" />
  </Line>
);
export const SortColumnsIcon = (): ReactElement => (
  <Line size={12}>
    <path d="M2.5 12.5v-11M7 12.5V5M11.5 12.5v-4" />
  </Line>
);
export const AgainIcon = (): ReactElement => (
  <Line size={12}>
    <path d="M11.8 7a4.8 4.8 0 1 1-1.6-3.6M10.6.9v2.8H7.8" />
  </Line>
);

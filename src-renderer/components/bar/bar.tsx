import type { ReactElement } from 'react';
import { setHelpOpen, toggleTheme } from '../../state/actions';
import { Brand, HelpIcon, ThemeIcon } from '../icons';
import { keyHint } from '../keymap';
import { Tip } from '../tip';
import { Counters, EngineReadings } from './readings';
import { ModeSwitch } from './mode-switch';
import { SpeedSlider } from './speed-slider';
import { StepGroup, Transport } from './transport';

export function Bar(): ReactElement {
  return (
    <header className="bar">
      <div className="brand">
        <Brand />
        <h1>Gradscope</h1>
        <PageButtons />
      </div>
      <Transport />
      <StepGroup />
      <ModeSwitch />
      <SpeedSlider />
      <div className="space" />
      <Counters />
      <EngineReadings />
    </header>
  );
}

/** Help and theme: beside the brand, or at the foot of the icon strip where the window is small. */
export function PageButtons({ tipSide = 'bottom' }: { tipSide?: 'bottom' | 'right' }): ReactElement {
  return (
    <div className="page-buttons">
      <Tip text="Keys, columns and colours" hint={keyHint('help')} side={tipSide}>
        <button
          type="button"
          className="icon-button"
          aria-label="Help"
          onClick={() => {
            setHelpOpen(true);
          }}
        >
          <HelpIcon />
        </button>
      </Tip>
      <Tip text="Light or dark" hint={keyHint('toggleTheme')} side={tipSide}>
        <button type="button" className="icon-button" aria-label="Light or dark" onClick={toggleTheme}>
          <ThemeIcon />
        </button>
      </Tip>
    </div>
  );
}

import { Tabs } from 'radix-ui';
import type { ReactElement } from 'react';
import { choosePanel } from '../../state/actions';
import { PANELS, useApp, type Panel } from '../../state/store';
import { Inspector } from '../inspector/inspector';
import { keyHint } from '../keymap';
import { NetworkTable } from './network-table';
import { Stage } from '../stage/stage';
import { StepEffect } from '../step-effect/step-effect';
import { Tip } from '../tip';
import './panel.css';

const TITLES: Readonly<Record<Panel, { readonly label: string; readonly tip: string }>> = {
  kernel: { label: 'Kernel', tip: 'The chosen kernel in numbers' },
  stage: { label: 'Stage', tip: 'What happens at the layer where training stands' },
  step: { label: 'Step', tip: 'Whether the step helped' },
  network: { label: 'Network', tip: 'Layers, shapes and parameters' },
};

/** What there is to read about what the grid shows, one subject at a time. */
export function PanelSection(): ReactElement {
  const panel = useApp(({ view }) => view.panel);
  return (
    <Tabs.Root
      className="section panel-section"
      value={panel}
      onValueChange={(value) => {
        const chosen = PANELS.find((one) => one === value);
        if (chosen !== undefined) choosePanel(chosen);
      }}
    >
      <Tabs.List className="panel-tabs" aria-label="Panel">
        {PANELS.map((one) => (
          <Tip key={one} text={TITLES[one].tip} hint={keyHint(`panel-${one}`)}>
            <Tabs.Trigger value={one}>{TITLES[one].label}</Tabs.Trigger>
          </Tip>
        ))}
      </Tabs.List>
      <Content panel="kernel" name="Inspector">
        <Inspector />
      </Content>
      <Content panel="stage" name="Stage">
        <Stage />
      </Content>
      <Content panel="step" name="Step effect">
        <StepEffect />
      </Content>
      <Content panel="network" name="Network">
        <NetworkTable />
      </Content>
    </Tabs.Root>
  );
}

function Content({
  panel,
  name,
  children,
}: {
  panel: Panel;
  name: string;
  children: ReactElement;
}): ReactElement {
  return (
    <Tabs.Content className="panel-content" value={panel}>
      <div role="region" aria-label={name}>
        {children}
      </div>
    </Tabs.Content>
  );
}

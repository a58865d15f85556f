import type { ReactElement } from 'react';
import { SMALL_SCREEN, useMedia } from '../state/screen';
import { Bar } from './bar/bar';
import { Help } from './dialog/help';
import { DrawPanel } from './draw-digit/draw-panel';
import { Foot } from './foot/foot';
import { usePage } from './page-context';
import { IconStrip, LeftRail, OpenDrawer, RightRail } from './rail/rails';
import { Legend } from './scope/legend';
import { ScopeGrid } from './scope/scope-grid';
import { Lines } from './strip/lines';
import { PhaseStrip } from './strip/strip';
import { TipProvider } from './tip';
import { useKeymap } from './use-keymap';

export function App(): ReactElement {
  const { commands } = usePage();
  const isSmall = useMedia(SMALL_SCREEN);
  useKeymap(commands);
  return (
    <TipProvider delayDuration={500} skipDelayDuration={200}>
      <div className="app">
        <Bar />
        {isSmall ? <IconStrip /> : <LeftRail />}
        <main className="mid">
          <div className="strip">
            <PhaseStrip />
            <Legend />
          </div>
          <div className="work">
            <Lines />
            <ScopeGrid />
          </div>
          {isSmall && <OpenDrawer />}
          <DrawPanel />
        </main>
        {!isSmall && <RightRail />}
        <Foot />
      </div>
      <Help />
    </TipProvider>
  );
}

import { useEffect, useRef, type ReactElement } from 'react';
import { SMALL_SCREEN, useMedia } from '../state/screen';
import { useApp } from '../state/store';
import { Bar } from './bar/bar';
import { Help } from './dialog/help';
import { DrawPanel } from './draw-digit/draw-panel';
import { Foot } from './foot/foot';
import { usePage } from './page-context';
import { IconStrip, LeftRail, OpenDrawer, RightRail } from './rail/rails';
import { Legend } from './scope/legend';
import { ScopeGrid } from './scope/scope-grid';
import { MessageLine } from './strip/message-line';
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
          <MessageLine />
          <Work />
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

/** The grid. Beside a drawer with the stage it shows the columns that the stage is about: output and error. */
function Work(): ReactElement {
  const work = useRef<HTMLDivElement>(null);
  const isBesideStage = useApp(({ view }) => view.drawer === 'inspector' && view.panel === 'stage');
  useEffect(() => {
    const { current } = work;
    if (current !== null) current.scrollLeft = isBesideStage ? current.scrollWidth : 0;
  }, [isBesideStage]);
  return (
    <div ref={work} className="work">
      <ScopeGrid />
    </div>
  );
}

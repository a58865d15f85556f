import { useEffect, useRef, type ReactElement, type ReactNode } from 'react';
import { openDrawer, toggleDrawer } from '../../state/actions';
import { DRAWERS, useApp, type Drawer } from '../../state/store';
import { PageButtons } from '../bar/bar';
import { CodePane } from '../code-pane/code-pane';
import { CloseIcon, RailIcon } from '../icons';
import { DRAWER_TITLES } from '../keymap';
import { PanelSection } from '../panel/panel-section';
import { Tip } from '../tip';
import { DataSection } from './data-section';
import { DigitSection } from './digit-section';
import { ExampleSection } from './example-section';
import { RecipeSection } from './recipe-section';
import { WeightsSection } from './weights-section';

export function LeftRail(): ReactElement {
  return (
    <aside className="rail left" aria-label="Run and digit">
      <RecipeSection />
      <DataSection />
      <DigitSection />
      <WeightsSection />
    </aside>
  );
}

export function RightRail(): ReactElement {
  return (
    <aside className="rail right" aria-label="Panels and code">
      <ExampleSection />
      <PanelSection />
      <CodePane />
    </aside>
  );
}

const CONTENT: Readonly<Record<Drawer, ReactNode>> = {
  recipe: <RecipeSection />,
  data: (
    <>
      <DataSection />
      <WeightsSection />
    </>
  ),
  digit: <DigitSection />,
  inspector: (
    <>
      <ExampleSection />
      <PanelSection />
    </>
  ),
  code: <CodePane />,
};

/** What the rails become where the window is small: a strip of icons, each of which opens its part over the grid. */
export function IconStrip(): ReactElement {
  const open = useApp(({ view }) => view.drawer);
  return (
    <nav className="icon-strip" aria-label="Panels">
      {DRAWERS.map((drawer) => (
        <Tip key={drawer} text={DRAWER_TITLES[drawer]} side="right">
          <button
            type="button"
            aria-label={DRAWER_TITLES[drawer]}
            aria-expanded={open === drawer}
            onClick={() => {
              toggleDrawer(drawer);
            }}
          >
            <RailIcon name={drawer} />
          </button>
        </Tip>
      ))}
      <PageButtons tipSide="right" />
    </nav>
  );
}

export function OpenDrawer(): ReactElement | null {
  const drawer = useApp(({ view }) => view.drawer);
  const selection = useApp(({ view }) => view.selection);
  const panel = useRef<HTMLDivElement>(null);
  const opener = useRef<Element | null>(null);

  // Who chooses a kernel wants to read it; one that was chosen in a larger window is no such wish.
  const known = useRef(selection);
  useEffect(() => {
    if (selection !== null && selection !== known.current) openDrawer('inspector');
    known.current = selection;
  }, [selection]);

  useEffect(() => {
    if (drawer === null) {
      if (opener.current instanceof HTMLElement && opener.current.isConnected) opener.current.focus();
      opener.current = null;
      return;
    }
    opener.current ??= document.activeElement;
    // What is in it may have taken the focus already.
    const { current } = panel;
    if (drawer !== 'inspector' && current?.contains(document.activeElement) !== true) current?.focus();
  }, [drawer]);

  if (drawer === null) return null;
  const isInspector = drawer === 'inspector' || drawer === 'code';
  return (
    <div
      ref={panel}
      key={drawer}
      className={isInspector ? 'drawer rail at-right' : 'drawer rail'}
      role="dialog"
      aria-label={DRAWER_TITLES[drawer]}
      tabIndex={-1}
    >
      <button
        type="button"
        className="icon-button tiny close"
        aria-label={`Close ${DRAWER_TITLES[drawer].toLowerCase()}`}
        onClick={() => {
          openDrawer(null);
        }}
      >
        <CloseIcon />
      </button>
      {CONTENT[drawer]}
    </div>
  );
}

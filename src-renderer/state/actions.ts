import { planNetwork } from '../../src-shared/model/network';
import type {
  Evaluation,
  NonFinite,
  Ready,
  Status,
  TrainerMessage,
} from '../../src-shared/protocol/messages';
import { panelAfter } from './panel';
import { isSmallScreen } from './screen';
import {
  appStore,
  type CodeView,
  type Connection,
  type Digit,
  type Draft,
  type Drawer,
  type Notice,
  type Panel,
  type Rates,
  type SaliencyClass,
  type ScaleScope,
  type Selection,
  type Theme,
  type View,
} from './store';

type EngineNews = Pick<Extract<TrainerMessage, { type: 'engine' }>, 'engine' | 'engineTable' | 'choice'>;

const setView = (change: Partial<View>): void => {
  appStore.setState((state) => ({ view: { ...state.view, ...change } }));
};

// ---------------------------------------------------------------- the person's choices

/** Who chooses a kernel wants to read it; on the stage it is read where training stands. */
export const select = (selection: Selection | null): void => {
  const { panel } = appStore.getState().view;
  setView({ selection });
  if (selection !== null && panel !== 'stage') choosePanel('kernel');
};

export const choosePanel = (panel: Panel): void => {
  const { view } = appStore.getState();
  // The stage is only there inside a step; the other panels can be looked at while training runs.
  setView({ panel, restPanel: panel === 'stage' ? view.restPanel : panel });
};

/** Opens its drawer where the window is too small for rails. */
export const showPanel = (panel: Panel): void => {
  choosePanel(panel);
  if (isSmallScreen()) openDrawer('inspector');
};

/** @param codeView null: follow the loop in force */
export const chooseCodeView = (codeView: CodeView | null): void => {
  setView({ codeView });
};

/** Opens the code where it is folded or the window is too small for rails. */
export const askForCode = (): void => {
  const { view } = appStore.getState();
  const drawer = isSmallScreen() ? 'code' : view.drawer;
  setView({ codeAsked: view.codeAsked + 1, codeFolded: false, drawer });
};

export const toggleCodeFold = (): void => {
  setView({ codeFolded: !appStore.getState().view.codeFolded });
};

export const setExample = (example: number): void => {
  setView({ example });
};

export const showSaliency = (saliency: SaliencyClass | null): void => {
  if (appStore.getState().view.saliency !== saliency) setView({ saliency });
};

/** What it shows is in a drawer where the window is too small for rails. */
export const toggleSaliency = (): void => {
  const isHidden = appStore.getState().view.saliency === null;
  showSaliency(isHidden ? 'said' : null);
  if (isHidden && isSmallScreen()) openDrawer('digit');
};

export const setTheme = (theme: Theme): void => {
  setView({ theme });
};

export const toggleTheme = (): void => {
  setTheme(appStore.getState().view.theme === 'dark' ? 'light' : 'dark');
};

/** A scale that was locked for one scope says nothing about another, so the lock opens. */
export const setScaleScope = (scaleScope: ScaleScope): void => {
  if (appStore.getState().view.scaleScope !== scaleScope) setView({ scaleScope, scaleLocked: false });
};

export const toggleLock = (): void => {
  setView({ scaleLocked: !appStore.getState().view.scaleLocked });
};

export const openDrawer = (drawer: Drawer | null): void => {
  setView({ drawer });
};

export const toggleDrawer = (drawer: Drawer): void => {
  openDrawer(appStore.getState().view.drawer === drawer ? null : drawer);
};

/** The drawer that it may have been opened from would be under it. */
export const setDrawOpen = (drawOpen: boolean): void => {
  if (appStore.getState().view.drawOpen !== drawOpen) setView({ drawOpen, drawer: null });
};

/** Whether the card with the arithmetic of a value stays open. */
export const setArithmetic = (arithmetic: boolean): void => {
  if (appStore.getState().view.arithmetic !== arithmetic) setView({ arithmetic });
};

export const setHelpOpen = (helpOpen: boolean): void => {
  setView({ helpOpen });
};

export const setEngineOpen = (engineOpen: boolean): void => {
  if (appStore.getState().view.engineOpen !== engineOpen) setView({ engineOpen });
};

export const setMeasuring = (measuring: boolean): void => {
  setView({ measuring });
};

/** Keeps only what differs from the run under way, so that an empty draft means "nothing pending". */
export const setDraft = (change: Draft): void => {
  appStore.setState((state) => {
    const config = state.ready?.config;
    const merged = Object.entries({ ...state.draft, ...change });
    const differing = merged.filter(([key, value]) => config?.[key as keyof Draft] !== value);
    return { draft: Object.fromEntries(differing) };
  });
};

export const discardDraft = (): void => {
  appStore.setState({ draft: {} });
};

export const dismissNotice = (): void => {
  if (appStore.getState().notice !== null) appStore.setState({ notice: null });
};

// ---------------------------------------------------------------- what the trainer says

export const setConnection = (connection: Connection): void => {
  appStore.setState({ connection });
};

/** A new run: what belonged to the last one goes. The kernel that was chosen stays chosen if the network still has it. */
export const beginRun = (ready: Ready, digit: Digit): void => {
  const plan = planNetwork(ready.network);
  appStore.setState((state) => {
    const { selection } = state.view;
    const kept = selection !== null && plan.layers.some((layer) => layer.spec.name === selection.layer);
    return {
      connection: { state: 'open', code: null, message: null },
      ready,
      plan,
      status: null,
      evaluations: [],
      nonFinite: null,
      nonFinites: [],
      digit,
      lastTestIndex: digit.testIndex ?? state.lastTestIndex,
      draft: {},
      notice: null,
      view: { ...state.view, selection: kept ? selection : null, sorting: {}, scaleLocked: false },
      rates: { ...state.rates, pictureAgeMs: null, skipped: 0 },
    };
  });
};

/** Takes the place of what `ready` said of the engine; whoever had chosen the same one for the next run has it now. */
export const setEngine = ({ engine, engineTable, choice }: EngineNews): void => {
  appStore.setState(({ ready }) =>
    ready === null
      ? {}
      : { ready: { ...ready, engine, engineTable, config: { ...ready.config, engine: choice } } },
  );
  setDraft({});
};

export const setStatus = (status: Status): void => {
  appStore.setState(({ status: previous, view }) => {
    const panel = panelAfter(view.panel, view.restPanel, previous, status);
    return {
      status,
      // Since then the weights were made sound; what was met stays marked in the chart.
      ...(status.nonFinite === null ? { nonFinite: null } : {}),
      ...(panel === view.panel ? {} : { view: { ...view, panel } }),
    };
  });
};

export const addEvaluation = (evaluation: Evaluation): void => {
  appStore.setState((state) => ({ evaluations: [...state.evaluations, evaluation] }));
};

/** More come only when somebody poisons and mends the weights again and again. */
const MOST_NON_FINITES = 256;

export const addNonFinite = (nonFinite: NonFinite): void => {
  appStore.setState(({ nonFinites }) => ({
    nonFinite,
    nonFinites: [...nonFinites, nonFinite].slice(-MOST_NON_FINITES),
  }));
};

export const setDigit = (digit: Digit): void => {
  appStore.setState(({ lastTestIndex }) => ({ digit, lastTestIndex: digit.testIndex ?? lastTestIndex }));
};

/** Rates that are what they were change nothing, so a page that stands draws nothing. */
export const setRates = (rates: Rates): void => {
  const { framesPerSecond, pictureAgeMs, skipped } = appStore.getState().rates;
  const isSame =
    rates.framesPerSecond === framesPerSecond &&
    rates.pictureAgeMs === pictureAgeMs &&
    rates.skipped === skipped;
  if (!isSame) appStore.setState({ rates });
};

export const notify = (notice: Notice): void => {
  appStore.setState({ notice });
};

import { planNetwork, type NetworkPlan } from '../../src-shared/model/network';
import type {
  Evaluation,
  NonFinite,
  Ready,
  Status,
  TrainerMessage,
  WeightsReplaced,
} from '../../src-shared/protocol/messages';
import { MOST_EVALUATIONS, MOST_NON_FINITES, MOST_REPLACEMENTS } from '../../src-shared/protocol/limits';
import { kernelShape } from '../scene/network-rows';
import { panelAfter } from './panel';
import { isSmallScreen } from './screen';
import {
  appStore,
  type CodeView,
  type AppState,
  type Connection,
  type Digit,
  type Draft,
  type Drawer,
  type LostRun,
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
  if (connection.state === 'lost') lose(connection);
  else appStore.setState({ connection });
};

/** What is on the screen stays there, but nothing of it goes on. */
function lose(connection: Connection): void {
  appStore.setState((state) => ({
    connection,
    status: state.status === null ? null : { ...state.status, ...STANDS_STILL, state: endedAs(state.status) },
    silentSeconds: 0,
    lost: lostRun(connection, state),
  }));
}

const STANDS_STILL = { stepsPerSecond: null, imagesPerSecond: null, testing: null } as const;

const endedAs = ({ state }: Status): Status['state'] => (state === 'running' ? 'paused' : state);

/** A trainer that is looked for and does not answer has gone for the reason of before. */
function lostRun({ code, message }: Connection, { lost, status }: AppState): LostRun {
  if (lost !== null && lost.foundStep === null) return lost;
  const { runId = 0, step = 0 } = status ?? {};
  return {
    code: code ?? 'connection-lost',
    message: message ?? '',
    runId,
    step,
    foundStep: null,
  };
}

export const dismissLost = (): void => {
  appStore.setState({ lost: null });
};

/** @param silentSeconds whole seconds */
export const setSilence = (silentSeconds: number): void => {
  if (appStore.getState().silentSeconds !== silentSeconds) appStore.setState({ silentSeconds });
};

/** A new run: what belonged to the last one goes. The kernel that was chosen stays chosen if the network still has it. */
export const beginRun = (ready: Ready, digit: Digit): void => {
  const plan = planNetwork(ready.network);
  appStore.setState((state) => {
    const { selection } = state.view;
    const kept = selection !== null && hasKernel(plan, selection);
    // A page that was reloaded finds the run as it left it.
    const isReloaded = state.ready === null && state.keptRunId === ready.runId;
    return {
      connection: { state: 'open', code: null, message: null },
      ready,
      plan,
      status: null,
      evaluations: [],
      pastEvaluations: 0,
      nonFinite: null,
      nonFinites: [],
      replacements: [],
      replacementNews: null,
      lost: stillLost(state.lost),
      silentSeconds: 0,
      digit,
      lastTestIndex: digit.testIndex ?? state.lastTestIndex,
      draft: {},
      notice: null,
      view: {
        ...state.view,
        selection: kept ? selection : null,
        sorting: {},
        scaleLocked: isReloaded && state.view.scaleLocked,
      },
      rates: { ...state.rates, pictureAgeMs: null, skipped: 0 },
    };
  });
};

/** Whether the network has that kernel: one that was kept may be of another network. */
function hasKernel(plan: NetworkPlan, { layer: name, filter, input }: Selection): boolean {
  const layer = plan.layers.find(({ spec }) => spec.name === name);
  const weight = layer?.parameters.find(({ role }) => role === 'weight');
  if (weight === undefined) return false;
  const { filters, inputs } = kernelShape(weight.shape);
  return filter < filters && (input === null ? inputs === null : inputs !== null && input < inputs);
}

/** A run that begins after the one that was found is begun by a person, who knows. */
const stillLost = (lost: LostRun | null): LostRun | null => (lost?.foundStep === null ? lost : null);

/** What is known of a lost run when a trainer that answers again says how its run stands. Null: nothing was lost. */
function compared(lost: LostRun | null, { runId, step }: Status): LostRun | null {
  if (lost === null) return null;
  // The connection alone was lost: the run goes on where it was, or further.
  const isThere = lost.runId === 0 || (lost.runId === runId && step >= lost.step);
  return lost.code !== 'worker-died' && isThere ? null : { ...lost, foundStep: step };
}

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
  appStore.setState(({ status: previous, view, lost: lostBefore, keptRunId }) => {
    const isReloaded = previous === null && keptRunId === status.runId;
    const panel = isReloaded ? view.panel : panelAfter(view.panel, view.restPanel, previous, status);
    // Only the first status of a connection tells whether the run is the one of before.
    const lost = previous === null ? compared(lostBefore, status) : lostBefore;
    return {
      status,
      lost,
      // Since then the weights were made sound; what was met stays marked in the chart.
      ...(status.nonFinite === null ? { nonFinite: null } : {}),
      ...(panel === view.panel ? {} : { view: { ...view, panel } }),
    };
  });
};

export const addEvaluation = (evaluation: Evaluation): void => {
  appStore.setState(({ evaluations: before, pastEvaluations }) => {
    const evaluations = [...before, evaluation].slice(-MOST_EVALUATIONS);
    const forgotten = before.length + 1 - evaluations.length;
    return { evaluations, pastEvaluations: Math.max(0, pastEvaluations - forgotten) };
  });
  weightsMeasured();
};

/**
 * What was measured of the weights before is not so any more. Until the first status comes, the trainer tells what
 * happened to the run before: that is no news.
 */
export const addReplacement = (replaced: WeightsReplaced): void => {
  appStore.setState(({ replacements, weightsRevision, evaluations, status }) => {
    const last = replacements.at(-1);
    const isOfLastStep = last?.step === replaced.step;
    // A value set by hand after a file was opened is the lesser news of that step.
    const kept = isOfLastStep && last.source === 'file' && replaced.source === 'value' ? last : replaced;
    const others = isOfLastStep ? replacements.slice(0, -1) : replacements;
    return {
      replacements: [...others, kept].slice(-MOST_REPLACEMENTS),
      weightsRevision: weightsRevision + 1,
      replacementNews: status === null ? null : { ...replaced, isMeasured: false },
      pastEvaluations: evaluations.length,
    };
  });
};

/** A step has trained the weights there are, or a test has tested them. */
export const weightsMeasured = (): void => {
  const { replacementNews: news } = appStore.getState();
  if (news?.isMeasured === false) appStore.setState({ replacementNews: { ...news, isMeasured: true } });
};

export const dismissReplacement = (): void => {
  appStore.setState({ replacementNews: null });
};

/** The newest test of the weights there are; null: none yet. */
export const latestTest = ({
  evaluations,
  pastEvaluations,
}: Pick<AppState, 'evaluations' | 'pastEvaluations'>): Evaluation | null =>
  evaluations.length > pastEvaluations ? (evaluations.at(-1) ?? null) : null;

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

import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { NetworkPlan } from '../../src-shared/model/network';
import type { RunConfig } from '../../src-shared/model/run-config';
import type {
  Evaluation,
  NonFinite,
  Ready,
  Status,
  WeightsReplaced,
} from '../../src-shared/protocol/messages';
import type { SortAxis, SortMeasure } from '../scene/sorting';

/** What the colour scale of W, g and dW is taken over: each kernel, each layer, or the whole network. */
export type ScaleScope = 'kernel' | 'layer' | 'network';
export type Theme = 'dark' | 'light';

/** A kernel of a conv layer (filter and input channel) or a unit of a dense layer (input null). Counted from 0. */
export interface Selection {
  readonly layer: string;
  readonly filter: number;
  readonly input: number | null;
}

export interface Connection {
  /** `lost`: the trainer has gone; what it sent stays on the screen. */
  readonly state: 'connecting' | 'open' | 'lost';
  /** Why, when lost. */
  readonly code: string | null;
  readonly message: string | null;
}

/** A change of weights that came while this page looked on. */
export type ReplacementNews = WeightsReplaced & {
  /** A step has trained these weights since, or a test has tested them. */
  readonly isMeasured: boolean;
};

/** The run of a trainer that has gone, as far as this page knew it. */
export interface LostRun {
  readonly code: string;
  /** Why it has gone. */
  readonly message: string;
  /** 0: the page knew of none. */
  readonly runId: number;
  /** Finished steps. */
  readonly step: number;
  /** Finished steps of the run that the page found when a trainer answered again; null until its first status. */
  readonly foundStep: number | null;
}

/** The chosen digit: a test image, or one drawn by hand. `pixels` are its bytes, row-major. */
export interface Digit {
  /** Null for one drawn by hand, as is `label`. */
  readonly testIndex: number | null;
  readonly label: number | null;
  /** Of one drawn by hand: the class that its error is computed for; null: the one that the network says. */
  readonly assumedLabel: number | null;
  readonly pixels: Uint8Array;
}

export const DRAWERS = ['recipe', 'data', 'digit', 'inspector', 'code'] as const;
export type Drawer = (typeof DRAWERS)[number];

/** What the right rail shows: the chosen kernel, the layer at which training stands, what the last step did, the network. */
export const PANELS = ['kernel', 'stage', 'step', 'network'] as const;
export type Panel = (typeof PANELS)[number];

/** Of whose score the saliency of the digit is shown: of one class, or of whatever class the network says. */
export type SaliencyClass = number | 'said';

/** How the code of a step is written: as a loop, as Keras's fit() with a callback, over a tf.GradientTape. */
export const CODE_VIEWS = ['loop', 'fit', 'tape'] as const;
export type CodeView = (typeof CODE_VIEWS)[number];

/** An order as it was taken: it holds still until it is taken again. */
export interface TakenOrder {
  /** Place -> index. */
  readonly order: readonly number[];
  /** Step of the values that it was taken by. */
  readonly step: number;
  /** Of a change: step of the weights that those of `step` were compared with. */
  readonly since: number | null;
}

/** What the rows or columns of a layer's matrix are sorted by. */
export interface AxisSorting {
  readonly by: Exclude<SortMeasure, 'index'>;
  /** Null: none was taken yet. */
  readonly taken: TakenOrder | null;
  /** It is to be taken from the picture on the screen; until then `taken`, which may be by something else, holds. */
  readonly wanted: boolean;
}

/** Null: in the order of the tensor. */
export type LayerSorting = Readonly<Record<SortAxis, AxisSorting | null>>;

export interface View {
  readonly theme: Theme;
  readonly scaleScope: ScaleScope;
  readonly scaleLocked: boolean;
  readonly selection: Selection | null;
  /** By layer; one that is not named is in the order of the tensor. */
  readonly sorting: Readonly<Record<string, LayerSorting>>;
  /** Of a minibatch, counted from 0: shown instead of the digit while training stands inside a step. */
  readonly example: number;
  readonly panel: Panel;
  /** The panel to go back to when training runs on. */
  readonly restPanel: Panel;
  /** Null: the one of the loop in force. */
  readonly codeView: CodeView | null;
  /** How often somebody asked for the line where training stands: the code then takes the focus. */
  readonly codeAsked: number;
  /** Only where training stands is said of the code, and the panel above it has the room. */
  readonly codeFolded: boolean;
  /** The rail section shown over the grid where the window is too small for rails. */
  readonly drawer: Drawer | null;
  /** The card with the arithmetic of a value was asked to stay. */
  readonly arithmetic: boolean;
  readonly helpOpen: boolean;
  /** The menu of engines in the bar. */
  readonly engineOpen: boolean;
  /** This page has asked for the engines to be measured, and waits for it. */
  readonly measuring: boolean;
  /** Null: the saliency of the digit is not shown, and not computed. */
  readonly saliency: SaliencyClass | null;
  /** The panel to draw a digit in. */
  readonly drawOpen: boolean;
}

export interface Rates {
  /** Frames drawn a second, over the last second. */
  readonly framesPerSecond: number;
  /** From the moment the newest drawn values were computed to the moment they were drawn; null before the first. */
  readonly pictureAgeMs: number | null;
  /** Pictures of this run that the trainer did not take because the page was busy. */
  readonly skipped: number;
}

/** What a new run would have, where the person chose something else than the run under way. */
export type Draft = Partial<Pick<RunConfig, 'recipe' | 'seed' | 'engine' | 'epochs'>>;

/** A refusal or a piece of news, shown in one line until it is dismissed. */
export interface Notice {
  /** Null: news. */
  readonly code: string | null;
  readonly message: string;
}

/**
 * Everything of the page that changes slowly. Frames and metrics are in stores of their own (frames/), which React never
 * sees.
 */
export interface AppState {
  readonly connection: Connection;
  /** Of the current run; null until the trainer has answered. */
  readonly ready: Ready | null;
  /** planNetwork(ready.network). */
  readonly plan: NetworkPlan | null;
  readonly status: Status | null;
  /** Of the current run, in order. */
  readonly evaluations: readonly Evaluation[];
  /** The first NaN or infinity of the weights that are there; null: none. */
  readonly nonFinite: NonFinite | null;
  /** Each first one of the run, also those whose weights were made sound since; in order. */
  readonly nonFinites: readonly NonFinite[];
  /** How many of them are of weights that were replaced since: what they found is not so any more. */
  readonly pastEvaluations: number;
  /** Changes of weights otherwise than by training, in order; of several at one step one. */
  readonly replacements: readonly WeightsReplaced[];
  /** How often weights were changed so; counts on over runs. */
  readonly weightsRevision: number;
  /** The newest of them, until somebody has read it. */
  readonly replacementNews: ReplacementNews | null;
  /** Null: no trainer has gone, or what has was found again. */
  readonly lost: LostRun | null;
  /** Whole seconds for which the trainer has said nothing; 0 when it is heard. */
  readonly silentSeconds: number;
  readonly digit: Digit | null;
  /** The test image that was chosen last: where a drawn digit leads back to. */
  readonly lastTestIndex: number;
  readonly view: View;
  /** The run that was shown before the page was reloaded, whose panel and locked scale are kept; null: none. */
  readonly keptRunId: number | null;
  /** Refreshed about four times a second, never per frame. */
  readonly rates: Rates;
  readonly draft: Draft;
  readonly notice: Notice | null;
}

export const INITIAL_STATE: AppState = {
  connection: { state: 'connecting', code: null, message: null },
  ready: null,
  plan: null,
  status: null,
  evaluations: [],
  pastEvaluations: 0,
  nonFinite: null,
  nonFinites: [],
  replacements: [],
  weightsRevision: 0,
  replacementNews: null,
  lost: null,
  silentSeconds: 0,
  digit: null,
  lastTestIndex: 0,
  view: {
    theme: 'dark',
    scaleScope: 'layer',
    scaleLocked: false,
    selection: null,
    sorting: {},
    example: 0,
    panel: 'network',
    restPanel: 'network',
    codeView: null,
    codeAsked: 0,
    codeFolded: false,
    drawer: null,
    arithmetic: false,
    helpOpen: false,
    engineOpen: false,
    measuring: false,
    saliency: null,
    drawOpen: false,
  },
  keptRunId: null,
  rates: { framesPerSecond: 0, pictureAgeMs: null, skipped: 0 },
  draft: {},
  notice: null,
};

export const appStore = createStore<AppState>()(() => INITIAL_STATE);

/** The selector must return something that stays the same while nothing it reads has changed. */
export const useApp = <T>(selector: (state: AppState) => T): T => useStore(appStore, selector);

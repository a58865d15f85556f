import { GradscopeError } from '../../src-shared/protocol/errors';
import type { EngineChoice, Mode } from '../../src-shared/model/run-config';
import type { Breakpoint } from '../../src-shared/protocol/messages';
import { MAX_FILE_BYTES } from '../../src-shared/protocol/limits';
import type { FrameStore } from '../frames/frame-store';
import { dismissNotice, notify, select, setDigit, setExample, setMeasuring } from '../state/actions';
import type { RequestClient } from '../state/request-client';
import { examplesUnderWay, standingLayer } from '../state/standing';
import { appStore } from '../state/store';
import { offerFile, pickFile, readWithin } from './files';
import { newestOnly } from './newest-only';
import { SPEEDS, speedIndex } from './speeds';
import { focusOf, selectionFor } from './stage/focus';

export interface Drawn {
  readonly pixels: Uint8Array;
  readonly assumedLabel: number | null;
}
/** A test image by its number, or a drawing. */
type Wanted = number | Drawn;

export interface CommandsOptions {
  readonly send: RequestClient;
  readonly frames: Pick<FrameStore, 'newest'>;
  /** Joins the page to the trainer again after it was lost; at once when it is joined. */
  readonly connect: () => Promise<void>;
}

/**
 * What a person can make the trainer do, by button, key or menu alike. A refusal becomes the line under the strip, until
 * the next command that works; nothing here throws.
 */
export class Commands {
  /** Chooses which example of the minibatch is shown inside a step. */
  readonly chooseExample: (example: number) => Promise<void>;
  /** @param stepsPerSecond null: flat out. */
  readonly setSpeed: (stepsPerSecond: number | null) => Promise<void>;
  /** Of test images and drawings alike only the newest is asked for, so none can overtake another. */
  private readonly look: (choice: Wanted) => Promise<void>;
  private breakpointsChanged = Promise.resolve();
  private readonly send: RequestClient;
  private readonly frames: CommandsOptions['frames'];
  private readonly connect: () => Promise<void>;

  constructor({ send, frames, connect }: CommandsOptions) {
    this.send = send;
    this.frames = frames;
    this.connect = connect;
    this.setSpeed = newestOnly((stepsPerSecond) =>
      this.attempt(() => send.request('setSpeed', { stepsPerSecond })),
    );
    this.chooseExample = newestOnly((example) =>
      this.attempt(async () => {
        await send.request('chooseExample', { example });
        setExample(example);
      }),
    );
    this.look = newestOnly((wanted) =>
      this.attempt(async () => {
        if (typeof wanted === 'object') {
          const { pixels, assumedLabel } = wanted;
          await send.request('drawDigit', { assumedLabel }, pixels);
          setDigit({ testIndex: null, label: null, assumedLabel, pixels });
          return;
        }
        const examples = appStore.getState().ready?.dataset.testExamples ?? 1;
        const { result, payload } = await send.request('chooseDigit', {
          testIndex: ((wanted % examples) + examples) % examples,
        });
        const { testIndex, label } = result;
        setDigit({ testIndex, label, assumedLabel: null, pixels: payload });
      }),
    );
  }

  /** Chooses a test image; beyond either end it goes round. */
  chooseDigit(testIndex: number): Promise<void> {
    return this.look(testIndex);
  }

  /** @param drawing 28 x 28 bytes, and the class that its error is computed for; null: the one that the network says */
  drawDigit(drawing: Drawn): Promise<void> {
    return this.look(drawing);
  }

  play(): Promise<void> {
    return this.attempt(() => this.send.request('play', {}));
  }

  pause(): Promise<void> {
    return this.attempt(() => this.send.request('pause', {}));
  }

  playOrPause(): Promise<void> {
    return appStore.getState().status?.state === 'running' ? this.pause() : this.play();
  }

  stepPhase(): Promise<void> {
    return this.attempt(() => this.send.request('stepPhase', {}));
  }

  stepLayer(): Promise<void> {
    return this.attempt(() => this.send.request('stepLayer', {}));
  }

  stepBatch(): Promise<void> {
    return this.attempt(() => this.send.request('stepBatch', {}));
  }

  stepEpoch(): Promise<void> {
    return this.attempt(() => this.send.request('stepEpoch', {}));
  }

  setMode(mode: Mode): Promise<void> {
    return this.attempt(() => this.send.request('setMode', { mode }));
  }

  /** The run that stands there goes on on another engine. */
  setEngine(engine: EngineChoice): Promise<void> {
    return this.attempt(() => this.send.request('setEngine', { engine }));
  }

  /** Whatever is known of the engines is measured again; once, whoever asks for it meanwhile. */
  async measureEngines(): Promise<void> {
    if (appStore.getState().view.measuring) return;
    setMeasuring(true);
    await this.attempt(() => this.send.request('measureEngines', {}));
    setMeasuring(false);
  }

  toggleMode(): Promise<void> {
    return this.setMode(appStore.getState().status?.mode === 'fit' ? 'imperative' : 'fit');
  }

  /** Sets the breakpoint, or takes it away when it is there. */
  toggleBreakpoint(breakpoint: Breakpoint): Promise<void> {
    return this.changeBreakpoints((all) => {
      const others = all.filter(
        ({ phase, after }) => phase !== breakpoint.phase || after !== breakpoint.after,
      );
      return others.length < all.length ? others : [...all, breakpoint];
    });
  }

  clearBreakpoints(): Promise<void> {
    return this.changeBreakpoints(() => []);
  }

  /** The next slower (-1) or faster (+1) place on the slider. */
  changeSpeed(by: -1 | 1): Promise<void> {
    const limit = appStore.getState().status?.stepsPerSecondLimit ?? null;
    const index = Math.min(SPEEDS.length - 1, Math.max(0, speedIndex(limit) + by));
    return this.setSpeed(SPEEDS[index] ?? null);
  }

  /** A new run at step 0 with what was chosen for it; reaches for a new trainer where the old one is gone. */
  restart(): Promise<void> {
    return this.attempt(async () => {
      const { ready, draft, status } = appStore.getState();
      await this.connect();
      const current = ready ?? appStore.getState().ready;
      if (current === null) return;
      const mode = status?.mode ?? current.config.mode;
      const config = { ...current.config, mode, ...draft };
      await this.send.request('restart', { config, weightsFile: null });
    });
  }

  reconnect(): Promise<void> {
    return this.attempt(() => this.connect());
  }

  /** Gives a finished run more epochs, and trains them. */
  continueRun(epochs: number): Promise<void> {
    return this.attempt(async () => {
      await this.send.request('continue', { epochs });
      await this.send.request('play', {});
    });
  }

  nextDigit(by: -1 | 1): Promise<void> {
    return this.chooseDigit(appStore.getState().lastTestIndex + by);
  }

  /** Of the minibatch under way; beyond either end it goes round. Nothing outside a step. */
  nextExample(by: -1 | 1): Promise<void> {
    const { status, view } = appStore.getState();
    const examples = examplesUnderWay(status);
    if (examples === null) return Promise.resolve();
    return this.chooseExample((Math.min(view.example, examples - 1) + by + examples) % examples);
  }

  /** Chooses the next kernel's map (or unit) of the layer on the stage; beyond either end it goes round. */
  nextMap(by: -1 | 1): void {
    const state = appStore.getState();
    const standing = standingLayer(state);
    const layer = standing === null ? undefined : state.plan?.layers[standing.index];
    if (state.plan === null || standing === null || layer === undefined) return;
    const { direction } = standing;
    const focus = focusOf(this.frames.newest(), state.plan, layer, direction, state.view.selection);
    const { owner, map, maps } = focus;
    if (owner !== null) select(selectionFor(focus, owner, (map + by + maps) % maps));
  }

  openWeights(): Promise<void> {
    return this.attempt(
      async () => {
        const file = await pickFile('.safetensors');
        if (file === null) return undefined;
        const bytes = await readWithin(file, MAX_FILE_BYTES);
        if (appStore.getState().status?.state === 'running') await this.send.request('pause', {});
        const { result } = await this.send.request('loadWeights', { fileName: file.name }, bytes);
        return result.remark;
      },
      (remark) => remark,
    );
  }

  saveWeights(): Promise<void> {
    return this.attempt(async () => {
      const { result, payload } = await this.send.request('saveWeights', {});
      const { recipe = 'weights', seed = 0 } = appStore.getState().ready?.config ?? {};
      offerFile(`${recipe}-seed${String(seed)}-step${String(result.step)}.safetensors`, payload);
    });
  }

  /** One change after the other: each goes by what the trainer says after the one before. */
  private changeBreakpoints(change: (all: readonly Breakpoint[]) => Breakpoint[]): Promise<void> {
    this.breakpointsChanged = this.breakpointsChanged.then(() =>
      this.attempt(() =>
        this.send.request('setBreakpoints', {
          breakpoints: change(appStore.getState().status?.breakpoints ?? []),
        }),
      ),
    );
    return this.breakpointsChanged;
  }

  /** @param newsOf what the person is told when it was done; undefined: nothing */
  private async attempt<T>(
    task: () => Promise<T>,
    newsOf: (done: T) => string | undefined = () => undefined,
  ): Promise<void> {
    try {
      const message = newsOf(await task());
      if (message === undefined) dismissNotice();
      else notify({ code: null, message });
    } catch (error) {
      const { code, message } =
        error instanceof GradscopeError ? error : new GradscopeError('internal', String(error));
      // The connection has a line of its own.
      if (code !== 'connection-lost') notify({ code, message });
    }
  }
}

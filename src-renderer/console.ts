import type { Freshness, Status } from '../src-shared/protocol/messages';
import type { Phase } from '../src-shared/model/phases';
import type { FrameLoop, FramePerformance, Percentiles } from './draw/frame-loop';
import type { DrawnPicture } from './draw/picture';
import type { PictureRegistry } from './draw/picture-registry';
import type { Feed } from './feed/feed';
import type { FrameStore } from './frames/frame-store';
import { SILENT_FROM_SECONDS } from './state/messages';
import { appStore, type Rates } from './state/store';

type ParameterKind = 'weight' | 'gradient' | 'update';
type LayerKind = 'activation' | 'error' | 'mask';

export interface ConsoleTensor {
  /** In PyTorch's layout; activation, error and mask are of the whole minibatch, (n, ...). */
  readonly shape: readonly number[];
  /** Step the values belong to. */
  readonly step: number;
  readonly phase: Phase | null;
  readonly freshness: Freshness;
  readonly values: Float32Array;
}

export interface ConsoleStatus {
  readonly connection: 'connecting' | 'open' | 'lost';
  readonly run: number;
  /**
   * `none`: the trainer has not said yet what its run is, and nothing else here means anything. `silent`: it has not been
   * heard for some seconds; `lost`: it has gone. Everything else is then as it was last heard.
   */
  readonly state: Status['state'] | 'none' | 'silent' | 'lost';
  readonly recipe: string;
  readonly seed: number;
  readonly mode: Status['mode'];
  readonly engine: string;
  /** What of it runs: "relaxed SIMD". */
  readonly engineVariant: string;
  /** Program or library -> version. */
  readonly versions: Readonly<Record<string, string>>;
  /** Finished steps. */
  readonly step: number;
  readonly epoch: number;
  readonly epochs: number;
  readonly phase: Phase | null;
  readonly layer: string | null;
  readonly minibatch: Status['minibatch'];
  readonly weightsSha256: Status['weightsSha256'];
  readonly stepsPerSecond: number | null;
  readonly imagesPerSecond: number | null;
}

export interface ConsolePerformance extends FramePerformance, Rates {
  /** Pictures drawn since the page opened. */
  readonly pictures: number;
  /** From values being computed to their picture being on the screen, ms, over the last 200 pictures; null: none moved yet. */
  readonly latency: Percentiles | null;
}

/** `window.gradscope`: what anybody can ask the page from the console or from a test. It changes nothing. */
export interface GradscopeConsole {
  status(): ConsoleStatus;
  /**
   * weight, gradient and update (of a parameter, `conv1.weight`) are those of the picture on the screen, at once; a
   * tensor that was reduced for the screen, and activation, error and mask (of a layer, `conv1`, while standing inside a
   * step), are asked of the trainer.
   */
  tensor(name: string, kind: ParameterKind): ConsoleTensor | Promise<ConsoleTensor>;
  tensor(name: string, kind: LayerKind): Promise<ConsoleTensor>;
  /**
   * What is on the canvas now, one pixel a value (draw/picture-registry.ts says which); null when it shows none. Inside a
   * step the columns of maps show an example of the minibatch, so there are `output` and `error` and no digitOutput and
   * digitError; outside it is the other way round.
   */
  drawn(name: string, kind: string): DrawnPicture | null;
  perf(): ConsolePerformance;
  /**
   * Resolves when nothing is asked of the trainer, nothing is still to be drawn and, while training stands, the picture
   * is that of where it stands.
   */
  waitForIdle(): Promise<void>;
}

declare global {
  interface Window {
    readonly gradscope: GradscopeConsole;
  }
}

export interface ConsoleParts {
  readonly feed: Feed;
  readonly frames: FrameStore;
  readonly loop: FrameLoop;
  readonly pictures: PictureRegistry;
}

export function gradscopeConsole({ feed, frames, loop, pictures }: ConsoleParts): GradscopeConsole {
  const isIdle = (): boolean => feed.idle && loop.idle && frames.pending === 0 && feed.pictureIsCurrent;

  const read = async (name: string, kind: ParameterKind | LayerKind): Promise<ConsoleTensor> => {
    const { result, payload } = await feed.request('readTensor', { name, kind });
    const values = new Float32Array(payload.slice().buffer);
    return { ...result, values };
  };

  function tensor(name: string, kind: ParameterKind): ConsoleTensor | Promise<ConsoleTensor>;
  function tensor(name: string, kind: LayerKind): Promise<ConsoleTensor>;
  function tensor(name: string, kind: ParameterKind | LayerKind): ConsoleTensor | Promise<ConsoleTensor> {
    if (kind === 'activation' || kind === 'error' || kind === 'mask') return read(name, kind);
    const found = frames.latest()?.slot(name, kind) ?? null;
    if (found === null || found.slot.block !== null) return read(name, kind);
    const { slot, state, values } = found;
    const { step, phase, freshness } = state;
    return { shape: slot.shape, step, phase, freshness, values: values.slice() };
  }

  return Object.freeze({
    status,
    tensor,
    drawn: (name: string, kind: string) => pictures.read(name, kind),
    perf: () => ({
      ...loop.perf(),
      ...appStore.getState().rates,
      pictures: feed.pictures,
      latency: feed.latency(),
    }),
    waitForIdle: async () => {
      while (!isIdle()) await nextChange(frames, loop);
    },
  });
}

function status(): ConsoleStatus {
  const { connection, ready, status: now } = appStore.getState();
  return {
    connection: connection.state,
    run: now?.runId ?? 0,
    state: stateNow(),
    recipe: ready?.config.recipe ?? '',
    seed: ready?.config.seed ?? 0,
    mode: now?.mode ?? 'imperative',
    engine: ready?.engine.name ?? '',
    engineVariant: ready?.engine.variant ?? '',
    versions: ready === null ? {} : { [ready.trainer.name]: ready.trainer.version, ...ready.engine.versions },
    step: now?.step ?? 0,
    epoch: now?.epoch ?? 0,
    epochs: now?.epochs ?? 0,
    phase: now?.phase ?? null,
    layer: now?.layer ?? null,
    minibatch: now?.minibatch ?? null,
    weightsSha256: now?.weightsSha256 ?? null,
    stepsPerSecond: now?.stepsPerSecond ?? null,
    imagesPerSecond: now?.imagesPerSecond ?? null,
  };
}

function stateNow(): ConsoleStatus['state'] {
  const state = appStore.getState();
  if (state.connection.state === 'lost') return 'lost';
  if (state.status === null) return 'none';
  return state.silentSeconds >= SILENT_FROM_SECONDS ? 'silent' : state.status.state;
}

/** Resolves after anything that could have made the page idle. */
function nextChange(frames: FrameStore, loop: FrameLoop): Promise<void> {
  return new Promise((resolve) => {
    const stop = [appStore.subscribe(done), frames.subscribe(done), loop.addPainter('after', done)];
    function done(): void {
      for (const remove of stop) remove();
      resolve();
    }
  });
}

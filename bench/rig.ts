import { availableParallelism } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { BrowserShell } from '../e2e/support/browser-shell';
import { TrainerClient } from '../e2e/support/trainer-client';
import type { EngineChoice } from '../src-shared/model/run-config';
import type { Ready, TensorKind, WatchItem } from '../src-shared/protocol/messages';
import { pinProcesses, pinThread, threadsOf, type ThreadTime } from './threads';

/** Of the machine: to a process that is pinned to one, it says one. */
const CORES = availableParallelism();
/** For what training begins with, and what comes with going on. */
const BEGIN_MS = 3000;
const GO_ON_MS = 300;

/**
 * Who may run where. `any core`: as Gradscope and the system like. `one core left to the page`: training has as many threads
 * as there are other cores, watched or not, and the last core is for all that is not training.
 */
export type Placement = 'any core' | 'one core left to the page';

export type Party = 'training thread' | 'rest of the trainer' | 'shell' | 'browser';

/** A stretch of time in which a rig trained. Its speed is that of the steps: tests, which come every some seconds, are left out. */
export interface Stretch {
  readonly stepsPerSecond: number;
  /** CPU time that each party had, ms a second. */
  readonly usage: Readonly<Record<Party, number>>;
  /** Pictures that reached the watcher, a second. */
  readonly picturesPerSecond: number;
  /** On which the engine trained at the end; null: it does not say. */
  readonly threads: number | null;
}

/** A connection that watches nothing, or everything with its credits returned at once. */
class Watcher {
  /** That the run computes on: with auto known only when it begins to train. */
  engine: Ready['engine'];
  /** Steps heard of, and the time they took, ms: of all but those around a test. */
  steps = 0;
  stepsMs = 0;
  pictures = 0;
  threads: number | null = null;
  private readonly client: TrainerClient;
  /** When steps were heard of last; null: before a test, or before training went on. */
  private heardAtMs: number | null = null;

  constructor(client: TrainerClient) {
    this.client = client;
    this.engine = client.ready.engine;
    void client.next(({ message }) => {
      if (message.type === 'metrics') this.heardOfSteps(message.count);
      if (message.type === 'evaluation') this.startAnew();
      if (message.type === 'engine') this.engine = message.engine;
      if (message.type === 'status') this.threads = message.threads;
      if (message.type === 'frame') {
        this.pictures += 1;
        this.client.send({ type: 'credit', count: 1 });
      }
      // The client keeps what it heard for tests to look at; hours of frames would fill the memory.
      if (this.client.received.length > 1000) this.client.received.length = 0;
      return false;
    });
    client.send({ type: 'credit', count: 2 });
  }

  /** What is heard of next says nothing of the time before. */
  startAnew(): void {
    this.heardAtMs = null;
  }

  private heardOfSteps(count: number): void {
    const nowMs = performance.now();
    if (this.heardAtMs !== null) {
      this.steps += count;
      this.stepsMs += nowMs - this.heardAtMs;
    }
    this.heardAtMs = nowMs;
  }

  async watch(items: readonly WatchItem[]): Promise<void> {
    const layout = this.client.next(({ message }) => message.type === 'layout');
    this.client.send({ type: 'watch', items: [...items] });
    await layout;
  }
}

/** A trainer in the browser shell, whose run goes on whenever it is measured and stands in between. */
export class Rig {
  readonly address: string;
  readonly watcher: Watcher;
  private readonly placement: Placement;
  private readonly shell: BrowserShell;
  private readonly client: TrainerClient;
  private readonly ready: Ready;
  private readonly browserPid: number;
  /** The training thread and its helpers. */
  private readonly trainingThreads: ReadonlySet<number>;

  private constructor(
    placement: Placement,
    shell: BrowserShell,
    client: TrainerClient,
    watcher: Watcher,
    browserPid: number,
    trainingThreads: ReadonlySet<number>,
  ) {
    this.placement = placement;
    this.shell = shell;
    this.address = shell.address;
    this.client = client;
    this.ready = client.ready;
    this.watcher = watcher;
    this.browserPid = browserPid;
    this.trainingThreads = trainingThreads;
  }

  /** @param browserPid of the browser that looks at this rig, or would */
  static async start(placement: Placement, engine: EngineChoice, browserPid: number): Promise<Rig> {
    const isLeft = placement === 'one core left to the page';
    const shell = await BrowserShell.start(isLeft ? { GRADSCOPE_THREADS: String(CORES - 1) } : {});
    const client = await TrainerClient.connect(shell.address);
    const config = { ...client.ready.config, engine, epochs: 1000 };
    await client.request('restart', { config, weightsFile: null });
    const watcher = new Watcher(client);
    const before = threadsOf(shell.trainerPid);
    await client.request('play', {});
    await wait(BEGIN_MS);
    // All threads that are busy while nobody watches train.
    const trainingThreads = new Set(
      threadsOf(shell.trainerPid)
        .filter(({ tid }) => tid !== shell.trainerPid)
        .filter(({ tid, milliseconds }) => {
          const had = before.find((thread) => thread.tid === tid)?.milliseconds ?? 0;
          return milliseconds - had > BEGIN_MS / 4;
        })
        .map(({ tid }) => tid),
    );
    await client.request('pause', {});
    return new Rig(placement, shell, client, watcher, browserPid, trainingThreads);
  }

  /** What it trains. */
  get recipe(): string {
    return this.ready.config.recipe;
  }

  /** Trains from here on, alone. */
  async play(): Promise<void> {
    await this.client.request('play', {});
  }

  async pause(): Promise<void> {
    await this.client.request('pause', {});
  }

  /** Puts everybody where the placement wants them. */
  place(): void {
    const last = String(CORES - 1);
    const isLeft = this.placement === 'one core left to the page';
    pinProcesses([this.shell.pid, process.pid, this.browserPid], isLeft ? last : `0-${last}`);
    if (isLeft) for (const tid of this.trainingThreads) pinThread(tid, `0-${String(CORES - 2)}`);
  }

  /** Goes on for a while and stands again. */
  async goOn(windowMs: number): Promise<Stretch> {
    this.watcher.startAnew();
    await this.play();
    await wait(GO_ON_MS);
    const stretch = await this.measure(windowMs);
    await this.pause();
    return stretch;
  }

  async measure(windowMs: number): Promise<Stretch> {
    const { watcher } = this;
    const before = this.allThreads();
    const { steps, stepsMs, pictures } = watcher;
    const start = performance.now();
    await wait(windowMs);
    const seconds = (performance.now() - start) / 1000;
    return {
      stepsPerSecond: (1000 * (watcher.steps - steps)) / (watcher.stepsMs - stepsMs),
      usage: this.usageSince(before, seconds),
      picturesPerSecond: (watcher.pictures - pictures) / seconds,
      threads: watcher.threads,
    };
  }

  /** Every tensor that the scope grid shows. */
  everything(): WatchItem[] {
    const item = (name: string, kind: TensorKind): WatchItem => ({ name, kind, maxValues: 1_000_000 });
    const ofLayers = this.ready.network.layers.flatMap(({ kind, name }) => [
      item(name, 'digitOutput'),
      item(name, 'digitError'),
      ...(kind === 'conv2d' || kind === 'dense'
        ? ['weight', 'bias'].flatMap((role) => {
            const parameter = `${name}.${role}`;
            return [item(parameter, 'weight'), item(parameter, 'gradient'), item(parameter, 'update')];
          })
        : []),
    ]);
    return [...ofLayers, item('output', 'digitProbabilities')];
  }

  async stop(): Promise<void> {
    await this.client.close();
    await this.shell.stop();
  }

  private allThreads(): ThreadTime[] {
    return [...threadsOf(this.shell.pid), ...threadsOf(this.browserPid)];
  }

  private usageSince(before: readonly ThreadTime[], seconds: number): Record<Party, number> {
    const had = new Map(before.map(({ tid, milliseconds }) => [tid, milliseconds]));
    const usage: Record<Party, number> = {
      'training thread': 0,
      'rest of the trainer': 0,
      shell: 0,
      browser: 0,
    };
    for (const thread of this.allThreads()) {
      usage[this.partyOf(thread)] += (thread.milliseconds - (had.get(thread.tid) ?? 0)) / seconds;
    }
    return usage;
  }

  private partyOf({ pid, tid }: ThreadTime): Party {
    if (this.trainingThreads.has(tid)) return 'training thread';
    if (pid === this.shell.trainerPid) return 'rest of the trainer';
    return pid === this.shell.pid ? 'shell' : 'browser';
  }
}

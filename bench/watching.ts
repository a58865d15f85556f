import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { BrowserShell } from '../e2e/support/browser-shell';
import { TrainerClient } from '../e2e/support/trainer-client';
import type { Ready, TensorKind, WatchItem } from '../src-shared/protocol/messages';
import { engineChoiceSchema } from '../src-shared/model/run-config';
import { FRAME_PHASES } from '../src-renderer/draw/frame-loop';
import type { ConsolePerformance } from '../src-renderer/console';
import { LATENCIES } from '../src-renderer/feed/rates';
import { machine, median, medianInterval, print, progress, save, table } from './report';
import { PlainChromium } from './plain-chromium';
import { canPin, pinProcesses, pinThread, threadsOf, type ThreadTime } from './threads';

/**
 * What watching costs training, and whether the page stays fluent. A trainer for each placement, one of which trains at a time; in
 * every round each condition has a window of its run, in random order, and is compared with the others of the same round and placement.
 */

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '11' },
    seconds: { type: 'string', default: '3' },
    engine: { type: 'string', default: 'auto' },
    json: { type: 'string' },
  },
});
const rounds = Number(options.rounds);
const windowMs = Number(options.seconds) * 1000;
/** After a condition begins, before its window: start-up is not what is measured, nor a page whose code is still being compiled. */
const SETTLE_MS = 3000;
const PAGE_SETTLE_MS = 10_000;
const NOT_WATCHED = 'not watched';
const DRAWN = 'a page drawing everything';
const DRAWN_MORE = 'the same with saliency and the effect of the step';
const PAGES = [DRAWN, DRAWN_MORE];
/** For pictures after a window. */
const MOST_PATIENCE_MS = 15_000;
/** Keys that open these two. */
const MORE_KEYS = ['i', '7'];

/**
 * Who may run where. `any core`: as Gradscope and the system like. `one core left to the page`: training has as many threads
 * as there are other cores, watched or not, and the last core is for all that is not training.
 */
type Placement = 'any core' | 'one core left to the page';

/** CPU time that each party had, ms a second. */
type Usage = Record<Party, number>;
type Party = 'training thread' | 'rest of the trainer' | 'shell' | 'browser';

interface Window {
  readonly stepsPerSecond: number;
  readonly usage: Usage;
  /** Pictures that reached the watcher. */
  readonly picturesPerSecond: number;
  /** On which the engine trained at the end; null: it does not say. */
  readonly threads: number | null;
  readonly page: ConsolePerformance | null;
}

/** Every tensor that the scope grid shows. */
function everything(ready: Ready): WatchItem[] {
  const item = (name: string, kind: TensorKind): WatchItem => ({ name, kind, maxValues: 1_000_000 });
  const ofLayers = ready.network.layers.flatMap(({ kind, name }) => [
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

/** A connection that watches nothing, or everything with its credits returned at once. */
class Watcher {
  /** That the run computes on: with auto known only when it begins to train. */
  engine: Ready['engine'];
  finishedSteps = 0;
  /** When it was heard of them. */
  finishedAtMs = performance.now();
  frames = 0;
  threads: number | null = null;
  private readonly client: TrainerClient;

  constructor(client: TrainerClient) {
    this.client = client;
    this.engine = client.ready.engine;
  }

  listen(): void {
    void this.client.next(({ message }) => {
      if (message.type === 'metrics') {
        this.finishedSteps = message.firstStep + message.count - 1;
        this.finishedAtMs = performance.now();
      }
      if (message.type === 'engine') this.engine = message.engine;
      if (message.type === 'status') this.threads = message.threads;
      if (message.type === 'frame') {
        this.frames += 1;
        this.client.send({ type: 'credit', count: 1 });
      }
      // The client keeps what it heard for tests to look at; hours of frames would fill the memory.
      if (this.client.received.length > 1000) this.client.received.length = 0;
      return false;
    });
  }

  async watch(items: WatchItem[]): Promise<void> {
    const layout = this.client.next(({ message }) => message.type === 'layout');
    this.client.send({ type: 'watch', items });
    await layout;
  }
}

const engine = engineChoiceSchema.parse(options.engine);
const cores = availableParallelism();
const placements: Placement[] =
  cores > 1 && canPin() ? ['any core', 'one core left to the page'] : ['any core'];
const browser = await PlainChromium.start({ width: 1440, height: 900 });

/** A trainer whose run goes on whenever it is measured. */
interface Rig {
  readonly placement: Placement;
  readonly shell: BrowserShell;
  readonly client: TrainerClient;
  readonly ready: Ready;
  readonly watcher: Watcher;
  /** The training thread and its helpers. */
  readonly trainingThreads: ReadonlySet<number>;
}

async function rigFor(placement: Placement): Promise<Rig> {
  const shell = await BrowserShell.start(
    placement === 'any core' ? {} : { GRADSCOPE_THREADS: String(cores - 1) },
  );
  const client = await TrainerClient.connect(shell.address);
  const config = { ...client.ready.config, engine, epochs: 1000 };
  await client.request('restart', { config, weightsFile: null });
  const { ready } = client;
  const watcher = new Watcher(client);
  watcher.listen();
  client.send({ type: 'credit', count: 2 });
  const before = threadsOf(shell.trainerPid);
  await client.request('play', {});
  await wait(SETTLE_MS);
  // All threads that are busy while nobody watches train.
  const trainingThreads = new Set(
    threadsOf(shell.trainerPid)
      .filter(({ tid }) => tid !== shell.trainerPid)
      .filter(({ tid, milliseconds }) => {
        const had = before.find((thread) => thread.tid === tid)?.milliseconds ?? 0;
        return milliseconds - had > SETTLE_MS / 4;
      })
      .map(({ tid }) => tid),
  );
  await client.request('pause', {});
  return { placement, shell, client, ready, watcher, trainingThreads };
}

/** Of the page that is open, when its window began. */
let settledPictures = 0;
const rigs: Rig[] = [];
for (const placement of placements) rigs.push(await rigFor(placement));
const ready = rigs[0]!.ready;

function partyOf({ shell, trainingThreads }: Rig, { pid, tid }: ThreadTime): Party {
  if (trainingThreads.has(tid)) return 'training thread';
  if (pid === shell.trainerPid) return 'rest of the trainer';
  return pid === shell.pid ? 'shell' : 'browser';
}

const allThreads = ({ shell }: Rig): ThreadTime[] => [...threadsOf(shell.pid), ...threadsOf(browser.pid)];

function place({ placement, shell, trainingThreads }: Rig): void {
  const last = String(cores - 1);
  const isLeft = placement === 'one core left to the page';
  pinProcesses([shell.pid, process.pid, browser.pid], isLeft ? last : `0-${last}`);
  if (isLeft) for (const tid of trainingThreads) pinThread(tid, `0-${String(cores - 2)}`);
}

/** CPU time of each party from then to now. */
function usageSince(rig: Rig, before: readonly ThreadTime[], seconds: number): Usage {
  const had = new Map(before.map(({ tid, milliseconds }) => [tid, milliseconds]));
  const usage: Usage = { 'training thread': 0, 'rest of the trainer': 0, shell: 0, browser: 0 };
  for (const thread of allThreads(rig)) {
    usage[partyOf(rig, thread)] += (thread.milliseconds - (had.get(thread.tid) ?? 0)) / seconds;
  }
  return usage;
}

const conditions: Record<
  string,
  { begin: (rig: Rig) => Promise<void>; end: (rig: Rig) => Promise<ConsolePerformance | null> }
> = {
  [NOT_WATCHED]: { begin: () => Promise.resolve(), end: () => Promise.resolve(null) },
  'every tensor captured and sent': {
    begin: ({ watcher }) => watcher.watch(everything(ready)),
    end: async ({ watcher }) => {
      await watcher.watch([]);
      return null;
    },
  },
  [DRAWN]: { begin: openPage, end: closePage },
  [DRAWN_MORE]: {
    begin: async (rig) => {
      await openPage(rig);
      for (const key of MORE_KEYS) {
        await browser.evaluate(
          `document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '${key}', bubbles: true })), 0`,
        );
      }
    },
    end: closePage,
  },
};

/**
 * The page measures over its last 60 pictures or animation frames. Those of its first seconds, when everything is new, are left
 * out: it stays open until 60 more pictures are drawn than when it had settled.
 */
async function closePage(): Promise<ConsolePerformance> {
  const enough = settledPictures + LATENCIES;
  const untilMs = performance.now() + MOST_PATIENCE_MS;
  let measured = await perf();
  while (measured.pictures < enough && performance.now() < untilMs) {
    await wait(100);
    measured = await perf();
  }
  if (measured.pictures < enough) {
    progress('A page drew so few pictures that its figures are partly of its first seconds.');
  }
  await browser.goto('about:blank');
  return measured;
}

const perf = async (): Promise<ConsolePerformance> =>
  (await browser.evaluate('window.gradscope.perf()')) as ConsolePerformance;

async function openPage({ shell }: Rig): Promise<void> {
  await browser.goto(shell.address);
  while ((await browser.evaluate("window.gradscope?.status().state ?? ''")) !== 'running') await wait(100);
}

/** Tests at the end of an epoch and in between are part of training, in every condition alike. */
async function measure(name: string, rig: Rig): Promise<Window> {
  const condition = conditions[name];
  if (condition === undefined) throw new Error(`No condition ${name}.`);
  const { watcher } = rig;
  await rig.client.request('play', {});
  await condition.begin(rig);
  if (placements.length > 1) place(rig);
  await wait(PAGES.includes(name) ? PAGE_SETTLE_MS : SETTLE_MS);
  if (PAGES.includes(name)) settledPictures = (await perf()).pictures;
  const before = allThreads(rig);
  const [steps, stepsAtMs] = [watcher.finishedSteps, watcher.finishedAtMs];
  const [frames, start] = [watcher.frames, performance.now()];
  await wait(windowMs);
  const seconds = (performance.now() - start) / 1000;
  const usage = usageSince(rig, before, seconds);
  const heardOfMs = watcher.finishedAtMs - stepsAtMs;
  const stepsPerSecond = heardOfMs > 0 ? (1000 * (watcher.finishedSteps - steps)) / heardOfMs : 0;
  const picturesPerSecond = (watcher.frames - frames) / seconds;
  const { threads } = watcher;
  const page = await condition.end(rig);
  await rig.client.request('pause', {});
  return { stepsPerSecond, usage, picturesPerSecond, threads, page };
}

function shuffled<T>(items: readonly T[]): T[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i -= 1) {
    const j = randomInt(i + 1);
    const moved = order[i] as T;
    order[i] = order[j] as T;
    order[j] = moved;
  }
  return order;
}

type Results = Record<string, Window>;
const results: Record<Placement, Results[]> = { 'any core': [], 'one core left to the page': [] };
for (let round = 1; round <= rounds; round += 1) {
  for (const rig of shuffled(rigs)) {
    const windows: Results = {};
    for (const name of shuffled(Object.keys(conditions))) windows[name] = await measure(name, rig);
    results[rig.placement].push(windows);
  }
  progress(`round ${String(round)} of ${String(rounds)}`);
}
await browser.close();
for (const { client, shell } of rigs) {
  await client.close();
  await shell.stop();
}

save(options.json, results);
const computed = new Set(rigs.map(({ watcher }) => `${watcher.engine.name} (${watcher.engine.variant})`));
print(
  `${machine()}, engine ${[...computed].join(' or ')}, recipe ${ready.config.recipe}, ` +
    `${String(rounds)} rounds with ${options.seconds} s for each condition`,
);
for (const placement of placements) report(placement, results[placement]);

function range([low, high]: readonly [number, number]): string {
  return `${low.toFixed(3)} to ${high.toFixed(3)}`;
}

function report(placement: Placement, rounds: readonly Results[]): void {
  const of = (name: string, pick: (window: Window) => number): number[] =>
    rounds.map((windows) => {
      const window = windows[name];
      return window === undefined ? Number.NaN : pick(window);
    });
  const free = of(NOT_WATCHED, ({ stepsPerSecond }) => stepsPerSecond);
  print(`\n## ${placement}\n`);
  print(
    table(
      [
        'condition',
        'images/s, median',
        'against not watched, median of the rounds',
        'its 95 % interval',
        'lowest to highest',
      ],
      Object.keys(conditions).map((name) => {
        const speeds = of(name, ({ stepsPerSecond }) => stepsPerSecond);
        const ratios = speeds.map((speed, round) => speed / (free[round] ?? Number.NaN));
        return [
          name,
          (64 * median(speeds)).toFixed(0),
          median(ratios).toFixed(3),
          range(medianInterval(ratios)),
          range([Math.min(...ratios), Math.max(...ratios)]),
        ];
      }),
    ),
  );
  const parties: Party[] = ['training thread', 'rest of the trainer', 'shell', 'browser'];
  print('\nCPU time, ms a second, medians:\n');
  print(
    table(
      ['condition', ...parties, 'training threads, ms a step', 'training threads in use'],
      Object.keys(conditions).map((name) => [
        name,
        ...parties.map((party) => median(of(name, ({ usage }) => usage[party])).toFixed(0)),
        median(of(name, ({ usage, stepsPerSecond }) => usage['training thread'] / stepsPerSecond)).toFixed(2),
        threadsIn(rounds.map((windows) => windows[name]?.threads ?? null)),
      ]),
    ),
  );
  for (const name of PAGES) reportPage(name, rounds);
}

/** As many as in most rounds may not be what all had: every number that was seen. */
function threadsIn(counts: readonly (number | null)[]): string {
  const seen = new Set(counts.map((count) => (count === null ? 'not known' : String(count))));
  return [...seen].toSorted((a, b) => a.localeCompare(b)).join(' or ');
}

function reportPage(name: string, rounds: readonly Results[]): void {
  const pages = rounds.flatMap((windows) => windows[name]?.page ?? []);
  const over = (pick: (page: ConsolePerformance) => number): string => median(pages.map(pick)).toFixed(1);
  print(`\n${name}, medians of the rounds:\n`);
  print(
    table(
      ['', 'median', '95 %'],
      [
        ['our work in an animation frame, ms', over(({ work }) => work.p50), over(({ work }) => work.p95)],
        ...FRAME_PHASES.map((phase) => [
          `of it: ${phase}, ms`,
          over(({ phases }) => phases[phase].p50),
          over(({ phases }) => phases[phase].p95),
        ]),
        [
          'an animation frame with its layout and paint, ms',
          over(({ busy }) => busy.p50),
          over(({ busy }) => busy.p95),
        ],
        [
          'between two animation frames, ms',
          over(({ interval }) => interval.p50),
          over(({ interval }) => interval.p95),
        ],
        ['waiting for an animation frame, ms', over(({ wait }) => wait.p50), over(({ wait }) => wait.p95)],
        ['pictures drawn, a second', over(({ framesPerSecond }) => framesPerSecond), ''],
        [
          'from applied to drawn, ms',
          over(({ latency }) => latency?.p50 ?? Number.NaN),
          over(({ latency }) => latency?.p95 ?? Number.NaN),
        ],
      ],
    ),
  );
}

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { inProject, Refusal } from '../scripts/lib/project.mjs';
import { DEFAULT_RUN_CONFIG } from '../src-shared/model/run-config';
import { planNetwork } from '../src-shared/model/network';
import { recipeNamed } from '../src-shared/model/recipe';
import { decodeTrainerMessage } from '../src-shared/protocol/decode';
import type { RequestName, TrainerMessage, WatchItem } from '../src-shared/protocol/messages';
import { checkSavable, machine, median, print, progress, save, table } from './report';

/**
 * What one client that floods the trainer takes from the others: steps a second with and without the flood in turns, how long another
 * client waits, and how much the trainer grows. Of each kind of message that does not itself say that training should stop.
 */

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    count: { type: 'string', default: '60000' },
    json: { type: 'string' },
  },
});
checkSavable(options.json);
const [rounds, seconds, count] = [Number(options.rounds), Number(options.seconds), Number(options.count)];
if (![rounds, seconds, count].every((number) => Number.isInteger(number) && number > 0))
  throw new Refusal('--rounds, --seconds and --count take whole numbers from 1 on.', 2);

interface Flood {
  readonly texts: readonly string[];
  readonly first?: readonly string[];
  readonly payloadBytes?: number;
  readonly reads?: boolean;
}

const RECIPE = 'pytorch-paper';
const asks = (method: string, params: object = {}, payloadBytes = 0): Flood => ({
  texts: [JSON.stringify({ type: 'request', id: 0, method, params })],
  payloadBytes,
});
const says = (...messages: object[]): Flood => ({
  texts: messages.map((message) => JSON.stringify(message)),
});
const restart = (config: object): Flood =>
  asks('restart', { config: { ...DEFAULT_RUN_CONFIG, ...config }, weightsFile: null });

const { parameters, layers } = planNetwork(recipeNamed(RECIPE).network);
const everything: WatchItem[] = [
  ...parameters.flatMap(({ name }) =>
    (['weight', 'gradient', 'update'] as const).map((kind) => ({ name, kind, maxValues: 1_000_000 })),
  ),
  ...layers.flatMap(({ spec: { name } }) =>
    (['digitOutput', 'digitError', 'output', 'error'] as const).map((kind) => ({
      name,
      kind,
      maxValues: 1_000_000,
    })),
  ),
  ...['said', ...Array.from({ length: 10 }, (_, i) => String(i))].map((name) => ({
    name,
    kind: 'digitSaliency' as const,
    maxValues: 1_000_000,
  })),
];
const watchEverything = { type: 'watch', items: everything };

/** Of each request, one that is served or refused without an end of training; what stops it is a wish and no flood. */
const OF_REQUESTS: Readonly<Record<RequestName, Flood | null>> = {
  play: asks('play'),
  pause: null,
  stepPhase: null,
  stepLayer: null,
  stepBatch: null,
  stepEpoch: null,
  setMode: asks('setMode', { mode: 'imperative' }),
  setEngine: asks('setEngine', { engine: 'simd' }),
  measureEngines: asks('measureEngines'),
  setSpeed: asks('setSpeed', { stepsPerSecond: null }),
  setBreakpoints: asks('setBreakpoints', { breakpoints: [] }),
  restart: restart({ recipe: 'none' }),
  continue: asks('continue', { epochs: 1 }),
  chooseDigit: asks('chooseDigit', { testIndex: 3 }),
  chooseExample: asks('chooseExample', { example: 0 }),
  drawDigit: asks('drawDigit', { assumedLabel: 3 }, 28 * 28),
  loadWeights: asks('loadWeights', { fileName: 'weights.safetensors' }, 88_000),
  saveWeights: asks('saveWeights'),
  setWeight: asks('setWeight', { name: 'conv1.weight', index: 0, value: 0 }),
  readTensor: asks('readTensor', { name: 'fc1.weight', kind: 'gradient' }),
  measureStep: asks('measureStep'),
  explain: asks('explain', { name: 'conv1', kind: 'digitOutput', index: 0, example: 0 }),
  kernelHistory: asks('kernelHistory', { layer: 'conv2', filter: 0, input: 0 }),
};

const OTHERS: Readonly<Record<string, Flood>> = {
  'unknown request': asks('x'),
  'wrong params': asks('setWeight', { name: 1 }),
  'wrong order': restart({ order: [Array<number>(64).fill(60_000)] }),
  'long wrong order': restart({ order: [Array<number>(800_000).fill(60_000)] }),
  'long order of words': restart({ order: [Array<string>(800_000).fill('abcde')] }),
  'large weights': asks('loadWeights', { fileName: 'large' }, 60_000_000),
  'saveWeights unread': { ...asks('saveWeights'), reads: false },
  watch: says(watchEverything),
  'watch, credit': says(watchEverything, { type: 'credit', count: 2 }),
  credit: { ...says({ type: 'credit', count: 2 }), first: [JSON.stringify(watchEverything)] },
  visibility: says({ type: 'visibility', visible: true }, { type: 'visibility', visible: false }),
};

const floods: Readonly<Record<string, Flood>> = {
  ...Object.fromEntries(Object.entries(OF_REQUESTS).filter(([, flood]) => flood !== null)),
  ...OTHERS,
} as Record<string, Flood>;
const names = options.only?.split(',') ?? Object.keys(floods);
for (const name of names) {
  if (!Object.hasOwn(floods, name))
    throw new Refusal(
      `There is no flood ${JSON.stringify(name)}; there is ${Object.keys(floods).join(', ')}.`,
      2,
    );
}

/** A page: hears how far training is, and asks. */
class Page {
  step = 0;
  state = '';
  private readonly socket: WebSocket;
  private readonly waiting = new Map<number, (reply: TrainerMessage) => void>();
  private ready: () => void = () => undefined;
  private ids = 0;

  constructor(url: string) {
    this.socket = new WebSocket(url, { perMessageDeflate: false });
    this.socket.on('open', () => {
      this.socket.send('{"type":"hello","protocol":1}');
    });
    this.socket.on('message', (data: Buffer, isBinary) => {
      const { message } = decodeTrainerMessage(isBinary ? new Uint8Array(data) : data.toString());
      if (message.type === 'ready') this.ready();
      if (message.type === 'metrics') this.step = message.firstStep + message.count * message.stride - 1;
      if (message.type === 'status') this.state = message.state;
      if (message.type === 'reply') this.waiting.get(message.id)?.(message);
    });
    this.socket.on('error', () => undefined);
  }

  greeted(): Promise<void> {
    return new Promise((resolve) => (this.ready = resolve));
  }

  async ask(method: string, params: object = {}): Promise<void> {
    const id = (this.ids += 1);
    const answered = new Promise<TrainerMessage>((resolve) => this.waiting.set(id, resolve));
    this.socket.send(JSON.stringify({ type: 'request', id, method, params }));
    const reply = await answered;
    this.waiting.delete(id);
    if (reply.type === 'reply' && reply.error !== null) throw new Error(`${method}: ${reply.error.message}`);
  }

  close(): void {
    this.socket.close();
  }
}

/** Resident memory of a process, MB (0 where the system does not say). */
function residentMb(pid: number): number {
  try {
    return (
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1] ?? 0) / 1000
    );
  } catch {
    return 0;
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(pid);
      } catch {
        return false;
      }
    })
    .map(Number);
}

interface Window {
  readonly stepsPerSecond: number;
  readonly greetedMs: number;
  readonly answeredMs: number;
  readonly trainerMb: number;
}

/** Steps a second over the window, and in it how long another client waits. */
async function look(url: string, page: Page, trainer: number): Promise<Window> {
  const [beganAt, beganMs] = [page.step, performance.now()];
  let [greetedMs, answeredMs, trainerMb] = [0, 0, 0];
  while (performance.now() < beganMs + seconds * 1000) {
    const cameMs = performance.now();
    const other = new Page(url);
    await other.greeted();
    const askedMs = performance.now();
    await other.ask('chooseExample', { example: 0 });
    greetedMs = Math.max(greetedMs, askedMs - cameMs);
    answeredMs = Math.max(answeredMs, performance.now() - askedMs);
    trainerMb = Math.max(trainerMb, residentMb(trainer));
    other.close();
    await wait(500);
  }
  const stepsPerSecond = ((page.step - beganAt) * 1000) / (performance.now() - beganMs);
  return { stepsPerSecond, greetedMs, answeredMs, trainerMb };
}

async function flooded(
  url: string,
  flood: Flood,
  page: Page,
  trainer: number,
): Promise<Window & { said: string }> {
  const flooder: ChildProcess = fork(inProject('bench/flooder.mjs'));
  let said = '';
  flooder.on('message', (report) => {
    if (typeof report === 'object') said = JSON.stringify(report);
  });
  const begun = once(flooder, 'message');
  flooder.send({
    url,
    count,
    first: flood.first ?? [],
    texts: flood.texts,
    payloadBytes: flood.payloadBytes ?? 0,
    reads: flood.reads ?? true,
  });
  await begun;
  await wait(300);
  const window = await look(url, page, trainer);
  flooder.kill('SIGKILL');
  await once(flooder, 'exit');
  return { ...window, said };
}

async function startShell(): Promise<{ url: string; pid: number; end: () => Promise<void> }> {
  const shell = spawn(process.execPath, [inProject('out/main/browser.js'), '--no-open', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // It ends when this process does, however that ends.
    env: { ...process.env, GRADSCOPE_PARENT: String(process.pid) },
  });
  const [line] = (await once(shell.stdout, 'data')) as [Buffer];
  const address = /http:\S+/.exec(line.toString())?.[0];
  if (address === undefined || shell.pid === undefined)
    throw new Error('The shell has not said its address.');
  return {
    url: address.replace(/^http/, 'ws').replace('/?', '/trainer?'),
    pid: shell.pid,
    end: async () => {
      const ended = once(shell, 'exit');
      shell.kill('SIGTERM');
      await ended;
    },
  };
}

interface Course {
  readonly name: string;
  readonly quiet: readonly Window[];
  readonly flooded: readonly (Window & { said: string })[];
}

async function measure(name: string, flood: Flood): Promise<Course> {
  const { url, pid, end } = await startShell();
  try {
    const page = new Page(url);
    await page.greeted();
    await page.ask('restart', {
      config: { ...DEFAULT_RUN_CONFIG, recipe: RECIPE, engine: 'simd', epochs: 1000 },
      weightsFile: null,
    });
    await page.ask('play');
    const trainer = childrenOf(pid)[0] ?? 0;
    await wait(1500);
    const [quiet, under]: [Window[], (Window & { said: string })[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      quiet.push(await look(url, page, trainer));
      under.push(await flooded(url, flood, page, trainer));
      await wait(1000);
    }
    return { name, quiet, flooded: under };
  } finally {
    await end();
  }
}

const courses: Course[] = [];
const rows: string[][] = [];
for (const name of names) {
  const course = await measure(name, floods[name]!);
  courses.push(course);
  const of = (windows: readonly Window[], what: (window: Window) => number): number =>
    median(windows.map(what));
  const shares = course.flooded.map(
    ({ stepsPerSecond }, i) => stepsPerSecond / (course.quiet[i]?.stepsPerSecond ?? Number.NaN),
  );
  const row = [
    name,
    of(course.quiet, ({ stepsPerSecond }) => stepsPerSecond).toFixed(0),
    of(course.flooded, ({ stepsPerSecond }) => stepsPerSecond).toFixed(0),
    `${(100 * median(shares)).toFixed(0)} %`,
    Math.max(...course.flooded.map(({ greetedMs }) => greetedMs)).toFixed(0),
    Math.max(...course.flooded.map(({ answeredMs }) => answeredMs)).toFixed(0),
    (
      Math.max(...course.flooded.map(({ trainerMb }) => trainerMb)) - (course.quiet[0]?.trainerMb ?? 0)
    ).toFixed(0),
  ];
  rows.push(row);
  progress(`${row.join(' | ')} | ${course.flooded.at(-1)?.said ?? ''}`);
}
print(`${machine()}; medians of ${String(rounds)} times ${String(seconds)} s; waits and memory at worst\n`);
print(table(['60,000 of', 'steps/s', 'flooded', 'share', 'greeted, ms', 'answered, ms', 'grown, MB'], rows));
save(options.json, courses);

import { encodeMessage } from '../../src-shared/protocol/decode';
import {
  PROTOCOL_VERSION,
  type RequestParams,
  type Status,
  type TrainerMessage,
  type WatchItem,
} from '../../src-shared/protocol/messages';
import type { RunConfig } from '../../src-shared/model/run-config';
import { MOST_CLIENTS, MOST_FRAME_VALUES } from '../../src-shared/protocol/limits';
import type { Port } from '../../src-shared/protocol/port';
import { shorten } from '../../src-shared/text/shorten';
import { payloadLength } from '../probe/layout';
import { giveBack } from '../probe/picture-pool';
import { heldBytes, packed } from '../training/packed-order';
import type { ClientId } from '../training/run-control';
import {
  type Failure,
  HUB,
  type RunBegan,
  type ThreadCommand,
  type ThreadMessage,
  type ThreadReply,
} from '../training/thread-messages';
import { Client, type ClientEvents, type ClientRequest } from './client';
import type { StepRows } from '../../src-shared/tensor/step-columns';
import { RunHistory } from './run-history';
import { MOST_UNANSWERED, Turns } from './turns';

/** The thread that trains, as the hub sees it. */
export interface TrainingThread {
  post(command: ThreadCommand, transfer?: readonly ArrayBuffer[]): void;
  /** Resolves when it has gone. */
  close(): Promise<void>;
}

export interface ThreadEvents {
  message(message: ThreadMessage): void;
  /** It ended by itself; nothing follows. */
  died(why: string): void;
}

export interface HubOptions {
  readonly spawnThread: (firstRunId: number, events: ThreadEvents) => TrainingThread;
  /** The first run. */
  readonly config: RunConfig;
  readonly version: string;
  /** ms since 1970 */
  readonly wallClock: () => number;
}

interface Run {
  readonly began: RunBegan;
  readonly history: RunHistory;
  status: Status | undefined;
}

/** A client hears from the trainer at least this often, ms. */
const HEARTBEAT_MS = 1000;
/** Half heartbeats for which the rates of a status hold. */
const RATES_LAST_TICKS = 4;

const TOO_MANY = {
  many: `${String(MOST_UNANSWERED)} requests of this client are unanswered already.`,
  bytes: 'The requests that wait would hold more memory than the trainer gives them.',
} as const;

/** Ids of the hub's own requests. */
const FIRST_RUN = 0;
const TOLD_AGAIN = 1;

/**
 * The trainer as its clients meet it: knows who is there and what the run has said so far, and stands between them and
 * the training thread. It never waits for the thread, so a client is greeted and a bad one is sent away even while a long
 * computation is under way.
 */
export class Hub implements ClientEvents, ThreadEvents {
  private readonly options: HubOptions;
  private readonly clients = new Map<ClientId, Client>();
  private clientCount = 0;
  private thread: TrainingThread | undefined;
  private run: Run | undefined;
  /** Why there is no run and will be none. */
  private cannotBegin: Failure | undefined;
  private readonly turns = new Turns({
    post: (command, transfer) => {
      this.post(command, transfer);
    },
    takes: (client) => this.clients.get(client)?.takes !== false,
  });
  private closing = false;
  private readonly heartbeat: NodeJS.Timeout;
  /** Half heartbeats since the last status of the thread. */
  private quietTicks = 0;
  /** What the thread that died was told that holds for every run; the next one is told again. */
  private heldBefore: Status | undefined;

  constructor(options: HubOptions) {
    this.options = options;
    this.thread = options.spawnThread(1, this);
    const firstRun: RequestParams<'restart'> = { config: options.config, weightsFile: null };
    this.thread.post(request(HUB, FIRST_RUN, 'restart', firstRun));
    this.heartbeat = setInterval(() => {
      this.beat();
    }, HEARTBEAT_MS / 2);
    this.heartbeat.unref();
  }

  addClient(port: Port): void {
    this.clientCount += 1;
    const client = new Client(this.clientCount, port, this);
    this.clients.set(client.id, client);
  }

  /** Sends everybody away and ends the thread. */
  async close(): Promise<void> {
    this.closing = true;
    clearInterval(this.heartbeat);
    for (const client of [...this.clients.values()]) client.close('closed', 'The trainer was closed.');
    await this.thread?.close();
  }

  // ---------------------------------------------------------------- from clients

  greeted(client: Client): void {
    if (this.cannotBegin !== undefined) {
      client.close(this.cannotBegin.code, this.cannotBegin.message);
      return;
    }
    const greeted = [...this.clients.values()].filter((other) => other.greeted).length;
    if (greeted > MOST_CLIENTS) {
      const sentence = `The trainer serves at most ${String(MOST_CLIENTS)} clients at once, and they are there already.`;
      client.close('too-many-clients', sentence);
      return;
    }
    this.post({ type: 'connect', client: client.id });
    if (this.run !== undefined) this.welcome(client, this.run);
  }

  watch(client: Client, items: readonly WatchItem[]): void {
    this.turns.watch(client.id, items);
  }

  credit(client: Client, count: number): void {
    this.turns.credit(client.id, count);
  }

  visibility(client: Client, visible: boolean): void {
    this.turns.visibility(client.id, visible);
  }

  /** It takes messages again after it had not for a while. */
  drained(): void {
    this.turns.goOn();
  }

  request(client: Client, { id, method, params, payload, messageBytes }: ClientRequest): void {
    if (this.thread === undefined) {
      if (method !== 'restart') {
        client.refuse(id, 'worker-died', 'The training thread has died; restart the run.');
        return;
      }
      this.respawn();
    }
    const command = packed({ ...request(client.id, id, method, params), payload: payload.slice() });
    const refused = this.turns.request(command, Math.max(messageBytes, heldBytes(command)));
    if (refused === undefined) return;
    client.refuse(id, 'too-many-requests', TOO_MANY[refused]);
  }

  isUnanswered(client: Client, id: number): boolean {
    return this.turns.isUnanswered(client.id, id);
  }

  frameDropped(client: Client): void {
    this.post({ type: 'frameDropped', client: client.id });
  }

  gone(client: Client): void {
    this.clients.delete(client.id);
    this.turns.gone(client.id);
    if (client.saidHello) this.post({ type: 'disconnect', client: client.id });
  }

  // ---------------------------------------------------------------- from the thread

  message(message: ThreadMessage): void {
    switch (message.type) {
      case 'run':
        this.begin(message.run);
        break;
      case 'digit':
        if (this.run !== undefined) {
          this.run = { ...this.run, began: { ...this.run.began, digit: message.digit } };
          // Its maps come to every page, so every page must know whose they are.
          this.broadcast({ type: 'digit', runId: this.run.began.runId, ...message.digit });
        }
        break;
      case 'engine':
        if (this.run !== undefined) {
          const { engine, engineTable, choice } = message;
          const config = { ...this.run.began.config, engine: choice };
          this.run = { ...this.run, began: { ...this.run.began, config, engine, engineTable } };
          this.broadcast({ ...message, runId: this.run.began.runId });
        }
        break;
      case 'metrics':
        this.metrics(message.firstStep, message.rows);
        break;
      case 'evaluation':
        this.run?.history.evaluated(message);
        this.broadcast(message);
        break;
      case 'nonFinite':
        this.run?.history.met(message);
        this.broadcast(message);
        break;
      case 'weightsReplaced':
        this.run?.history.weightsReplaced(message);
        this.broadcast(message);
        break;
      case 'status':
        this.quietTicks = 0;
        if (this.run !== undefined) this.run.status = message;
        this.broadcast(message);
        break;
      case 'taken':
        this.turns.taken(message.client, message.what);
        break;
      case 'layout':
        this.layout(message);
        break;
      case 'frame':
        this.frame(message);
        break;
      case 'reply':
        this.reply(message);
        break;
    }
  }

  died(why: string): void {
    this.thread = undefined;
    if (this.closing) return;
    const failure: Failure = { code: 'worker-died', message: shorten(`The training thread died: ${why}`) };
    for (const { client, id } of this.turns.threadDied()) {
      this.clients.get(client)?.refuse(id, failure.code, failure.message);
    }
    if (this.run === undefined) {
      this.giveUp(failure);
    } else if (this.run.status !== undefined) {
      const { status } = this.run;
      const standsStill = { stoppedAt: null, stepsPerSecond: null, imagesPerSecond: null };
      this.message({ ...status, ...standsStill, state: 'failed', failure });
    }
  }

  private begin(began: RunBegan): void {
    this.run = { began, history: new RunHistory(began.metricColumns.length), status: undefined };
    for (const client of this.clients.values()) {
      if (client.greeted) this.welcome(client, this.run);
    }
    this.tellAgain();
  }

  private tellAgain(): void {
    const { breakpoints = [], stepsPerSecondLimit = null } = this.heldBefore ?? {};
    this.heldBefore = undefined;
    if (breakpoints.length > 0) this.post(request(HUB, TOLD_AGAIN, 'setBreakpoints', { breakpoints }));
    if (stepsPerSecondLimit !== null) {
      this.post(request(HUB, TOLD_AGAIN, 'setSpeed', { stepsPerSecond: stepsPerSecondLimit }));
    }
  }

  private welcome(client: Client, { began, history, status }: Run): void {
    client.welcomed = true;
    client.send({
      type: 'ready',
      protocol: PROTOCOL_VERSION,
      trainer: { name: 'Gradscope', version: this.options.version },
      ...began,
      clockMs: this.options.wallClock(),
      heartbeatMs: HEARTBEAT_MS,
    });
    for (const rows of history.all()) client.sendEncoded(encodeMetrics(began.runId, rows));
    for (const event of history.events) client.send(event);
    for (const nonFinite of history.nonFinites) client.send(nonFinite);
    if (status !== undefined) client.send(status);
  }

  private metrics(firstStep: number, rows: Float32Array): void {
    if (this.run === undefined) return;
    const { history, began } = this.run;
    history.append(rows);
    const encoded = encodeMetrics(began.runId, history.from(firstStep));
    for (const client of this.clients.values()) {
      if (client.welcomed) client.sendEncoded(encoded);
    }
  }

  private layout({ client, layout }: Extract<ThreadMessage, { type: 'layout' }>): void {
    const values = payloadLength(layout.slots);
    if (values > MOST_FRAME_VALUES) {
      const sentence = `A frame may have ${String(MOST_FRAME_VALUES)} values, but what is watched has ${String(values)}.`;
      this.clients.get(client)?.close('message-too-large', sentence);
    } else this.clients.get(client)?.send(layout);
  }

  private frame({ client, head, payload }: Extract<ThreadMessage, { type: 'frame' }>): void {
    const bytes = new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
    this.clients.get(client)?.sendFrame(head, bytes);
    giveBack(payload);
  }

  private reply({ client, id, error, result, payload }: ThreadReply): void {
    if (client === HUB) {
      if (error !== null && id === FIRST_RUN) this.giveUp(error);
      return;
    }
    this.turns.answered(client, id);
    const message: TrainerMessage = { type: 'reply', id, error, result: { ...result } };
    this.clients.get(client)?.send(message, payload ?? undefined);
  }

  /** There is no run and will be none: a page that comes is told why. */
  private giveUp(failure: Failure): void {
    this.cannotBegin = failure;
    for (const client of [...this.clients.values()]) {
      if (client.greeted) client.close(failure.code, failure.message);
    }
  }

  /** The last status again, where the thread has none, so that a client can tell a trainer that stands from one whose process is stopped. */
  private beat(): void {
    const status = this.run?.status;
    this.quietTicks += 1;
    if (status === undefined || this.quietTicks < 2) return;
    // What was measured a while ago is not how fast it is now.
    const isStale = this.quietTicks >= RATES_LAST_TICKS && status.state === 'running';
    this.broadcast(isStale ? { ...status, stepsPerSecond: null, imagesPerSecond: null } : status);
  }

  private broadcast(message: TrainerMessage): void {
    for (const client of this.clients.values()) {
      if (client.welcomed) client.send(message);
    }
  }

  // ---------------------------------------------------------------- to the thread

  private post(command: ThreadCommand, transfer?: readonly ArrayBuffer[]): void {
    this.thread?.post(command, transfer);
  }

  /** A new thread in place of the dead one; it is told who is there. */
  private respawn(): void {
    const lastRunId = this.run?.began.runId ?? 0;
    this.heldBefore = this.run?.status;
    this.thread = this.options.spawnThread(lastRunId + 1, this);
    for (const { id, greeted, visible, items, credits } of this.clients.values()) {
      if (!greeted) continue;
      this.post({ type: 'connect', client: id });
      this.post({ type: 'visibility', client: id, visible });
      if (credits > 0) this.post({ type: 'credit', client: id, count: credits });
      if (items.length > 0) this.post({ type: 'watch', client: id, items });
    }
  }
}

const encodeMetrics = (
  runId: number,
  { firstStep, count, stride, values }: StepRows,
): ReturnType<typeof encodeMessage> =>
  encodeMessage({ type: 'metrics', runId, firstStep, count, stride }, new Uint8Array(values.buffer));

const request = (
  client: ClientId,
  id: number,
  method: ClientRequest['method'],
  params: unknown,
): Extract<ThreadCommand, { type: 'request' }> => ({
  type: 'request',
  client,
  id,
  method,
  params,
  payload: new Uint8Array(0),
});

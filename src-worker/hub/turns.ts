import type { ClientId } from '../training/run-control';
import type { ThreadCommand } from '../training/thread-messages';
import type { WatchItem } from '../../src-shared/protocol/messages';
import { INITIAL_CREDITS } from '../../src-shared/protocol/messages';

/** Requests of one client that may be unanswered: more than hands can type, few enough to mean no harm. */
export const MOST_UNANSWERED = 256;
/** Beyond those: what stops training is taken from a client whose other requests wait. */
const SPARE_FOR_PAUSE = 8;
/** Bytes of payload that the requests of one client may hold while they wait; a single one may have more. */
const MOST_WAITING_BYTES = 64 * 1024 * 1024;
/** Requests of all clients that the thread has not taken up yet: a client waits for at most so many of others before its own. */
export const MOST_POSTED = 4;
/** What a client says besides requests that the thread has not taken up yet; of what comes after only the newest counts. */
const MOST_TOLD = 16;

type Request = Extract<ThreadCommand, { type: 'request' }>;

/** The newest of what a client said besides requests, while the thread has enough of it. */
interface Later {
  watch?: readonly WatchItem[];
  visible?: boolean;
  credits: number;
}

class Line {
  readonly waiting: Request[] = [];
  waitingBytes = 0;
  readonly unanswered = new Set<number>();
  told = 0;
  later: Later | undefined;
}

export interface TurnsHost {
  post(command: ThreadCommand, transfer?: readonly ArrayBuffer[]): void;
  /** Whether the client takes what it is sent, so that another of its requests may be answered. */
  takes(client: ClientId): boolean;
}

/**
 * Stands between the clients and the one thread that serves them: a line of waiting requests for each client, and a turn for each
 * line after the other. Only a few requests at a time are with the thread, so however long one line is, another waits for few.
 */
export class Turns {
  private readonly host: TurnsHost;
  /** In the order in which they get their turn. */
  private readonly lines = new Map<ClientId, Line>();
  private posted = 0;

  constructor(host: TurnsHost) {
    this.host = host;
  }

  /**
   * Takes a request for its turn.
   * @returns why it is not taken: `many` wait already, or one with the same `id` does; undefined when it is
   */
  request(request: Request): 'many' | 'id' | undefined {
    const line = this.line(request.client);
    const most = MOST_UNANSWERED + (request.method === 'pause' ? SPARE_FOR_PAUSE : 0);
    const bytes = line.waitingBytes + request.payload.length;
    if (line.unanswered.size >= most || (bytes > MOST_WAITING_BYTES && line.waitingBytes > 0)) return 'many';
    if (line.unanswered.has(request.id)) return 'id';
    line.unanswered.add(request.id);
    line.waiting.push(request);
    line.waitingBytes = bytes;
    this.goOn();
    return undefined;
  }

  watch(client: ClientId, items: readonly WatchItem[]): void {
    this.tell(client, (later) => (later.watch = items));
  }

  visibility(client: ClientId, visible: boolean): void {
    this.tell(client, (later) => (later.visible = visible));
  }

  credit(client: ClientId, count: number): void {
    this.tell(client, (later) => (later.credits = Math.min(INITIAL_CREDITS, later.credits + count)));
  }

  /** The thread has taken up a request, or something else, of that client. */
  taken(client: ClientId, what: 'request' | 'other'): void {
    if (what === 'request') this.posted -= 1;
    else {
      const line = this.lines.get(client);
      if (line !== undefined) {
        line.told -= 1;
        this.tellLater(client, line);
      }
    }
    this.goOn();
  }

  answered(client: ClientId, id: number): void {
    this.lines.get(client)?.unanswered.delete(id);
  }

  /** Hands the thread what it has room for. */
  goOn(): void {
    while (this.posted < MOST_POSTED) {
      const next = this.next();
      if (next === undefined) return;
      this.posted += 1;
      this.host.post(next, [next.payload.buffer]);
    }
  }

  gone(client: ClientId): void {
    this.lines.delete(client);
  }

  /** There is no thread any more: everything that is unanswered, which nobody will answer. */
  threadDied(): { client: ClientId; id: number }[] {
    const all = [...this.lines].flatMap(([client, { unanswered }]) =>
      [...unanswered].map((id) => ({ client, id })),
    );
    this.lines.clear();
    this.posted = 0;
    return all;
  }

  private line(client: ClientId): Line {
    const found = this.lines.get(client);
    if (found !== undefined) return found;
    const line = new Line();
    this.lines.set(client, line);
    return line;
  }

  private next(): Request | undefined {
    for (const [client, line] of this.lines) {
      if (line.waiting.length === 0 || !this.host.takes(client)) continue;
      const request = line.waiting.shift();
      if (request === undefined) continue;
      line.waitingBytes -= request.payload.length;
      // Behind all others.
      this.lines.delete(client);
      this.lines.set(client, line);
      return request;
    }
    return undefined;
  }

  private tell(client: ClientId, change: (later: Later) => void): void {
    const line = this.line(client);
    line.later ??= { credits: 0 };
    change(line.later);
    this.tellLater(client, line);
  }

  private tellLater(client: ClientId, line: Line): void {
    const { later } = line;
    if (later === undefined || line.told >= MOST_TOLD) return;
    line.later = undefined;
    const commands: ThreadCommand[] = [];
    if (later.visible !== undefined) commands.push({ type: 'visibility', client, visible: later.visible });
    if (later.watch !== undefined) commands.push({ type: 'watch', client, items: later.watch });
    if (later.credits > 0) commands.push({ type: 'credit', client, count: later.credits });
    line.told += commands.length;
    for (const command of commands) this.host.post(command);
  }
}

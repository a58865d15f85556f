import type { z } from 'zod';
import { JsonRefused, parseBoundedJson } from '../json/bounded-json';
import { checkBoundedValue } from '../json/bounded-value';
import { shorten } from '../text/shorten';
import { decodeEnvelope, encodeEnvelope } from './envelope';
import { GradscopeError } from './errors';
import { MESSAGE_LIMITS } from './limits';
import { pageMessageSchema, trainerMessageSchema, type PageMessage, type TrainerMessage } from './messages';
import type { WireMessage } from './port';
import { MAX_MESSAGE_BYTES } from './shell';

/** A message and its payload; `payload` is empty for messages that came as plain JSON. */
export interface Received<M> {
  readonly message: M;
  readonly payload: Uint8Array;
}

/**
 * @param raw text, an envelope, or what a message port has cloned
 * @throws GradscopeError `malformed-message` or `message-too-large`, saying what was wrong.
 */
export const decodePageMessage = (raw: unknown): Received<PageMessage> => decode(pageMessageSchema, raw);

/** As decodePageMessage. */
export const decodeTrainerMessage = (raw: unknown): Received<TrainerMessage> =>
  decode(trainerMessageSchema, raw);

/** A plain object without a payload, an envelope with one. */
export const encodeMessage = (message: PageMessage | TrainerMessage, payload?: Uint8Array): WireMessage =>
  payload === undefined ? message : encodeEnvelope(message, payload);

const NO_PAYLOAD = new Uint8Array(0);

/** The one way in, whatever the transport: nothing looks into a message before its size, depth and width are known to be small. */
function decode<M>(schema: z.ZodType<M>, raw: unknown): Received<M> {
  const { head, payload } = headOf(raw);
  let parsed: ReturnType<typeof schema.safeParse>;
  try {
    parsed = schema.safeParse(head);
  } catch {
    // zod joins its lists of faults by calls with as many arguments, which is too much for the stack where there are many.
    throw new GradscopeError('malformed-message', 'The message has more faults than can be told.');
  }
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where =
      issue === undefined || issue.path.length === 0
        ? 'The message'
        : `Field ${shorten(issue.path.join('.'), 100)}`;
    throw new GradscopeError(
      'malformed-message',
      `${where} is not as the protocol says: ${issue?.message ?? 'invalid'}.`,
    );
  }
  return { message: parsed.data, payload };
}

function headOf(raw: unknown): { readonly head: unknown; readonly payload: Uint8Array } {
  const size = raw instanceof Uint8Array || typeof raw === 'string' ? raw.length : 0;
  if (size > MAX_MESSAGE_BYTES) {
    const expected = `A message may have ${String(MAX_MESSAGE_BYTES)} bytes`;
    throw new GradscopeError('message-too-large', `${expected}, but one had ${String(size)}.`);
  }
  try {
    if (typeof raw === 'string') return { head: parseBoundedJson(raw, MESSAGE_LIMITS), payload: NO_PAYLOAD };
    if (raw instanceof Uint8Array) return decodeEnvelope(raw);
    checkBoundedValue(raw, MESSAGE_LIMITS);
    return { head: raw, payload: NO_PAYLOAD };
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error;
    throw new GradscopeError('malformed-message', `A message: ${error.message}.`);
  }
}

import type { z } from 'zod';
import { type JsonLimits, JsonRefused, JsonTooLong, parseBoundedJson } from '../json/bounded-json';
import { checkBoundedValue } from '../json/bounded-value';
import { shorten } from '../text/shorten';
import { decodeEnvelope, encodeEnvelope } from './envelope';
import { GradscopeError } from './errors';
import { HELLO_LIMITS, MESSAGE_LIMITS } from './limits';
import { pageMessageSchema, trainerMessageSchema, type PageMessage, type TrainerMessage } from './messages';
import type { WireMessage } from './port';
import { sizeFault } from './size';

/** A message and its payload; `payload` is empty for messages that came as plain JSON. */
export interface Received<M> {
  readonly message: M;
  readonly payload: Uint8Array;
}

/**
 * @param raw text, an envelope, or what a message port has cloned
 * @throws GradscopeError `malformed-message` or `message-too-large`, saying what was wrong.
 */
export const decodePageMessage = (raw: unknown): Received<PageMessage> =>
  decode(pageMessageSchema, raw, MESSAGE_LIMITS);

/** As decodePageMessage, of the first message of a client: it needs little, and nobody knows yet who that is. */
export const decodeFirstMessage = (raw: unknown): Received<PageMessage> =>
  decode(pageMessageSchema, raw, HELLO_LIMITS);

/** As decodePageMessage. */
export const decodeTrainerMessage = (raw: unknown): Received<TrainerMessage> =>
  decode(trainerMessageSchema, raw, MESSAGE_LIMITS);

/** A plain object without a payload, an envelope with one. */
export const encodeMessage = (message: PageMessage | TrainerMessage, payload?: Uint8Array): WireMessage =>
  payload === undefined ? message : encodeEnvelope(message, payload);

const NO_PAYLOAD = new Uint8Array(0);

/** The one way in, whatever the transport: nothing looks into a message before its size, depth and width are known to be small. */
function decode<M>(schema: z.ZodType<M>, raw: unknown, limits: JsonLimits): Received<M> {
  const { head, payload } = headOf(raw, limits);
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

function headOf(raw: unknown, limits: JsonLimits): { readonly head: unknown; readonly payload: Uint8Array } {
  if (raw instanceof Uint8Array || typeof raw === 'string') {
    const fault = sizeFault(raw, false, limits === HELLO_LIMITS);
    if (fault !== undefined) throw new GradscopeError('message-too-large', fault);
  }
  try {
    if (typeof raw === 'string') return { head: parseBoundedJson(raw, limits), payload: NO_PAYLOAD };
    if (raw instanceof Uint8Array) return decodeEnvelope(raw, limits);
    checkBoundedValue(raw, limits);
    return { head: raw, payload: NO_PAYLOAD };
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error;
    const code = error instanceof JsonTooLong ? 'message-too-large' : 'malformed-message';
    throw new GradscopeError(code, `A message: ${error.message}.`);
  }
}

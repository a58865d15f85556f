import type { z } from 'zod';
import { decodeEnvelope, encodeEnvelope } from './envelope';
import { GradscopeError } from './errors';
import { pageMessageSchema, trainerMessageSchema, type PageMessage, type TrainerMessage } from './messages';
import type { WireMessage } from './port';

/** A message and its payload; `payload` is empty for messages that came as plain JSON. */
export interface Received<M> {
  readonly message: M;
  readonly payload: Uint8Array;
}

/** @throws GradscopeError `malformed-message` saying what was wrong. */
export const decodePageMessage = (raw: unknown): Received<PageMessage> => decode(pageMessageSchema, raw);

/** @throws GradscopeError `malformed-message` saying what was wrong. */
export const decodeTrainerMessage = (raw: unknown): Received<TrainerMessage> =>
  decode(trainerMessageSchema, raw);

/** A plain object without a payload, an envelope with one. */
export const encodeMessage = (message: PageMessage | TrainerMessage, payload?: Uint8Array): WireMessage =>
  payload === undefined ? message : encodeEnvelope(message, payload);

const NO_PAYLOAD = new Uint8Array(0);

function decode<M>(schema: z.ZodType<M>, raw: unknown): Received<M> {
  const { head, payload } =
    raw instanceof Uint8Array ? decodeEnvelope(raw) : { head: raw, payload: NO_PAYLOAD };
  const parsed = schema.safeParse(head);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where =
      issue === undefined || issue.path.length === 0 ? 'The message' : `Field ${issue.path.join('.')}`;
    throw new GradscopeError(
      'malformed-message',
      `${where} is not as the protocol says: ${issue?.message ?? 'invalid'}.`,
    );
  }
  return { message: parsed.data, payload };
}

import { headLengthOf } from './envelope';
import { MAX_HELLO_BYTES, MAX_MESSAGE_BYTES, MAX_TEXT_BYTES } from './limits';

/**
 * Why a message is too large to be looked into; undefined: it is not. A shell asks before it hands a message on, and whoever decodes
 * one asks before anything goes through it.
 * @param raw text, or the bytes of a text or an envelope
 * @param isText whether bytes are those of a text
 * @param isFirst whether it is the first message of a client, which says hello
 */
export function sizeFault(raw: string | Uint8Array, isText: boolean, isFirst: boolean): string | undefined {
  // Of a string: characters, of which no text has more than bytes.
  const size = raw.length;
  if (size > MAX_MESSAGE_BYTES) return fault('A message', MAX_MESSAGE_BYTES, size);
  if (isFirst && size > MAX_HELLO_BYTES) return fault('The first message', MAX_HELLO_BYTES, size);
  const jsonSize = typeof raw === 'string' || isText ? size : Math.min(size, headLengthOf(raw));
  if (jsonSize > MAX_TEXT_BYTES) return fault('The JSON of a message', MAX_TEXT_BYTES, jsonSize);
  return undefined;
}

const fault = (what: string, most: number, size: number): string =>
  `${what} may have ${String(most)} bytes, but one had ${String(size)}.`;

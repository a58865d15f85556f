import { type JsonLimits, parseBoundedJson } from '../json/bounded-json';
import { GradscopeError } from './errors';
import { MESSAGE_LIMITS } from './limits';

/**
 * The binary envelope: a JSON head and one payload in a single message.
 *
 *     0   u32 little-endian  magic "GSC1" (0x31435347)
 *     4   u32 little-endian  n, length of the head in bytes
 *     8   n bytes            head, JSON in UTF-8
 *     p   rest               payload; p = 8 + n rounded up to a multiple of 8
 *
 * Frames are float32 little-endian, so with p a multiple of 8 the page can view them without copying.
 */
const MAGIC = 0x31435347;
const PREFIX_BYTES = 8;
const ALIGNMENT = 8;

export interface Envelope {
  readonly head: Readonly<Record<string, unknown>>;
  readonly payload: Uint8Array;
}

/** Byte offset at which the payload of a head of `headBytes` bytes starts. */
const payloadOffset = (headBytes: number): number =>
  Math.ceil((PREFIX_BYTES + headBytes) / ALIGNMENT) * ALIGNMENT;

/** Returns an exactly sized array (a larger backing buffer would be serialised whole by a message port). */
export function encodeEnvelope(head: Readonly<Record<string, unknown>>, payload: Uint8Array): Uint8Array {
  const headBytes = new TextEncoder().encode(JSON.stringify(head));
  const start = payloadOffset(headBytes.length);
  const bytes = new Uint8Array(start + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, headBytes.length, true);
  bytes.set(headBytes, PREFIX_BYTES);
  bytes.set(payload, start);
  return bytes;
}

/** How long its head is by what it says itself; 0 of what is too short to say it. */
export function headLengthOf(bytes: Uint8Array): number {
  if (bytes.length < PREFIX_BYTES) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset, PREFIX_BYTES).getUint32(4, true);
}

/**
 * The payload is a view into `bytes` when the bytes start at a multiple of 8 in their buffer, else a copy.
 * @throws GradscopeError `malformed-message` when the bytes are not a whole envelope. @throws JsonRefused of its head
 */
export function decodeEnvelope(bytes: Uint8Array, limits: JsonLimits = MESSAGE_LIMITS): Envelope {
  if (bytes.length < PREFIX_BYTES) {
    throw malformed(`at least ${String(PREFIX_BYTES)} bytes`, `${String(bytes.length)} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0, true);
  if (magic !== MAGIC) throw malformed('the magic number 0x31435347', `0x${magic.toString(16)}`);
  const headLength = headLengthOf(bytes);
  const start = payloadOffset(headLength);
  if (start > bytes.length) {
    throw malformed(`a head of ${String(headLength)} bytes`, `a message of ${String(bytes.length)} bytes`);
  }
  const head = parseHead(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + headLength), limits);
  if (typeof head !== 'object' || head === null || Array.isArray(head)) {
    throw malformed('a JSON object as head', Array.isArray(head) ? 'an array' : typeof head);
  }
  const aligned = (bytes.byteOffset + start) % ALIGNMENT === 0;
  // slice() of a Node Buffer would be a view again.
  const payload = aligned ? bytes.subarray(start) : new Uint8Array(bytes.subarray(start));
  return { head: head as Record<string, unknown>, payload };
}

function parseHead(bytes: Uint8Array, limits: JsonLimits): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw malformed('a head in UTF-8', 'something else');
  }
  return parseBoundedJson(text, limits);
}

const malformed = (expected: string, found: string): GradscopeError =>
  new GradscopeError('malformed-message', `A binary message should have ${expected}, but it has ${found}.`);

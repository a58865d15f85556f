import { shorten } from '../text/shorten';

/** Every way Gradscope fails has one of these codes; they are stable and documented in docs/protocol.md. */
export const ERROR_CODES = [
  'malformed-message',
  'message-too-large',
  'too-many-requests',
  'wrong-protocol',
  'unknown-command',
  'not-now',
  'unknown-recipe',
  'unknown-option',
  'unknown-tensor',
  'unknown-image',
  'bad-image',
  'bad-config',
  'bad-dataset',
  'bad-weights',
  'bad-order',
  'engine-unavailable',
  'engine-cannot-run',
  'port-in-use',
  'worker-died',
  'connection-lost',
  'closed',
  'cannot-write',
  'internal',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** A sentence may name a path or what a file holds; nobody reads more of it than this. */
const MOST_CHARACTERS = 500;

/**
 * An error meant to be read by the person in front of the screen: one sentence, and a code for programs. A sentence of more
 * than 500 characters is cut there.
 */
export class GradscopeError extends Error {
  override readonly name = 'GradscopeError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, sentence: string, options?: ErrorOptions) {
    super(shorten(sentence, MOST_CHARACTERS), options);
    this.code = code;
  }
}

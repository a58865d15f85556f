import { MOST_SENTENCE_CHARACTERS, shorten } from '../text/shorten';

/** Every way Gradscope fails has one of these codes; they are stable and documented in docs/protocol.md. */
export const ERROR_CODES = [
  'malformed-message',
  'message-too-large',
  'too-many-requests',
  'too-many-clients',
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

/**
 * An error meant to be read by the person in front of the screen: one sentence, and a code for programs. A sentence of more
 * than MOST_SENTENCE_CHARACTERS is cut.
 */
export class GradscopeError extends Error {
  override readonly name = 'GradscopeError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, sentence: string, options?: ErrorOptions) {
    super(shorten(sentence, MOST_SENTENCE_CHARACTERS), options);
    this.code = code;
  }
}

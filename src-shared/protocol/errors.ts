/** Every way Gradscope fails has one of these codes; they are stable and documented in docs/protocol.md. */
export const ERROR_CODES = [
  'malformed-message',
  'message-too-large',
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

/** An error meant to be read by the person in front of the screen: one sentence, and a code for programs. */
export class GradscopeError extends Error {
  override readonly name = 'GradscopeError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.code = code;
  }
}

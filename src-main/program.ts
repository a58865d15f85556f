import { CommanderError } from 'commander';
import { GradscopeError, type ErrorCode } from '../src-shared/protocol/errors';
import { describeSystemError } from '../src-shared/text/system-error';

/** What was asked for cannot be done as asked; everything else that fails is a failure of ours. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'unknown-recipe',
  'unknown-option',
  'bad-config',
  'bad-dataset',
  'bad-weights',
  'bad-order',
  'engine-unavailable',
  'engine-cannot-run',
  'port-in-use',
  'cannot-write',
]);

export interface ProgramContext {
  /**
   * Resolves with the signal when the program is asked to end: Ctrl-C, SIGTERM, a closed terminal or pipe. Rejects with
   * GradscopeError `cannot-write` when stdout takes nothing more, as on a full disk.
   */
  readonly interrupted: Promise<NodeJS.Signals>;
  /** One line on stderr. */
  readonly say: (sentence: string) => void;
}

/**
 * Runs a command-line program to its exit code: that of `main`; 2 for a refusal and 1 for a failure, each with one
 * sentence on stderr.
 */
export async function runProgram(main: (context: ProgramContext) => Promise<number>): Promise<void> {
  const say = (sentence: string): void => {
    process.stderr.write(`${sentence}\n`);
  };
  const interrupted = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve);
    // Whoever reads has gone, as at the end of `| head`: that ends a program silently.
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') resolve('SIGPIPE');
    });
  });
  const cannotPrint = new Promise<never>((_, reject) => {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') reject(new GradscopeError('cannot-write', cannotWriteToStdout(error)));
    });
  });
  const ended = Promise.race([interrupted, cannotPrint]);
  // A program that does not wait for it yet hears of it when it does.
  ended.catch(() => undefined);
  // Without a reader there is nobody to tell.
  process.stderr.on('error', () => undefined);
  try {
    process.exitCode = await main({ interrupted: ended, say });
  } catch (error) {
    process.exitCode = exitCodeOf(error);
    if (process.exitCode !== 0) say(sentenceOf(error));
  }
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return error instanceof GradscopeError && REFUSALS.has(error.code) ? 2 : 1;
}

/** What commander says, as a sentence like all the others. */
export function sentenceOf(error: unknown): string {
  if (error instanceof CommanderError) {
    const message = error.message
      .replace(/^error: /, '')
      .replace(' is invalid. It ', ' is invalid: it ')
      .replace("'\n(", "'. (");
    const sentence = message.charAt(0).toUpperCase() + message.slice(1);
    return /[.?)]$/.test(sentence) ? sentence : `${sentence}.`;
  }
  return describeSystemError(error) ?? (error instanceof Error ? error.message : String(error));
}

const cannotWriteToStdout = (error: Error): string =>
  `The output cannot be written. ${describeSystemError(error) ?? error.message}`;

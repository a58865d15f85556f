import { CommanderError } from 'commander';
import { GradscopeError, type ErrorCode } from '../src-shared/protocol/errors';

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
  /** Resolves with the signal when the program is asked to end: Ctrl-C, SIGTERM, a closed terminal or pipe. */
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
    process.stdout.on('error', () => {
      resolve('SIGPIPE');
    });
  });
  try {
    process.exitCode = await main({ interrupted, say });
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
  return error instanceof Error ? error.message : String(error);
}

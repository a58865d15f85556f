import { CommanderError } from 'commander';
import { whenParentGoes } from './parent';
import { GradscopeError, type ErrorCode } from '../src-shared/protocol/errors';
import { shorten } from '../src-shared/text/shorten';
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

/** How long an interrupted program may take to end in its own way, ms. */
const ENDING_LIMIT_MS = 10_000;
/** One press of Ctrl-C may arrive several times, through npm and the scripts: later than this it is a second wish, ms. */
const SAME_WISH_MS = 300;
/** How long a program whose work is done may be kept alive by what it has left open, ms. */
const LEFT_OPEN_MS = 1_000;

/**
 * Runs a command-line program to its exit code: that of `main`; 2 for a refusal and 1 for a failure, each with one
 * sentence on stderr. A second signal ends it at once, as does the first one after 10 s.
 */
export async function runProgram(main: (context: ProgramContext) => Promise<number>): Promise<void> {
  const say = (sentence: string): void => {
    process.stderr.write(`${sentence}\n`);
  };
  let first: NodeJS.Signals | undefined;
  const interrupted = new Promise<NodeJS.Signals>((resolve) => {
    let firstMs = 0;
    const interrupt = (signal: NodeJS.Signals): void => {
      if (first === undefined) {
        [first, firstMs] = [signal, performance.now()];
        setTimeout(dieBy, ENDING_LIMIT_MS, signal).unref();
        resolve(signal);
      } else if (performance.now() - firstMs > SAME_WISH_MS) dieBy(signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
    whenParentGoes(process, () => {
      interrupt('SIGTERM');
    })?.unref();
    // Whoever reads has gone, as at the end of `| head`: that ends a program silently.
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' && first === undefined) interrupt('SIGPIPE');
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
  // What was printed is still on its way to a reader that takes its time.
  const printed = new Promise<void>((resolve) => {
    process.stdout.write('', () => {
      resolve();
    });
  });
  await Promise.race([printed, ended.catch(() => undefined)]);
  setTimeout(() => {
    if (first === undefined) process.exit();
    else dieBy(first);
  }, LEFT_OPEN_MS).unref();
}

/** Ends this process as if nobody listened to the signal. process.exit() waits for file accesses, which may never end. */
function dieBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  // Node itself ignores SIGPIPE.
  process.kill(process.pid, signal === 'SIGPIPE' ? 'SIGKILL' : signal);
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return error instanceof GradscopeError && REFUSALS.has(error.code) ? 2 : 1;
}

/** What an error says to the person at the terminal: one line of limited length, whatever it quotes. */
export const sentenceOf = (error: unknown): string => shorten(escapeControls(wordsOf(error)));

/** Without what a terminal would obey. */
const escapeControls = (text: string): string =>
  // eslint-disable-next-line no-control-regex -- these are what is looked for
  text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, (found) => JSON.stringify(found).slice(1, -1));

/** What commander says becomes a sentence like all the others. */
function wordsOf(error: unknown): string {
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

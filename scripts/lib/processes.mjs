import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { endWithParent } from './parent.mjs';
import { ROOT } from './project.mjs';

/**
 * @typedef {object} Ended
 * @property {number} code exit code; 128 + its number after a signal, as shells have it
 * @property {string | null} signal
 * @property {string} output what it wrote, where `capture` was asked for
 * @property {boolean} timedOut
 * @property {boolean} interrupted a signal to end reached this process meanwhile
 */

/** @typedef {NonNullable<import('node:child_process').SpawnOptions['stdio']>} Stdio */

const PASSED_ON = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
const END_WITH_PARENT = new URL('./end-with-parent.mjs', import.meta.url).href;

/**
 * Runs a program to its end. Signals that reach this process are passed on to it, so that it can end in its own way. When this
 * process goes, however it goes, the program ends too where it knows GRADSCOPE_PARENT: Node's programs, Electron's, and our own
 * of Python. (What else there is, as apt-get, had better not be cut off, and ends by itself.)
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ stdio?: Stdio, capture?: boolean, cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number | undefined }} [options]
 *   capture: take stdout and stderr instead of showing them. timeoutMs: after that it is killed.
 * @returns {Promise<Ended>}
 */
export function run(command, args, options = {}) {
  endWithParent();
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      cwd: options.cwd ?? ROOT,
      env: { ...(options.env ?? process.env), GRADSCOPE_PARENT: String(process.pid) },
      stdio: options.capture === true ? ['ignore', 'pipe', 'pipe'] : (options.stdio ?? 'inherit'),
    });
    /** @type {Buffer[]} */
    const chunks = [];
    child.stdout?.on('data', (/** @type {Buffer} */ chunk) => chunks.push(chunk));
    child.stderr?.on('data', (/** @type {Buffer} */ chunk) => chunks.push(chunk));

    let interrupted = false;
    /** @param {NodeJS.Signals} signal */
    const passOn = (signal) => {
      interrupted = true;
      // CTRL-C in a terminal reaches every process of the group by itself; a second one would be a second wish.
      if (!(signal === 'SIGINT' && process.stdin.isTTY)) child.kill(signal);
    };
    for (const signal of PASSED_ON) process.on(signal, passOn);

    let timedOut = false;
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            child.kill('SIGKILL');
            // What it has started may still hold them, and would be waited for.
            child.stdout?.destroy();
            child.stderr?.destroy();
          }, options.timeoutMs);

    const release = () => {
      clearTimeout(timer);
      for (const signal of PASSED_ON) process.off(signal, passOn);
    };
    child.once('error', (error) => {
      release();
      reject(error);
    });
    child.once('close', (code, signal) => {
      release();
      const number = signal === null ? 0 : 128 + constants.signals[signal];
      resolve({
        code: code ?? number,
        signal,
        output: Buffer.concat(chunks).toString(),
        timedOut,
        interrupted,
      });
    });
  });
}

/**
 * Runs a program of Node's: a script of this project or of an installed package.
 * @param {readonly string[]} args the script's path first
 * @param {Parameters<typeof run>[2]} [options]
 */
export const runNode = (args, options) =>
  run(process.execPath, ['--import', END_WITH_PARENT, ...args], options);

/**
 * The line in which a program said what went wrong, for a sentence of ours.
 * @param {string} output
 */
export function errorLine(output) {
  const lines = output.split('\n').map((line) => line.trim());
  const line =
    lines.find((text) => /error|failed/i.test(text)) ?? lines.findLast((text) => text !== '') ?? '';
  return line.replace(/^\w*Error: /, '').slice(0, 200);
}

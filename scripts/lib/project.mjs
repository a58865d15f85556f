import { fileURLToPath } from 'node:url';

/** Folder of the repository, with a slash at its end. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** @param {string} path relative to the repository */
export const inProject = (path) => fileURLToPath(new URL(path, new URL('../../', import.meta.url)));

/**
 * What the scripts themselves have to say goes to stderr: stdout belongs to the program that they start.
 * @param {string} sentence
 */
export const say = (sentence) => {
  process.stderr.write(`${sentence}\n`);
};

/** An end that one sentence explains: bad input, or something that this machine does not have. */
export class Refusal extends Error {
  /**
   * @param {string} sentence
   * @param {number} exitCode 2: what was asked for is wrong; 1: it cannot be done here
   */
  constructor(sentence, exitCode = 1) {
    super(sentence);
    this.exitCode = exitCode;
  }
}

/**
 * Runs a script's main function; a Refusal becomes its sentence and its exit code.
 * @param {() => Promise<number>} main returns the exit code
 */
export async function runScript(main) {
  try {
    requireNode();
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    say(error.message);
    process.exitCode = error.exitCode;
  }
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Refusal(`Gradscope needs Node 20.19 or newer; this is Node ${process.versions.node}.`);
  }
}

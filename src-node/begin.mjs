/**
 * Loads a program and runs it. Its modules are opened many at once, before any of them could say what is wrong where a process may
 * open few files; this one imports nothing, so it is there wherever the entry itself is. An entry awaits it: else Node takes a program
 * that waits for what never comes for one that has done its work, and ends it with exit code 0.
 * @param {() => Promise<unknown>} program imports it
 */
export async function begin(program) {
  try {
    await program();
  } catch (error) {
    const reason = REASONS[/** @type {NodeJS.ErrnoException | undefined} */ (error)?.code ?? ''];
    if (reason === undefined) throw error;
    process.stderr.write(`Gradscope cannot be loaded: ${reason}.\n`);
    process.exitCode = 1;
  }
}

/** @type {Readonly<Record<string, string>>} */
const REASONS = {
  EMFILE: 'this process may not open more files (ulimit -n)',
  ENFILE: 'the system may not open more files',
};

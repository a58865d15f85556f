/**
 * Ends the trainer process when the process that has started it goes, however that goes. Imported before everything else, so that
 * a host that is gone before the trainer has loaded is noticed, too: its channel is closed then, and says so only once.
 */

/** How often the host is looked for, ms. */
const LOOK_EVERY_MS = 1_000;
/** How long the trainer may take to end in its own way, ms. */
const ENDING_LIMIT_MS = 3_000;

/** Electron's trainer is no child of the process that has started it, and is told which one that is. */
const told = Number(process.env['GRADSCOPE_PARENT'] ?? '0');
delete process.env['GRADSCOPE_PARENT'];
const parent = process.ppid;

let close: () => Promise<void> = () => Promise.resolve();
let ending = false;

/** @param closing - ends what must not be cut off; the process exits when it has, and after some seconds in any case */
export function beforeHostIsGone(closing: () => Promise<void>): void {
  close = closing;
}

function end(): void {
  if (ending) return;
  ending = true;
  // process.exit() waits for threads, and a thread inside a native call may never come back.
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), ENDING_LIMIT_MS);
  void close().finally(() => process.exit(0));
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

// False: there was a channel to the host, and it is closed. Undefined: there never was one.
const { connected } = process as { readonly connected?: boolean };
if (connected === false) process.exit(0);
process.once('disconnect', end);
setInterval(() => {
  if (process.ppid !== parent || (told !== 0 && !isThere(told))) end();
}, LOOK_EVERY_MS);
// Ctrl-C reaches the whole process group; what comes of it is for the host to say.
process.on('SIGINT', () => undefined);

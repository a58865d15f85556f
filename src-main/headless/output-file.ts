import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { devNull } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { GradscopeError } from '../../src-shared/protocol/errors';
import { shownFile } from '../../src-shared/text/file-name';
import { FileError, reasonOf } from '../../src-node/file-error.mjs';
import { checkWritable, targetOf, writeWhole } from '../../src-node/write-file.mjs';

/** Where the weights go at the end of a run. */
export interface Output {
  /** Nothing else may go to stdout then. */
  readonly isStandardOutput: boolean;
  /**
   * A file is written whole or not at all. Called once.
   * @returns sentences about what could not stay as it was
   * @throws GradscopeError `cannot-write`
   */
  write(bytes: Uint8Array): Promise<readonly string[]>;
  /** Nothing is written from here on, a write under way is given up. May be called again. */
  close(): void;
}

/** So long a full pipe is left alone before the next try. */
const FULL_PIPE_MS = 5;

/**
 * Finds out before the run whether its weights can be written: hours of training must not end in a refusal. A regular file is
 * replaced at the end. What is a stream on its face is opened and written to: `-`, an open file of the process (/dev/stdout,
 * /dev/fd/3), a pipe that somebody reads, the null device.
 * @throws GradscopeError `cannot-write`
 */
export function openOutput(file: string): Output {
  return saidOf(file, () => {
    const stream = openStream(file);
    if (stream === null) checkWritable(file);
    return new OpenOutput(file, stream);
  });
}

class OpenOutput implements Output {
  readonly isStandardOutput: boolean;
  private readonly file: string;
  /** Null: a file, which is opened only to be written. */
  private readonly stream: Stream | null;
  private isWritten = false;
  private isClosed = false;

  constructor(file: string, stream: Stream | null) {
    this.file = file;
    this.stream = stream;
    this.isStandardOutput = stream?.handle === process.stdout.fd;
  }

  async write(bytes: Uint8Array): Promise<readonly string[]> {
    try {
      this.refuseWhenClosed();
      // What a failed write has left is half a file: more bytes behind it would look like a whole one.
      if (this.isWritten) throw new FileError(this.file, 'written', 'it was written to already');
      this.isWritten = true;
      if (this.stream === null) return writeWhole(this.file, bytes);
      await this.writeAll(this.stream.handle, bytes);
      return [];
    } catch (error) {
      throw cannotWrite(this.file, error);
    }
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.stream?.close();
  }

  private async writeAll(handle: number, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      try {
        done += writeSync(handle, bytes, done);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        // Its reader is slower. Nothing tells when there is room again.
        await sleep(FULL_PIPE_MS);
        // The number of a closed handle may be that of another file by now.
        this.refuseWhenClosed();
      }
    }
  }

  private refuseWhenClosed(): void {
    if (this.isClosed) throw new FileError(this.file, 'written', 'it was closed');
  }
}

interface Stream {
  readonly handle: number;
  close(): void;
}

/** Null: the path is that of a file, or of something that is refused as one. */
function openStream(file: string): Stream | null {
  const { path, found, descriptor } =
    file === '-' ? { path: '', found: null, descriptor: process.stdout.fd } : targetOf(file);
  if (descriptor !== null) return openDescriptor(file, descriptor);
  if (path === devNull) return opened(openSync(path, 'w'));
  return found?.isFIFO() === true ? opened(openPipe(file, path)) : null;
}

/** What the process was given to write to. It stays open. */
function openDescriptor(file: string, handle: number): Stream {
  const found = fstatSync(handle);
  const isStream =
    found.isFile() || found.isFIFO() || found.isSocket() || (found.isCharacterDevice() && !isatty(handle));
  if (!isStream) {
    throw new FileError(file, 'written', isatty(handle) ? 'it is a terminal' : 'it is no stream');
  }
  // Fails where it is open for reading only.
  writeSync(handle, new Uint8Array(0));
  return { handle, close: () => undefined };
}

const opened = (handle: number): Stream => ({
  handle,
  close: () => {
    closeSync(handle);
  },
});

/** Opened at once and kept open: a reader takes the end of its last writer for the end of what it reads. */
function openPipe(file: string, path: string): number {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
    const reason = 'it is a pipe that nobody reads, so its reader has to be started first';
    throw new FileError(file, 'written', reason, { cause: error });
  }
}

function saidOf<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

const cannotWrite = (file: string, error: unknown): GradscopeError =>
  new GradscopeError('cannot-write', `${shownFile(file)} cannot be written: ${reasonOf(error)}.`, {
    cause: error,
  });

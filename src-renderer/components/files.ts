import { GradscopeError } from '../../src-shared/protocol/errors';
import { shownFile } from '../../src-shared/text/file-name';

/** Lets the person pick a file; null when they do not. */
export function pickFile(accept: string): Promise<File | null> {
  return new Promise((resolve) => {
    const input = document.createElement('input');
    input.type = 'file';
    input.accept = accept;
    input.addEventListener('change', () => {
      resolve(input.files?.[0] ?? null);
    });
    input.addEventListener('cancel', () => {
      resolve(null);
    });
    input.click();
  });
}

/**
 * The bytes of a file that can be sent.
 * @throws GradscopeError `bad-weights` naming the file, when it is larger or cannot be read
 */
export async function readWithin(file: File, most: number): Promise<Uint8Array> {
  const refuse = (reason: string): never => {
    throw new GradscopeError('bad-weights', `${shownFile(file.name)} cannot be read: ${reason}.`);
  };
  if (file.size > most) refuse(`it has ${file.size} bytes, where at most ${most} are allowed`);
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    return refuse('it is a folder, or was moved or changed since it was chosen');
  }
}

/** Hands bytes to the person as a file; where it goes is theirs to say. */
export function offerFile(name: string, bytes: Uint8Array): void {
  const address = URL.createObjectURL(new Blob([bytes.slice()], { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}

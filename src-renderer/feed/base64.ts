import { GradscopeError } from '../../src-shared/protocol/errors';
import { quoted } from '../../src-shared/text/shorten';

/** The bytes of a base64 string. @throws GradscopeError `malformed-message` when it is not one. */
export function bytesFromBase64(text: string): Uint8Array {
  let characters: string;
  try {
    characters = atob(text);
  } catch {
    throw new GradscopeError('malformed-message', `Pixels should be base64, but they are ${quoted(text)}.`);
  }
  return Uint8Array.from(characters, (character) => character.charCodeAt(0));
}

/** The bytes of a base64 string. @throws DOMException when it is not one. */
export const bytesFromBase64 = (text: string): Uint8Array =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

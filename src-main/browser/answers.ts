import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { PLAIN_POLICY, pageHeaders } from '../page/content-policy';

/** Answers in words, with the page's headers: no answer of the shell goes out without them. */

const TEXT = 'text/plain; charset=utf-8';
const HTML = 'text/html; charset=utf-8';

/** A sentence as the whole answer. */
export function sendText(response: ServerResponse, status: number, sentence: string): void {
  send(response, status, TEXT, `${sentence}\n`);
}

/**
 * The same, on a page that has the browser ask for `/` once more: this page asks, and not the other site that the browser
 * came from, so the browser sends its cookie along.
 */
export function sendTextAndAskAgain(response: ServerResponse, status: number, sentence: string): void {
  const head = '<meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/"><title>Gradscope</title>';
  send(response, status, HTML, `<!doctype html>${head}<p>${escaped(sentence)}</p>\n`);
}

/** Sends the browser on to `location`, a path on this server. */
export function sendOn(response: ServerResponse, location: string, cookie: string | undefined): void {
  response.setHeader('Location', location);
  if (cookie !== undefined) response.setHeader('Set-Cookie', cookie);
  sendText(response, 303, 'Gradscope is here.');
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  const body = Buffer.from(text);
  response.writeHead(status, {
    ...pageHeaders(PLAIN_POLICY),
    'Content-Type': type,
    'Content-Length': body.length,
    // A body that was not asked for is not read; without this it would be taken for the next request.
    Connection: 'close',
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

/** How long the other side may take to answer a close or to take a refusal before it is cut off, in milliseconds. */
export const CLOSE_GRACE_MS = 1_000;

/** Answers with a sentence on a connection that no ServerResponse was made for, and ends it, whatever the other side does. */
export function endWithText(socket: Duplex, status: number, sentence: string): void {
  const body = `${sentence}\n`;
  const headers = {
    ...pageHeaders(PLAIN_POLICY),
    'Content-Type': TEXT,
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  // Nothing that happens to a refused socket matters any more, but an unheard error would end the shell.
  socket.on('error', () => undefined);
  // What it still sends is thrown away: unread, it would hide that the other side has closed.
  socket.resume();
  const cutOff = setTimeout(() => socket.destroy(), CLOSE_GRACE_MS);
  socket.once('close', () => {
    clearTimeout(cutOff);
  });
  socket.end(`HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`);
}

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${String(character.charCodeAt(0))};`);

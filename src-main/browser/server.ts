import { createServer, STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { GradscopeError } from '../../src-shared/protocol/errors';
import type { Port } from '../../src-shared/protocol/port';
import { MAX_MESSAGE_BYTES, TRAINER_PATH } from '../../src-shared/protocol/shell';
import { contentPolicy, pageHeaders } from '../page/content-policy';
import type { PageFiles } from '../page/page-files';
import { refusal, type AccessToken } from './access';
import { SocketPort } from './socket-port';

export interface BrowserServerOptions {
  readonly page: PageFiles;
  readonly token: AccessToken;
  /** 0: any free one. */
  readonly port: number;
  /** Called with the server's end of each WebSocket that was let in. */
  readonly onClient: (port: Port) => void;
}

export interface BrowserServer {
  readonly port: number;
  /** With the token; the only thing a person needs. */
  readonly address: string;
  /** Says goodbye to every client and frees the port. */
  close(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
/** How long a client may take to answer a close before it is cut off, in milliseconds. */
const CLOSE_GRACE_MS = 1_000;

/**
 * Serves the page and the trainer's WebSocket on loopback to whoever has the token.
 * @throws GradscopeError `port-in-use`.
 */
export async function startBrowserServer(options: BrowserServerOptions): Promise<BrowserServer> {
  const { page, token } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    // Weights and gradients hardly compress, and it would cost training its time.
    perMessageDeflate: false,
  });
  const clients = new Set<SocketPort>();

  const server = createServer((request, response) => {
    answer(request, response, page, token);
  });
  server.on('upgrade', (request, socket, head) => {
    const { path, query } = target(request);
    const refused = refusal(asking(request, query, true), token);
    if (refused !== undefined) {
      refuseUpgrade(socket, refused.status, refused.message);
    } else if (path !== TRAINER_PATH) {
      refuseUpgrade(socket, 404, `There is no WebSocket at ${JSON.stringify(path)}.`);
    } else {
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        const port = new SocketPort(webSocket);
        clients.add(port);
        port.onClose(() => clients.delete(port));
        options.onClient(port);
      });
    }
  });

  server.listen(options.port, LOOPBACK);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenError(error, options.port);
  }
  const { port } = server.address() as AddressInfo;

  return {
    port,
    address: `http://${LOOPBACK}:${String(port)}/?token=${token.value}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      for (const client of clients) client.close({ code: 'closed', message: 'Gradscope was closed.' });
      const cutOff = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate();
        server.closeAllConnections();
      }, CLOSE_GRACE_MS);
      await closed;
      clearTimeout(cutOff);
    },
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  page: PageFiles,
  token: AccessToken,
): void {
  const { path, query } = target(request);
  const refused = refusal(asking(request, query, false), token);
  if (refused !== undefined) {
    sendText(response, refused.status, refused.message);
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    sendText(response, 405, `Gradscope answers GET and HEAD, not ${request.method ?? 'nothing'}.`);
    return;
  }
  const file = page.get(path);
  if (file === undefined) {
    sendText(response, 404, `There is no ${JSON.stringify(path)}.`);
    return;
  }
  // `host` has passed the check above, so it is one of three names and a number.
  const host = request.headers.host ?? '';
  response.setHeaders(
    new Headers({
      ...pageHeaders(contentPolicy([`ws://${host}`, `wss://${host}`])),
      'Content-Type': file.type,
      'Content-Length': String(file.bytes.length),
    }),
  );
  if (query.has('token')) response.setHeader('Set-Cookie', token.setCookie());
  response.writeHead(200);
  response.end(request.method === 'HEAD' ? undefined : file.bytes);
}

/** Path and query of a request, as they were sent: the page's paths need no decoding. */
function target(request: IncomingMessage): { path: string; query: URLSearchParams } {
  const url = request.url ?? '';
  const mark = url.indexOf('?');
  return mark < 0
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) };
}

const asking = (
  request: IncomingMessage,
  query: URLSearchParams,
  socket: boolean,
): Parameters<typeof refusal>[0] => ({
  host: request.headers.host,
  origin: request.headers.origin,
  cookie: request.headers.cookie,
  token: query.get('token'),
  socket,
});

function sendText(response: ServerResponse, status: number, message: string): void {
  const body = Buffer.from(`${message}\n`);
  response.writeHead(status, {
    ...pageHeaders("default-src 'none'; frame-ancestors 'none'"),
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': body.length,
    // A body that was not asked for is not read; without this it would be taken for the next request.
    Connection: 'close',
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

function refuseUpgrade(socket: Duplex, status: number, message: string): void {
  const body = `${message}\n`;
  // Nothing that happens to a refused socket matters any more, but an unheard error would end the shell.
  socket.on('error', () => undefined);
  socket.end(
    `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\n` +
      'Content-Type: text/plain; charset=utf-8\r\n' +
      `Content-Length: ${String(Buffer.byteLength(body))}\r\n` +
      'Connection: close\r\n\r\n' +
      body,
  );
}

function listenError(error: unknown, port: number): Error {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return new GradscopeError(
      'port-in-use',
      `Port ${String(port)} is in use; choose another with --port, or 0 for any free one.`,
    );
  }
  if (code === 'EACCES') {
    return new GradscopeError(
      'port-in-use',
      `Port ${String(port)} may not be used by this user; choose another with --port, or 0 for any free one.`,
    );
  }
  return error as Error;
}

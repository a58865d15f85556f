import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type ServerOptions } from 'ws';
import { GradscopeError } from '../../src-shared/protocol/errors';
import { MAX_MESSAGE_BYTES } from '../../src-shared/protocol/limits';
import { PAGE_KEY_PARAMETER, TRAINER_PATH } from '../../src-shared/protocol/shell';
import { quoted } from '../../src-shared/text/shorten';
import type { ClientPort } from '../worker-host/bridge';
import { contentPolicy, pageHeaders } from '../page/content-policy';
import type { PageFiles } from '../page/page-files';
import { CODE_PARAMETER, refusal, TOKEN_PARAMETER, type Access, type Asking } from './access';
import { CLOSE_GRACE_MS, endWithText, sendOn, sendText, sendTextAndAskAgain } from './answers';
import { Connections, type StrangerLimits } from './connections';
import { SocketPort } from './socket-port';

export interface BrowserServerOptions {
  readonly page: PageFiles;
  readonly access: Access;
  /** 0: any free one. */
  readonly port: number;
  /** Called with the server's end of each WebSocket that was let in. */
  readonly onClient: (port: ClientPort) => void;
  /** For connections that have not shown the token. */
  readonly strangers?: StrangerLimits;
}

export interface BrowserServer {
  readonly port: number;
  /** With the token; the only thing a person or a program needs. */
  readonly address: string;
  /** Good for one opening, soon: what a browser is started with stands in the list of processes, which everybody can read. */
  newBrowserAddress(): string;
  /** Lets nobody in any more, says goodbye to every client, and after a second cuts off whoever is still there. */
  close(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
/** Node's codes of requests that it cannot read, and what they are answered with; all others 400. */
const BROKEN_REQUESTS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};
const STRANGERS: StrangerLimits = { count: 64, toSpeakMs: 1_000, most: 512, milliseconds: 10_000 };
/** For requests on connections that have shown the token, in milliseconds. */
const REQUEST_LIMITS = { headersTimeout: 10_000, requestTimeout: 20_000, connectionsCheckingInterval: 2_000 };
/** How long an answer may stand still because the other side takes nothing of it, in milliseconds. */
const STANDSTILL_LIMIT_MS = 30_000;

/**
 * Serves the page and the trainer's WebSocket on loopback to whoever has the token.
 * @throws GradscopeError `port-in-use`.
 */
export async function startBrowserServer(options: BrowserServerOptions): Promise<BrowserServer> {
  const { page, access } = options;
  // closeTimeout, for a page that never answers a close: ws knows it, its types do not.
  const socketOptions: ServerOptions & { closeTimeout: number } = {
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    // Weights and gradients hardly compress, and it would cost training its time.
    perMessageDeflate: false,
    closeTimeout: CLOSE_GRACE_MS,
  };
  const sockets = new WebSocketServer(socketOptions);
  const clients = new Set<SocketPort>();
  const connections = new Connections(options.strangers ?? STRANGERS);

  // A request without a Host is refused by the same rules as all others, with the same headers, and not by Node.
  const server = createServer({ ...REQUEST_LIMITS, requireHostHeader: false }, (request, response) => {
    answer(request, response, page, access, connections);
  });
  server.timeout = STANDSTILL_LIMIT_MS;
  server.on('connection', (socket) => {
    connections.add(socket);
  });
  // Expect: 100-continue would else be met before anybody looks at who asks.
  for (const event of ['checkExpectation', 'checkContinue']) {
    server.on(event, (_request: IncomingMessage, response: ServerResponse) => {
      sendText(response, 417, 'Gradscope meets no expectations (Expect).');
    });
  }
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else
      endWithText(socket, BROKEN_REQUESTS[error.code ?? ''] ?? 400, 'This is no request that can be read.');
  });
  // Without a listener Node cuts it off without a word.
  server.on('connect', (request, socket) => {
    const refused = refusal(asking(request, '', new URLSearchParams(), true), access);
    if (refused !== undefined) endWithText(socket, refused.status, refused.message);
    else endWithText(socket, 405, 'Gradscope answers GET and HEAD, not CONNECT.');
  });
  server.on('upgrade', (request, socket, head) => {
    const { path, query } = target(request);
    const asked = asking(request, path, query, true);
    const refused = refusal(asked, access);
    if (refused !== undefined) {
      endWithText(socket, refused.status, refused.message);
    } else if (path !== TRAINER_PATH) {
      endWithText(socket, 404, `There is no WebSocket at ${quoted(path)}.`);
    } else {
      connections.know(request.socket);
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        if (asked.token === null) access.keepPageKey(asked);
        const port = new SocketPort(webSocket, request.socket);
        clients.add(port);
        port.onClose(() => clients.delete(port));
        options.onClient(port);
      });
    }
  });

  // Without a listener, ws answers by itself and without the headers.
  sockets.on('wsClientError', (error, socket) => {
    endWithText(socket, 400, `This is no WebSocket handshake: ${error.message}.`);
  });

  server.listen(options.port, LOOPBACK);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenError(error, options.port);
  }
  const { port } = server.address() as AddressInfo;
  const pageAddress = `http://${LOOPBACK}:${String(port)}/`;

  return {
    port,
    address: `${pageAddress}?${TOKEN_PARAMETER}=${access.token}`,
    newBrowserAddress: () => `${pageAddress}?${CODE_PARAMETER}=${access.newCode()}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      for (const client of clients) client.close({ code: 'closed', message: 'Gradscope was closed.' });
      const cutOff = setTimeout(() => {
        connections.destroyAll();
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
  access: Access,
  connections: Connections,
): void {
  const { path, query } = target(request);
  const asked = asking(request, path, query, false);
  const refused = refusal(asked, access);
  if (refused !== undefined) {
    const refuse = refused.askAgain === true && path === '/' ? sendTextAndAskAgain : sendText;
    refuse(response, refused.status, refused.message);
    return;
  }
  connections.know(request.socket);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    sendText(response, 405, `Gradscope answers GET and HEAD, not ${request.method ?? 'nothing'}.`);
    return;
  }
  // `host` has passed the check above, so it is one of three names and a number.
  const host = request.headers.host ?? '';
  if (isPage(path) && (asked.token !== null || asked.code !== null)) {
    sendOn(
      response,
      cleanAddress(path, query),
      request.method === 'GET' ? exchange(asked, host, access) : undefined,
    );
    return;
  }
  const file = page.get(path);
  if (file === undefined) {
    sendText(response, 404, `There is no ${quoted(path)}.`);
    return;
  }
  response.setHeaders(
    new Headers({
      ...pageHeaders(contentPolicy([`ws://${host}`, `wss://${host}`])),
      'Content-Type': file.type,
      'Content-Length': String(file.bytes.length),
    }),
  );
  response.writeHead(200);
  response.end(request.method === 'HEAD' ? undefined : file.bytes);
}

/** What stands in the browser's address bar: only here is a token or code exchanged for a cookie. */
const isPage = (path: string): boolean => path === '/' || path === '/index.html';

/** The cookie for a token or code; undefined where the code was used before and the browser has its cookie already. */
function exchange({ token, code }: Asking, host: string, access: Access): string | undefined {
  if (token === null) {
    if (code === null || !access.isCode(code)) return undefined;
    access.spendCode(code);
  }
  return access.newSession(host);
}

/** The page's address without what it was let in by. */
function cleanAddress(path: string, query: URLSearchParams): string {
  const rest = new URLSearchParams(query);
  rest.delete(TOKEN_PARAMETER);
  rest.delete(CODE_PARAMETER);
  return rest.size === 0 ? path : `${path}?${rest.toString()}`;
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
  { headers }: IncomingMessage,
  path: string,
  query: URLSearchParams,
  socket: boolean,
): Asking => ({
  host: headers.host,
  origin: headers.origin,
  cookie: headers.cookie,
  token: query.get(TOKEN_PARAMETER),
  code: isPage(path) && !socket ? query.get(CODE_PARAMETER) : null,
  socket,
  pageKey: socket ? query.get(PAGE_KEY_PARAMETER) : null,
  fetchSite: headers['sec-fetch-site'],
  fetchMode: headers['sec-fetch-mode'],
  fetchDestination: headers['sec-fetch-dest'],
});

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

import { Command, InvalidArgumentError } from 'commander';
import type { RelayHost } from '../worker-host/relay-host';
import { bridge } from '../worker-host/bridge';
import type { PageFiles } from '../page/page-files';
import { Access } from './access';
import { startBrowserServer, type BrowserServer } from './server';

export interface BrowserShellOptions {
  readonly port: number;
  readonly open: boolean;
}

/** @throws CommanderError for an option there is not or a value that does not fit. */
export function parseBrowserOptions(args: readonly string[]): BrowserShellOptions {
  return new Command('gradscope')
    .description('Serves Gradscope to a browser on this machine, or through an SSH tunnel to another.')
    .option('--port <number>', 'port on 127.0.0.1; 0 takes any free one', parsePort, 0)
    .option('--no-open', 'only print the address')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .parse(args, { from: 'user' })
    .opts();
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) {
    throw new InvalidArgumentError('It should be a number from 0 to 65535.');
  }
  return port;
}

export interface BrowserShell {
  readonly server: BrowserServer;
  close(): Promise<void>;
}

/**
 * The page, the token and the trainer together: every WebSocket that is let in is a client of the one trainer process.
 * @throws GradscopeError `port-in-use`.
 */
export async function startBrowserShell(
  page: PageFiles,
  host: RelayHost,
  port: number,
): Promise<BrowserShell> {
  const server = await startBrowserServer({
    page,
    access: new Access(),
    port,
    onClient: (client) => {
      try {
        bridge(client, host.connect(true));
      } catch {
        client.close({ code: 'closed', message: 'Gradscope is closing.' });
      }
    },
  });
  host.warmUp();
  return {
    server,
    close: async () => {
      // The trainer first: no connection, whoever holds it, may keep it alive.
      const stopped = host.stop();
      await Promise.all([stopped, server.close()]);
    },
  };
}

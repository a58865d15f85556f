import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { WebSocket } from 'ws';
import { TRAINER_PATH } from '../src-shared/protocol/shell';
import { expect, test } from './fixtures';
import { BrowserShell } from './support/browser-shell';
import { GradscopePage } from './support/gradscope-page';
import { descendantsOf } from './support/processes';

/** Listens on loopback until the test ends. */
async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Everything that the page shows, says or keeps, and all that its address and history tell. */
async function tracesOf(page: Page): Promise<string> {
  const cookies = await page.context().cookies();
  const inside = await page.evaluate(() => {
    const { title, referrer, URL: address, documentElement } = document;
    const said = JSON.stringify([window.gradscope.status(), window.gradscope.perf()]);
    const kept = JSON.stringify([
      Object.entries(localStorage),
      Object.entries(sessionStorage),
      history.state,
    ]);
    const loaded = performance.getEntries().map(({ name }) => name);
    return [title, referrer, address, documentElement.outerHTML, said, kept, window.name, ...loaded].join(
      '\n',
    );
  });
  return `${inside}\n${JSON.stringify(cookies)}`;
}

test('the printed address lets a browser in, and its token stays nowhere', async ({
  shell,
  page,
  gradscope,
  openAnother,
}) => {
  const { origin } = new URL(shell.address);
  expect(page.url()).toBe(`${origin}/`);
  expect(await tracesOf(page)).not.toContain(shell.token);

  await page.reload();
  await gradscope.idle();
  expect(page.url()).toBe(`${origin}/`);

  // The token's own address is no place to go back to.
  await page.goBack();
  expect(page.url()).toBe('about:blank');
  await page.goForward();
  expect(page.url()).toBe(`${origin}/`);
  await gradscope.idle();

  const another = await openAnother();
  expect(another.page.url()).toBe(`${origin}/`);
  await another.step('batch');
  await expect.poll(() => gradscope.finishedSteps()).toBe(1);

  const clean = await page.context().newPage();
  await new GradscopePage(clean).open(origin);
});

test('another server on this machine gets a cookie that opens nothing', async ({
  shell,
  page,
  gradscope,
}) => {
  const cookies: string[] = [];
  const foreign = createServer(({ headers }, response) => {
    cookies.push(headers.cookie ?? '');
    response.end('<!doctype html>');
  });
  const port = await listening(foreign);
  await gradscope.idle();
  await page.goto(`http://127.0.0.1:${String(port)}/`);
  expect(cookies[0]).toMatch(new RegExp(`^gradscope-${new URL(shell.address).port}=`));
  expect(cookies[0]).not.toContain(shell.token);
  const [cookie = ''] = cookies;
  const { origin, host } = new URL(shell.address);
  const refusals: [string, Record<string, string>][] = [
    [`?token=${cookie.split('=')[1] ?? ''}`, {}],
    ['', { cookie }],
    ['?key=guess', { cookie }],
  ];
  for (const [query, headers] of refusals) {
    const socket = new WebSocket(`ws://${host}${TRAINER_PATH}${query}`, { origin, headers });
    const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    expect([query, answer.statusCode]).toEqual([query, 401]);
    socket.on('error', () => undefined).terminate();
  }
  await page.goBack();
  await gradscope.step('batch');
  foreign.close();
});

test('a tunnel with another port and name works beside the shell itself', async ({
  shell,
  page,
  gradscope,
  watchErrors,
}) => {
  const { port: shellPort } = new URL(shell.address);
  const tunnel = createTcpServer((near) => {
    const far = connect(Number(shellPort), '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const end of [near, far]) end.on('error', () => undefined);
  });
  const port = await listening(tunnel);
  const throughTunnel = await page.context().newPage();
  watchErrors(throughTunnel);
  const address = new URL(shell.address);
  address.port = String(port);
  await new GradscopePage(throughTunnel).open(address.href);
  address.hostname = 'localhost';
  await new GradscopePage(throughTunnel).open(address.href);
  const names = (await page.context().cookies()).map(({ name }) => name);
  expect(names.sort()).toEqual(
    [`gradscope-${shellPort}`, `gradscope-${String(port)}`, `gradscope-${String(port)}`].sort(),
  );
  await page.reload();
  await gradscope.idle();
  await throughTunnel.close();
  tunnel.close();
});

test.describe('a link on another site', () => {
  // It is refused first, and then asked for by the page itself.
  test.use({ expectedErrors: [/status of 401/] });

  test('opens the page, by the printed address and by the clean one', async ({
    shell,
    page,
    watchErrors,
  }) => {
    const { origin, port: shellPort } = new URL(shell.address);
    const links = [shell.address, `${origin}/`].map(
      (to) => `<a href="${to}">${to === shell.address ? 'printed' : 'clean'}</a>`,
    );
    const site = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html').end(`<!doctype html>${links.join(' ')}`);
    });
    const port = await listening(site);
    watchErrors(page);
    for (const link of ['printed', 'clean']) {
      await page.goto(`http://localhost:${String(port)}/`);
      await page.getByRole('link', { name: link }).click();
      const gradscope = new GradscopePage(page);
      await expect(gradscope.button('Play')).toBeVisible();
      await gradscope.idle();
      expect(page.url()).toBe(`http://127.0.0.1:${shellPort}/`);
      await page.goBack();
      expect(page.url()).toBe(`http://localhost:${String(port)}/`);
    }
    site.close();
  });
});

test.describe('the browser that Gradscope opens', () => {
  test.skip(process.platform !== 'linux', 'reads the list of processes from /proc');
  test.use({ expectedErrors: [/status of 401/] });

  let folder: string;
  let shell: BrowserShell;
  /** What the browser was started with. */
  let given: string;
  test.beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gradscope-browser-'));
    const script = join(folder, 'chrome');
    const file = join(folder, 'arguments');
    await writeFile(
      script,
      `#!/bin/sh\nprintf '%s\\n' "$@" > '${file}.part' && mv '${file}.part' '${file}'\n`,
    );
    await chmod(script, 0o755);
    shell = await BrowserShell.start({ DISPLAY: ':0', CHROME_PATH: script }, []);
    await expect.poll(() => readdirSync(folder)).toContain('arguments');
    given = await readFile(file, 'utf8');
  });
  test.afterEach(async () => {
    await shell.stop();
    await rm(folder, { recursive: true });
  });

  test('gets an address that is good for one opening', async ({ page, browser, watchErrors }) => {
    expect(given).not.toContain(shell.token);
    const address = /--app=(\S+)/.exec(given)?.[1] ?? '';
    const { origin } = new URL(shell.address);
    watchErrors(page);
    const gradscope = new GradscopePage(page);
    await gradscope.open(address);
    expect(page.url()).toBe(`${origin}/`);
    const traces = await tracesOf(page);
    for (const secret of [shell.token, new URL(address).searchParams.get('code') ?? '-']) {
      expect(traces).not.toContain(secret);
    }

    await page.reload();
    await gradscope.idle();
    // The browser that used it may use it again: a tab that is restored.
    await gradscope.open(address);
    expect(page.url()).toBe(`${origin}/`);

    const stranger = await browser.newPage();
    const answer = await stranger.goto(address);
    expect(answer?.status()).toBe(401);
    expect(await stranger.content()).toContain('good for one opening');
    expect(await stranger.context().cookies()).toEqual([]);
    await stranger.close();
  });

  test('and no other process is told the token, by its arguments or its environment', () => {
    const family = [shell.pid, ...descendantsOf(shell.pid)];
    expect(family.length).toBeGreaterThan(1);
    for (const pid of family) {
      for (const file of ['cmdline', 'environ', 'comm']) {
        expect(readFileSync(`/proc/${String(pid)}/${file}`, 'utf8')).not.toContain(shell.token);
      }
    }
  });
});

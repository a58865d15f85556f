import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { PROTOCOL_VERSION } from '../../src-shared/protocol/messages';
import { TRAINER_PATH } from '../../src-shared/protocol/shell';
import { buildPrograms, runProgram, type BuiltPrograms, type Running } from '../testing/built-programs';

/** The browser shell as it is shipped, with the real trainer and a page of one line. */
let built: BuiltPrograms;
beforeAll(async () => {
  built = await buildPrograms();
  await writeFile(join(built.pageFolder, 'index.html'), '<!doctype html>');
});
afterAll(() => {
  built.remove();
});

const browser = (...args: string[]): Running => runProgram(built.script('browser'), args);
const READY = /^Gradscope is ready at (http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+)$/;

async function ready(running: Running): Promise<URL> {
  const address = READY.exec(await running.line(READY))?.[1] ?? '';
  return new URL(address);
}

describe('the browser shell', () => {
  // Catches: a program that starts and cannot reach the page or the trainer beside it; a trainer left behind.
  it('prints one line, serves the page and a trainer, and ends with all it started', async () => {
    const running = browser('--no-open');
    const address = await ready(running);
    const opened = await fetch(address, { redirect: 'manual' });
    const [cookie = ''] = opened.headers.getSetCookie();
    const page = await fetch(new URL(opened.headers.get('location') ?? '', address), { headers: { cookie } });
    expect([page.url, await page.text()]).toEqual([`${address.origin}/`, '<!doctype html>']);

    const socket = new WebSocket(`ws://${address.host}${TRAINER_PATH}${address.search}`);
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'hello', protocol: PROTOCOL_VERSION }));
    const [greeting] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(greeting.toString())).toMatchObject({ type: 'ready', protocol: PROTOCOL_VERSION });

    const closed = once(socket, 'close');
    running.process.kill('SIGTERM');
    expect((await closed)[0]).toBe(1001);
    const { code, stdout, stderr } = await running.ended;
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  });

  // Catches: a shell that hundreds of strangers keep from ending, with its trainer left running.
  it('ends with its trainer on one signal while 300 refused upgrades and silent connections are open', async () => {
    const running = browser('--no-open');
    const { port, host } = await ready(running);
    const strangers = Array.from({ length: 300 }, (_, index) => {
      const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
      socket.on('error', () => undefined);
      const head = `GET ${TRAINER_PATH} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
      if (index % 2 === 0) socket.write(head);
      return socket;
    });
    await Promise.all(strangers.map((socket) => once(socket, 'connect')));
    running.process.kill('SIGTERM');
    expect((await running.ended).code).toBe(0);
    for (const socket of strangers) socket.destroy();
  });

  // Catches: a second Ctrl-C that is not heard while the first one waits for a trainer that does not end.
  it('ends at once on a second signal', async () => {
    const running = browser('--no-open');
    const address = await ready(running);
    const socket = new WebSocket(`ws://${address.host}${TRAINER_PATH}${address.search}`);
    await once(socket, 'open');
    const { pid } = running.process;
    const trainer = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
      .stdout.split('\n')
      .map((line) => line.trim().split(/ +/).map(Number))
      .find(([, parent]) => parent === pid)?.[0];
    if (trainer === undefined) throw new Error('The shell has no trainer.');
    process.kill(trainer, 'SIGSTOP');
    const exit = once(running.process, 'exit');
    running.process.kill('SIGTERM');
    const again = setInterval(() => running.process.kill('SIGINT'), 50);
    expect(await exit).toEqual([null, 'SIGINT']);
    clearInterval(again);
    process.kill(trainer, 'SIGCONT');
    // The trainer has gone as well.
    await running.ended;
  });

  // Catches: a stack trace, a wrong exit code, or a shell that comes up on another port than asked for.
  it('refuses a taken port and options there are not with one sentence and exit code 2', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const port = String((taken.address() as AddressInfo).port);
    for (const [args, sentence] of [
      [['--port', port], `Port ${port} is in use; choose another with --port, or 0 for any free one.`],
      [
        ['--port', '65536'],
        "Option '--port <number>' argument '65536' is invalid: it should be a number from 0 to 65535.",
      ],
      [['--bogus'], "Unknown option '--bogus'."],
    ] as const) {
      const { code, stdout, stderr } = await browser('--no-open', ...args).ended;
      expect([code, stdout, stderr]).toEqual([2, '', `${sentence}\n`]);
    }
    taken.close();
  });

  // Catches: a page that is served as 404 without a word when nothing was built.
  it('says that the page has not been built', async () => {
    const index = join(built.pageFolder, 'index.html');
    await rm(index);
    const { code, stdout, stderr } = await browser('--no-open').ended;
    await writeFile(index, '<!doctype html>');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('The page has not been built');
  });
});

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import WebSocket from 'ws';
import { z } from 'zod';
import { chromiumArguments, findChromium } from '../scripts/lib/chromium.mjs';

const answerSchema = z.object({
  id: z.number(),
  result: z
    .object({
      result: z.object({ value: z.unknown().optional() }).optional(),
      exceptionDetails: z.unknown().optional(),
    })
    .optional(),
});

/**
 * A Chromium with one page and nobody listening. Playwright has the browser report every WebSocket message to it, whole
 * and in base64, which costs the page far more than drawing; here only expressions are evaluated.
 */
export class PlainChromium {
  readonly pid: number;
  private readonly process: ChildProcess;
  private readonly profile: string;
  private readonly page: WebSocket;
  private lastId = 0;

  private constructor(process: ChildProcess, pid: number, profile: string, page: WebSocket) {
    this.process = process;
    this.pid = pid;
    this.profile = profile;
    this.page = page;
  }

  static async start({ width, height }: { width: number; height: number }): Promise<PlainChromium> {
    const executable = findChromium();
    if (executable === undefined) throw new Error('There is no Chromium; npm test installs one.');
    const profile = mkdtempSync(join(tmpdir(), 'gradscope-bench-'));
    const [program, before] = asAnybody(executable);
    const child = spawn(
      program,
      [
        ...before,
        ...chromiumArguments(),
        '--headless=new',
        '--remote-debugging-port=0',
        `--user-data-dir=${profile}`,
        'about:blank',
      ],
      { stdio: 'ignore' },
    );
    if (child.pid === undefined) throw new Error(`${executable} does not start.`);
    const port = await portIn(profile);
    const targets = z
      .array(z.object({ type: z.string(), webSocketDebuggerUrl: z.string() }))
      .parse(await (await fetch(`http://127.0.0.1:${port}/json/list`)).json());
    const address = targets.find(({ type }) => type === 'page')?.webSocketDebuggerUrl;
    if (address === undefined) throw new Error('Chromium has opened no page.');
    const page = new WebSocket(address);
    await once(page, 'open');
    const chromium = new PlainChromium(child, child.pid, profile, page);
    await chromium.call('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: false,
    });
    return chromium;
  }

  async goto(address: string): Promise<void> {
    await this.call('Page.navigate', { url: address });
  }

  /** The value of an expression in the page, awaited and as JSON. */
  async evaluate(expression: string): Promise<unknown> {
    return this.call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
  }

  async close(): Promise<void> {
    this.page.close();
    const ended = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    await ended;
    await remove(this.profile);
  }

  private async call(method: string, params: object): Promise<unknown> {
    this.lastId += 1;
    const id = this.lastId;
    this.page.send(JSON.stringify({ id, method, params }));
    for (;;) {
      const [data] = (await once(this.page, 'message')) as [Buffer];
      const answer = answerSchema.safeParse(JSON.parse(data.toString())).data;
      if (answer?.id !== id) continue;
      const { result, exceptionDetails } = answer.result ?? {};
      if (exceptionDetails !== undefined) throw new Error(`${method}: ${JSON.stringify(exceptionDetails)}`);
      return result?.value;
    }
  }
}

/**
 * Started by root, Chromium gives its threads precedence over others (nice -8), training among them. Whoever is not root
 * has no right to; so that is what is measured.
 */
function asAnybody(executable: string): [string, string[]] {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || spawnSync('setpriv', ['--version']).status !== 0) return [executable, []];
  return ['setpriv', ['--bounding-set', '-sys_nice', '--inh-caps', '-sys_nice', executable]];
}

/** The browser's helpers write for a moment after it has ended, and rmSync's own retries look at a folder but once. */
async function remove(folder: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      rmSync(folder, { recursive: true, force: true });
      return;
    } catch (error) {
      if (tries === 50) throw error;
      await wait(100);
    }
  }
}

/** Chromium writes the port that it chose into its profile. */
async function portIn(profile: string): Promise<string> {
  const file = join(profile, 'DevToolsActivePort');
  for (let tries = 0; tries < 300; tries += 1) {
    const [port] = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    if (port !== undefined && port !== '') return port;
    await wait(100);
  }
  throw new Error('Chromium ended before it could be talked to.');
}

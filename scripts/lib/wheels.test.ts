import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inProject } from './project.mjs';
import { fetchWheel } from './wheels.mjs';

const PYTHON = 'python3';
const NAME = 'a_b-1.0-py3-none-any.whl';
const WHEEL = { requirement: 'a.b==1.0', platforms: ['any'], python: '311' };
const QUIET = { quiet: true };
const SIZE = 300_000;
const HALF = SIZE / 2;

const pip = spawnSync(PYTHON, ['-m', 'pip', '--version']).status === 0;

/** What the server does with a request for the wheel: sends what was asked for, that up to the middle, all whatever was asked for, nothing. */
type Manner = 'well' | 'half' | 'ignores ranges' | 'nothing';

let folder: string;
let wheel: Buffer;
let sha256: string;
let hasChecksum: boolean;
let server: Server;
/** One request after the other; the last one is kept to. */
let manners: Manner[];
/** Ranges asked for. */
let asked: (string | undefined)[];
let before: NodeJS.ProcessEnv;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gradscope-wheel-'));
  wheel = makeWheel();
  sha256 = createHash('sha256').update(wheel).digest('hex');
  hasChecksum = true;
  manners = ['well'];
  asked = [];
  server = createServer((request, response) => {
    if (request.headers.authorization !== `Basic ${btoa('me:secret')}`) response.writeHead(401).end();
    else if (request.url === '/simple/a-b/') response.setHeader('Content-Type', 'text/html').end(index());
    else if (request.url === `/files/${NAME}`) sendWheel(request.headers.range, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  before = { ...process.env };
  for (const name of Object.keys(process.env))
    if (/^PIP_|_proxy$/i.test(name)) Reflect.deleteProperty(process.env, name);
  const { port } = server.address() as AddressInfo;
  process.env['PIP_CONFIG_FILE'] = devNull;
  process.env['PIP_INDEX_URL'] = `http://me:secret@127.0.0.1:${port}/simple`;
});
afterEach(async () => {
  process.env = before;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const index = (): string =>
  `<!DOCTYPE html><html><body><a href="/files/${NAME}${hasChecksum ? `#sha256=${sha256}` : ''}">${NAME}</a></body></html>`;

function makeWheel(): Buffer {
  const script = `
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.writestr('a_b-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: a.b\\nVersion: 1.0\\n')
    wheel.writestr('a_b-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('a_b/library', os.urandom(${SIZE}))
`;
  const file = join(folder, 'made.whl');
  execFileSync(PYTHON, ['-c', script, file]);
  return readFileSync(file);
}

function sendWheel(range: string | undefined, response: ServerResponse): void {
  asked.push(range);
  const [manner] = manners;
  if (manners.length > 1) manners.shift();
  const start = manner === 'ignores ranges' ? 0 : Number(/^bytes=(\d+)-$/.exec(range ?? 'bytes=0-')?.[1]);
  const total = wheel.length;
  if (manner === 'nothing') {
    response.destroy();
  } else if (start >= total) {
    response.writeHead(416, { 'Content-Range': `bytes */${String(total)}` }).end();
  } else {
    response.setHeader('Content-Length', total - start);
    if (start > 0)
      response.setHeader('Content-Range', `bytes ${String(start)}-${String(total - 1)}/${String(total)}`);
    response.writeHead(start === 0 ? 200 : 206);
    if (manner === 'half') response.write(wheel.subarray(start, HALF), () => response.destroy());
    else response.end(wheel.subarray(start));
  }
}

const to = (): string => join(folder, 'download');
const part = (): string => join(`${to()}.part`, `${NAME}.part`);
const fetchIt = (python = PYTHON): Promise<string> => fetchWheel(python, WHEEL, to(), QUIET);

/** A download that ended in the middle. Returns how much of it is there. */
async function breakOff(): Promise<number> {
  manners = ['half', 'nothing'];
  await expect(fetchIt()).rejects.toThrow(
    /^a\.b==1\.0 could not be fetched: the download broke off after 0\.\d MB and goes on there/,
  );
  expect(existsSync(to())).toBe(false);
  const there = readFileSync(part());
  expect(there).toEqual(wheel.subarray(0, there.length));
  asked = [];
  manners = ['well'];
  return there.length;
}

// Where Python or pip is missing nothing is fetched at all: npm run engine says so, and so does a test of it.
describe.skipIf(!pip)('a wheel that is fetched (skipped where python3 has no pip)', () => {
  // Catches: hundreds of megabytes that are fetched again after each lost connection, or a file with a seam in it.
  test('goes on where the last call was broken off, and asks for nothing but the rest', async () => {
    const there = await breakOff();
    expect(there).toBe(HALF);
    const file = await fetchIt();
    expect(asked).toEqual([`bytes=${there}-`]);
    expect(readFileSync(file)).toEqual(wheel);
    expect(readdirSync(to())).toEqual([NAME]);
    expect(existsSync(`${to()}.part`)).toBe(false);
  });

  test('goes on at once when a connection is lost and the next one stands', async () => {
    manners = ['half', 'well'];
    expect(readFileSync(await fetchIt())).toEqual(wheel);
    expect(asked).toEqual([undefined, `bytes=${HALF}-`]);
  });

  // Catches: hundreds of megabytes fetched again, as the last call was killed after the last byte; another wheel taken for this one.
  test.each([
    ['before it got its name', '.part'],
    ['before its folder got its name', ''],
  ])('that had come whole %s is fetched no more', async (_, ending) => {
    mkdirSync(`${to()}.part`);
    const there = join(`${to()}.part`, `${NAME}${ending}`);
    writeFileSync(there, wheel);
    expect(readFileSync(await fetchIt())).toEqual(wheel);
    expect(asked).toEqual([]);
    rmSync(to(), { recursive: true });
    mkdirSync(`${to()}.part`);
    writeFileSync(there, 'another wheel');
    manners = ['ignores ranges'];
    expect(readFileSync(await fetchIt())).toEqual(wheel);
    expect(asked).toHaveLength(1);
  });

  // Catches: bytes of two files joined where nothing tells that they do not fit.
  test('begins from the start where the index has no checksum', async () => {
    hasChecksum = false;
    mkdirSync(`${to()}.part`);
    writeFileSync(part(), 'the beginning of another wheel');
    manners = ['half', 'nothing'];
    await expect(fetchIt()).rejects.toThrow(/: the download broke off after 0\.\d MB \(/);
    expect(asked[0]).toBeUndefined();
    asked = [];
    manners = ['well'];
    expect(readFileSync(await fetchIt())).toEqual(wheel);
    expect(asked).toEqual([undefined]);
  });

  // Catches: a rest appended to more than there is.
  test('of which more is there than it has is thrown away, and then fetched whole', async () => {
    mkdirSync(`${to()}.part`);
    writeFileSync(part(), Buffer.concat([wheel, wheel]));
    await expect(fetchIt()).rejects.toThrow('another file under this name than before');
    expect(readFileSync(await fetchIt())).toEqual(wheel);
    expect(asked).toEqual([`bytes=${String(2 * wheel.length)}-`, undefined]);
  });

  // Catches: two files under one name joined into one that is taken for a wheel.
  test('whose rest is another than it should be is refused and thrown away, and then fetched whole', async () => {
    await breakOff();
    const right = wheel;
    wheel = Buffer.from(wheel);
    wheel[SIZE - 1] = 255 - (wheel[SIZE - 1] ?? 0);
    await expect(fetchIt()).rejects.toThrow(`${NAME} should have the sha256 ${sha256}, but has `);
    expect(readdirSync(`${to()}.part`)).toEqual([]);
    wheel = right;
    expect(readFileSync(await fetchIt())).toEqual(wheel);
    expect(asked).toEqual([`bytes=${HALF}-`, undefined]);
  });

  test('comes whole from a server that sends no parts', async () => {
    await breakOff();
    manners = ['ignores ranges'];
    expect(readFileSync(await fetchIt())).toEqual(wheel);
    expect(asked).toEqual([`bytes=${HALF}-`]);
  });

  // Catches: one pip's insides taken for every pip's.
  test('is fetched by pip itself where that cannot be asked for its address', async () => {
    const shy = join(folder, 'shy-python');
    writeFileSync(shy, `#!/bin/sh\ncase "$1" in *fetch_wheel.py) exit 3;; esac\nexec ${PYTHON} "$@"\n`);
    chmodSync(shy, 0o755);
    expect(readFileSync(await fetchIt(shy))).toEqual(wheel);
    expect(asked).toEqual([undefined]);
  });

  // Catches: a folder without a wheel that is taken for a download by every later call.
  test('that is none is refused, and fetched the next time', async () => {
    const idle = join(folder, 'idle-python');
    writeFileSync(idle, '#!/bin/sh\n');
    chmodSync(idle, 0o755);
    await expect(fetchIt(idle)).rejects.toThrow('pip fetched a.b==1.0, but as no wheel.');
    expect(readFileSync(await fetchIt())).toEqual(wheel);
  });

  test('is taken from a folder of files too, and held to the constraints of this machine', async () => {
    const files = join(folder, 'files');
    mkdirSync(files);
    writeFileSync(join(files, NAME), wheel);
    writeFileSync(join(files, 'a_b-2.0-py3-none-any.whl'), 'newer');
    writeFileSync(join(folder, 'constraints.txt'), 'A-B<2\n');
    process.env['PIP_NO_INDEX'] = '1';
    process.env['PIP_FIND_LINKS'] = files;
    process.env['PIP_CONSTRAINT'] = join(folder, 'constraints.txt');
    expect(readFileSync(await fetchWheel(PYTHON, { ...WHEEL, requirement: 'a.b>=1' }, to(), QUIET))).toEqual(
      wheel,
    );
    expect(asked).toEqual([]);
  });

  test('that is nowhere is refused in one sentence', async () => {
    const missing = fetchWheel(PYTHON, { ...WHEEL, requirement: 'a.b==3' }, to(), QUIET);
    await expect(missing).rejects.toThrow('no a.b==3 was found where');
  });

  // Catches: an insides-of-pip call that fails and is taken for an answer.
  test('says with an exit code of its own that this pip cannot be asked', () => {
    const script = inProject('scripts/lib/fetch_wheel.py');
    const ended = spawnSync(PYTHON, [script, folder, WHEEL.requirement, '--no-such-option'], {
      encoding: 'utf8',
    });
    expect(ended.status).toBe(3);
  });
});

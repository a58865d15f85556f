import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PARENT_VARIABLE } from '../parent';
import { build, loadConfigFromFile, type InlineConfig, type Rolldown } from 'vite';

const inProject = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export interface BuiltPrograms {
  /** Path of a program's entry. */
  readonly script: (program: string) => string;
  /** Where the shells look for the built page: empty, as building it is no part of this. */
  readonly pageFolder: string;
  readonly chunks: readonly Rolldown.OutputChunk[];
  remove(): void;
}

/**
 * Builds the programs of the main build as the product does, into a folder of their own inside out/, so that they find
 * node_modules and no other build is disturbed.
 */
export async function buildPrograms(): Promise<BuiltPrograms> {
  const folder = inProject(`out/test-programs-${String(process.pid)}`);
  const pageFolder = join(folder, 'renderer');
  const loaded = await loadConfigFromFile(
    { command: 'build', mode: 'production' },
    inProject('electron.vite.config.ts'),
  );
  const { main } = loaded?.config as { readonly main?: InlineConfig };
  if (main === undefined) throw new Error('electron.vite.config.ts has no main section.');
  const output = (await build({
    ...main,
    root: inProject('.'),
    configFile: false,
    logLevel: 'warn',
    build: { ...main.build, ssr: true, outDir: join(folder, 'main'), emptyOutDir: true },
  })) as Rolldown.RolldownOutput;
  mkdirSync(pageFolder, { recursive: true });
  return {
    script: (program) => join(folder, 'main', `${program}.js`),
    pageFolder,
    chunks: output.output.filter((part) => part.type === 'chunk'),
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcess;
  /** The first line of stdout that matches; rejects when the program ends without one. */
  line(wanted: RegExp): Promise<string>;
  /**
   * Resolves when the program and everything that it started have ended: whatever still runs holds stderr open, and this
   * waits for that as well.
   */
  readonly ended: Promise<Ended>;
}

/** Runs a built program with Node. */
export function runProgram(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, [PARENT_VARIABLE]: String(process.pid), ...env },
  });
  const said = { stdout: '', stderr: '' };
  let look: () => void = () => undefined;
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text;
      look();
    });
  }
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => {
      resolve({ code, signal, ...said });
    });
  });
  return {
    process: child,
    ended,
    line: (wanted) =>
      new Promise((resolve, reject) => {
        look = () => {
          const lines = said.stdout.split('\n').slice(0, -1);
          const found = lines.find((line) => wanted.test(line));
          if (found !== undefined) resolve(found);
        };
        look();
        void ended.then(({ code, stderr }) => {
          reject(new Error(`The program ended with ${String(code)} and never said it: ${stderr}`));
        });
      }),
  };
}

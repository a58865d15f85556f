import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inProject, ROOT } from '../scripts/lib/project.mjs';
import { smallMnist, type SmallMnist } from '../src-worker/testing/small-mnist';
import { Family, type Member } from './family';

/** "For ever": a bound that only what never comes exceeds, on a machine that is busy with other things as well, ms. */
export const FOREVER_MS = 180_000;

const READY = /^Gradscope is ready at (\S+)$/m;
/** Ways in which a person starts the browser shell. */
export const WAYS = ['node out/main/browser.js', 'node scripts/start.mjs', 'npm start'] as const;
export type Way = (typeof WAYS)[number];

/** What each process of a started shell is known by. */
export const ROLES = {
  npm: /^(?:npm start|.*npm-cli\.js start)/,
  "npm's shell": /^\S*sh -c node scripts\/start\.mjs/,
  script: /^\S*node \S*scripts\/start\.mjs/,
  shell: /out\/main\/browser\.js/,
  trainer: /out\/main\/worker\.js/,
} as const;
export type Role = keyof typeof ROLES;

export const rolesOf = (way: Way): Role[] => {
  if (way === 'npm start') return ['npm', "npm's shell", 'script', 'shell', 'trainer'];
  return way === 'node scripts/start.mjs' ? ['script', 'shell', 'trainer'] : ['shell', 'trainer'];
};

/** Who has the role. Where npm's shell gave its place to the script, as bash does, the script has both. */
export const memberOf = (family: Family, role: Role): Member | undefined =>
  family.find(ROLES[role]) ?? (role === "npm's shell" ? family.find(ROLES.script) : undefined);

/** Folders and data of the lives of a campaign; everything in them is its own. */
export class Ground {
  private readonly mnist: SmallMnist = smallMnist(64, 10);
  private readonly folder = mkdtempSync(join(tmpdir(), 'gradscope-campaign-'));
  private readonly temporary = join(this.folder, 'tmp');

  constructor() {
    mkdirSync(this.temporary);
  }

  /** Starts a browser shell in one of the ways. */
  startShell(way: Way): Family {
    const options = ['--no-open', '--port', '0'];
    if (way === 'npm start') return this.start('npm', ['start', '--', '--browser', ...options]);
    if (way === 'node scripts/start.mjs') {
      return this.start(process.execPath, [inProject('scripts/start.mjs'), '--browser', ...options]);
    }
    return this.start(process.execPath, [inProject('out/main/browser.js'), ...options]);
  }

  /** What was left in the folder for temporary files, and of files that were half written. */
  leftovers(): string[] {
    const all = readdirSync(this.folder, { recursive: true, encoding: 'utf8' });
    // Node keeps compiled code here where it is told to.
    return all.filter((name) => name.startsWith('tmp/') || /\.(?:tmp|part)|~$/.test(name));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
    this.mnist.remove();
  }

  private start(command: string, args: readonly string[]): Family {
    const env = {
      GRADSCOPE_DATA: this.mnist.folder,
      GRADSCOPE_CACHE: join(this.folder, 'cache'),
      TMPDIR: this.temporary,
      // For the shell that is started directly: a campaign that is broken off leaves nobody behind either.
      GRADSCOPE_PARENT: String(process.pid),
    };
    return new Family(command, args, env, ROOT);
  }
}

/** The address that the shell prints; undefined when it has ended, or never comes. */
export const addressOf = (family: Family): Promise<string | undefined> => family.said(READY, FOREVER_MS);

/** What no end may leave in the words of a program: a stack trace. */
export const stackTrace = (family: Family): string | undefined =>
  /^\s+at .*$/m.exec(family.stderr)?.[0].trim();

export const names = (members: readonly { pid: number; command: string }[]): string =>
  members.map(({ pid, command }) => `${String(pid)} (${command.slice(0, 80)})`).join(', ');

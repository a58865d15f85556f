import { describe, expect, it, vi } from 'vitest';
import { MENU_COMMANDS, type MenuCommand } from '../../src-shared/protocol/shell';
import { PageFiles } from '../page/page-files';
import { PARENT_VARIABLE, type ParentOf } from '../parent';
import { REQUEST_PORT } from './channels';
import { startDesktop } from './desktop';
import { PAGE_ADDRESS } from './page-protocol';
import { forkUtilityTrainer } from './utility-trainer';
import { FakeContents, FakeDownload, fakeEvent, FakeElectron } from './testing/fake-electron';

const page = new PageFiles(
  new Map([['/index.html', { type: 'text/html', bytes: new TextEncoder().encode('<!doctype html>') }]]),
);

async function start(
  electron = new FakeElectron(),
  readPage = () => Promise.resolve(page),
  self: ParentOf = { ppid: 1, env: {}, kill: () => true },
): Promise<{ electron: FakeElectron }> {
  const started = startDesktop({
    electron: electron.like,
    worker: '/built/worker.js',
    preload: '/built/preload.cjs',
    readPage,
    platform: 'linux',
    process: self,
    killHard: () => undefined,
  });
  electron.app.becomeReady();
  await started;
  return { electron };
}

const only = <T>(list: readonly T[]): T => {
  expect(list).toHaveLength(1);
  return list[0]!;
};

describe('the window', () => {
  // Catches: a security setting left out or turned round; the page would reach Node or the disk.
  it('is sandboxed, isolated, without Node, and shows the page under its own scheme', async () => {
    const { electron } = await start();
    const window = only(electron.windows);
    expect(window.options.webPreferences).toMatchObject({
      preload: '/built/preload.cjs',
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
    });
    expect(window.options).toMatchObject({ width: 1440, height: 900 });
    expect(window.loaded).toEqual([PAGE_ADDRESS]);
    window.emit('ready-to-show');
    expect(window.acts).toEqual(['show']);
  });

  // Catches: a scheme without an origin (no storage, no modules), or calls that Electron hears only before it is ready.
  it('registers its scheme and the sandbox before Electron is ready', async () => {
    const { electron } = await start();
    expect(electron.log.slice(0, 3)).toEqual(['registerSchemesAsPrivileged', 'enableSandbox', 'ready']);
    const { scheme, privileges } = only(electron.schemes);
    expect(scheme).toBe('gradscope');
    expect(privileges).toMatchObject({ standard: true, secure: true });
    expect(privileges.bypassCSP).not.toBe(true);
  });

  // Catches: a page without a content policy, and files outside of it served.
  it('serves the page and nothing else, under a content policy', async () => {
    const { electron } = await start();
    const handle = (request: Request): Response => only([...electron.handlers.values()])(request);
    const answer = handle(new Request(PAGE_ADDRESS));
    expect(answer.status).toBe(200);
    const policy = answer.headers.get('Content-Security-Policy') ?? '';
    expect(await answer.text()).toBe('<!doctype html>');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self';");
    expect(policy).toContain("require-trusted-types-for 'script'; trusted-types 'none'");
    for (const url of [
      'gradscope://app/../package.json',
      'gradscope://app/etc/passwd',
      'gradscope://other/',
    ]) {
      expect(handle(new Request(url)).status).toBe(404);
    }
    const refused = handle(new Request(PAGE_ADDRESS, { method: 'POST' }));
    expect(refused.status).toBe(405);
    expect(refused.headers.get('Content-Security-Policy')).toContain("default-src 'none'");
  });

  // Catches: two trainers and two windows from two clicks on the icon.
  it('leaves it to the first instance, which comes to the front', async () => {
    const second = new FakeElectron();
    second.app.isFirst = false;
    await start(second);
    expect(second.windows).toHaveLength(0);
    expect(second.children).toHaveLength(0);
    expect(second.log).toContain('quit');

    const { electron } = await start();
    const window = only(electron.windows);
    window.minimized = true;
    electron.app.emit('second-instance');
    expect(window.acts).toEqual(['restore', 'focus']);
  });

  // Catches: a start that fails and shows nothing at all.
  it('says why it cannot start', async () => {
    const { electron } = await start(new FakeElectron(), () =>
      Promise.reject(new Error('The page has not been built.')),
    );
    expect(only(electron.errors).content).toBe('The page has not been built.');
    expect(electron.app.exitCode).toBe(1);
  });
});

describe('what the page may not do', () => {
  // Catches: a link or script that leads the window, a frame or a new window to another page.
  it('goes nowhere else and opens nothing', async () => {
    const { electron } = await start();
    const contents = new FakeContents();
    electron.app.emit('web-contents-created', fakeEvent(), contents);
    expect(contents.openHandler?.()).toEqual({ action: 'deny' });
    for (const event of ['will-navigate', 'will-frame-navigate', 'will-redirect']) {
      for (const url of [
        'https://evil.example/',
        'gradscope://evil/',
        'gradscope://app.evil.example/',
        'file:///etc/passwd',
        '',
      ]) {
        const details = { ...fakeEvent(), url };
        const prevented = vi.spyOn(details, 'preventDefault');
        contents.emit(event, details);
        expect([event, url, prevented.mock.calls.length]).toEqual([event, url, 1]);
      }
      const home = { ...fakeEvent(), url: PAGE_ADDRESS };
      const prevented = vi.spyOn(home, 'preventDefault');
      contents.emit(event, home);
      expect(prevented).not.toHaveBeenCalled();
    }
    const webview = fakeEvent();
    contents.emit('will-attach-webview', webview);
    expect(webview.prevented).toBe(true);
  });

  // Catches: Electron's default, which grants every permission that a page asks for.
  it('is granted no permission', async () => {
    const { session } = (await start()).electron;
    const granted: boolean[] = [];
    session.request?.(null, 'notifications', (answer) => granted.push(answer));
    expect(granted).toEqual([false]);
    expect(session.check?.()).toBe(false);
    expect(session.device?.()).toBe(false);
  });

  // Catches: a download started by anything but the page, or weights saved without asking where.
  it('saves only what it made itself, where the person says', async () => {
    const { session } = (await start()).electron;
    const [own, foreign] = [
      new FakeDownload('blob:gradscope://app/0b1c'),
      new FakeDownload('https://evil.example/x.safetensors'),
    ];
    const [ownEvent, foreignEvent] = [fakeEvent(), fakeEvent()];
    session.emit('will-download', ownEvent, own);
    session.emit('will-download', foreignEvent, foreign);
    expect([ownEvent.prevented, foreignEvent.prevented]).toEqual([false, true]);
    expect(own.options).toMatchObject({ defaultPath: 'weights.safetensors' });
  });
});

describe('the trainer', () => {
  // Catches: a port handed to one side only, twice, or to a second trainer.
  it('is joined to the page by one channel for each request', async () => {
    const { electron } = await start();
    const child = only(electron.children);
    expect(child.script).toBe('/built/worker.js');
    expect(child.args).toEqual([JSON.stringify({ config: null, dataFolder: null })]);
    const window = only(electron.windows);
    electron.fromPage(REQUEST_PORT);
    const [first] = electron.ports;
    expect(child.attached).toEqual([first?.[0]]);
    expect(window.sent).toEqual([['gradscope:port', null, first?.[1]]]);
    electron.fromPage(REQUEST_PORT);
    expect(child.attached).toHaveLength(2);
    expect(window.sent).toHaveLength(2);
    expect(electron.children).toHaveLength(1);
  });

  // Catches: a frame or a foreign page that gets hold of a port to the trainer.
  it('is given to the page itself and to nobody else', async () => {
    const { electron } = await start();
    electron.fromPage(REQUEST_PORT, { sender: {} });
    electron.fromPage(REQUEST_PORT, { senderFrame: null });
    electron.fromPage(REQUEST_PORT, { senderFrame: { url: 'https://evil.example/', parent: null } });
    electron.fromPage(REQUEST_PORT, { senderFrame: { url: PAGE_ADDRESS, parent: {} } });
    expect(electron.ports).toHaveLength(0);
  });

  // Catches: a page that goes on waiting for a dead trainer; a respawn in secret; a Restart that finds none.
  it('is reported dead once, and replaced when the page asks again', async () => {
    const { electron } = await start();
    const window = only(electron.windows);
    electron.fromPage(REQUEST_PORT);
    electron.fromPage(REQUEST_PORT);
    window.sent.length = 0;
    electron.children[0]?.end(134);
    await vi.waitFor(() => {
      expect(window.sent).toEqual([
        [
          'gradscope:trainer-gone',
          { code: 'worker-died', message: 'The trainer process ended with exit code 134.' },
        ],
      ]);
    });
    expect(electron.children).toHaveLength(1);
    electron.fromPage(REQUEST_PORT);
    expect(electron.children).toHaveLength(2);
    expect(electron.children[1]?.attached).toHaveLength(1);
  });

  // Catches: a trainer that hangs and outlives the app, as Electron's own kill() is only ever SIGTERM.
  it('can be killed hard', () => {
    const electron = new FakeElectron();
    const killed: number[] = [];
    const trainer = forkUtilityTrainer(electron.like, '/built/worker.js', (pid) => killed.push(pid));
    trainer.kill('SIGTERM');
    trainer.kill('SIGKILL');
    expect(only(electron.children).killed).toEqual(['SIGTERM']);
    expect(killed).toEqual([4242]);
  });

  // Catches: a trainer left behind, or an app that never goes, or messages sent to a window that is gone.
  it('is ended before Electron goes', async () => {
    const { electron } = await start();
    const window = only(electron.windows);
    const child = only(electron.children);
    window.emit('closed');
    electron.app.emit('window-all-closed');
    expect(child.killed).toEqual(['SIGTERM']);
    expect(electron.log).not.toContain('gone');
    child.end(0);
    await vi.waitFor(() => {
      expect(electron.log.at(-1)).toBe('gone');
    });
    expect(window.sent).toEqual([]);
  });
});

describe('the parent', () => {
  // Catches: an app, and its trainer, left running when npm or the script that opened it was killed.
  it.each([
    ['another process has taken the app over', (self: { ppid: number }) => (self.ppid = 1)],
    [
      'the parent is not there any more',
      (self: ParentOf & { gone: boolean }) => {
        self.gone = true;
      },
    ],
  ])('ends the app and its trainer when it goes: %s', async (_, go) => {
    const self = {
      ppid: 77,
      gone: false,
      env: { [PARENT_VARIABLE]: '77' },
      kill: (pid: number) => {
        if (pid === 77 && self.gone) throw Object.assign(new Error('kill ESRCH'), { code: 'ESRCH' });
      },
    };
    const { electron } = await start(new FakeElectron(), undefined, self);
    expect(self.env).toEqual({});
    expect(electron.log).not.toContain('quit');
    go(self);
    await vi.waitFor(
      () => {
        expect(only(electron.children).killed).toEqual(['SIGTERM']);
      },
      { timeout: 10_000 },
    );
    only(electron.children).end(0);
    await vi.waitFor(() => {
      expect(electron.log.at(-1)).toBe('gone');
    });
  });

  // Catches: a trainer that cannot know that the app was killed, as it is no child of it and its port says nothing.
  it('of the trainer is named to it', async () => {
    const { electron } = await start();
    expect(only(electron.children).env).toMatchObject({ [PARENT_VARIABLE]: String(process.pid) });
  });
});

describe('the menu', () => {
  const clickAll = (electron: FakeElectron): string[] =>
    electron.menu.flatMap((menu) =>
      (Array.isArray(menu.submenu) ? menu.submenu : []).flatMap((item) => {
        if (item.click === undefined) return [];
        item.click({} as never, undefined, {});
        return [String(item.accelerator)];
      }),
    );

  // Catches: a command without an item, an item that does nothing, or one that opens no file dialog for want of a gesture.
  it('has an item for every command of the page, and counts it as an act of the person', async () => {
    const { electron } = await start();
    const window = only(electron.windows);
    const accelerators = clickAll(electron);
    await vi.waitFor(() => {
      expect(window.sent).toHaveLength(MENU_COMMANDS.length);
    });
    const chosen = window.sent.map(([channel, command]) => {
      expect(channel).toBe('gradscope:menu');
      return command as MenuCommand;
    });
    expect([...chosen].sort()).toEqual([...MENU_COMMANDS].sort());
    expect(window.gestures).toBe(MENU_COMMANDS.length);
    // Catches: a plain key taken from the page, where somebody may be typing, or two items on one key.
    expect(new Set(accelerators).size).toBe(accelerators.length);
    for (const accelerator of accelerators) expect(accelerator).toMatch(/^(CmdOrCtrl\+|F1$)/);
  });
});

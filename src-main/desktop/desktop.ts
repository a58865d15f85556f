import type { BrowserWindowConstructorOptions } from 'electron';
import type { MenuCommand } from '../../src-shared/protocol/shell';
import { whenParentGoes, type ParentOf } from '../parent';
import type { PageFiles } from '../page/page-files';
import { Supervisor, type Life, type Reason } from '../worker-host/supervisor';
import { REQUEST_PORT, type ToPage } from './channels';
import type { ElectronLike, IpcEventLike, WindowLike } from './electron-like';
import { guardEveryContents, guardSession } from './lock-down';
import { menuTemplate } from './menu';
import { answerPageRequest, isPageUrl, PAGE_ADDRESS, PRIVILEGES, SCHEME } from './page-protocol';
import { forkUtilityTrainer, type UtilityTrainer } from './utility-trainer';

export interface DesktopOptions {
  readonly electron: ElectronLike;
  /** Path of the built worker. */
  readonly worker: string;
  /** Path of the built preload script. */
  readonly preload: string;
  readonly readPage: () => Promise<PageFiles>;
  readonly platform: NodeJS.Platform;
  readonly process: ParentOf;
  readonly killHard: (pid: number) => void;
}

/** How long the app may take to end in its own way when whoever has started it has gone, in milliseconds. */
const ENDING_LIMIT_MS = 10_000;

export const windowOptions = (preload: string): BrowserWindowConstructorOptions => ({
  title: 'Gradscope',
  width: 1440,
  height: 900,
  minWidth: 800,
  minHeight: 560,
  show: false,
  backgroundColor: '#08090A',
  webPreferences: {
    preload,
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    webviewTag: false,
    navigateOnDragDrop: false,
    spellcheck: false,
  },
});

/**
 * Starts the desktop app; must be called before Electron is ready. Resolves when the window has been made, or at once
 * where another instance runs already and was brought to the front instead.
 */
export async function startDesktop(options: DesktopOptions): Promise<void> {
  const { electron } = options;
  const { app } = electron;
  // These two are heard only before `ready`.
  electron.protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: PRIVILEGES }]);
  app.enableSandbox();
  if (!app.requestSingleInstanceLock()) {
    app.quit();
    return;
  }
  guardEveryContents(electron);
  whenParentGoes(options.process, () => {
    setTimeout(() => {
      app.exit(1);
    }, ENDING_LIMIT_MS);
    app.quit();
  });
  await app.whenReady();
  try {
    const page = await options.readPage();
    electron.protocol.handle(SCHEME, (request) => answerPageRequest(page, request));
    guardSession(electron);
    await new Desktop(options).open();
  } catch (error) {
    electron.dialog.showErrorBox(
      'Gradscope cannot start',
      error instanceof Error ? error.message : String(error),
    );
    app.exit(1);
  }
}

/** One window, one trainer. */
class Desktop {
  private readonly options: DesktopOptions;
  private readonly supervisor: Supervisor<UtilityTrainer>;
  private readonly window: WindowLike;
  private isOpen = true;
  /** The trainer whose end the page will be told of. */
  private watched: Life<UtilityTrainer> | undefined;

  constructor(options: DesktopOptions) {
    this.options = options;
    const { electron, worker, killHard } = options;
    this.supervisor = new Supervisor({ spawn: () => forkUtilityTrainer(electron, worker, killHard) });
    this.window = new electron.BrowserWindow(windowOptions(options.preload));
  }

  async open(): Promise<void> {
    const { electron, platform } = this.options;
    const { app, Menu, ipcMain } = electron;
    this.window.once('closed', () => {
      this.isOpen = false;
    });
    this.window.once('ready-to-show', () => {
      this.window.show();
    });
    app.on('second-instance', () => {
      this.bringToFront();
    });
    app.on('window-all-closed', () => {
      app.quit();
    });
    this.endTrainerBeforeQuitting();
    ipcMain.on(REQUEST_PORT, (event) => {
      if (this.isFromPage(event)) this.givePort();
    });
    const template = menuTemplate(platform, (command) => void this.choose(command));
    Menu.setApplicationMenu(Menu.buildFromTemplate(template));
    // Before the page asks for it, so that it is there when the page does.
    this.trainer();
    await this.window.loadURL(PAGE_ADDRESS);
  }

  /** A port joins the page straight to the trainer; nothing that is trained or drawn goes through this process. */
  private givePort(): void {
    const { port1, port2 } = new this.options.electron.MessageChannelMain();
    this.trainer().process.attach(port1);
    const channel: keyof ToPage = 'gradscope:port';
    this.window.webContents.postMessage(channel, null, [port2]);
  }

  private trainer(): Life<UtilityTrainer> {
    const life = this.supervisor.live();
    if (this.watched !== life) {
      this.watched = life;
      void life.ended.then(({ code, message }: Reason) => {
        this.tell('gradscope:trainer-gone', { code, message });
      });
    }
    return life;
  }

  private async choose(command: MenuCommand): Promise<void> {
    if (!this.isOpen) return;
    // To choose a menu item is to act, but what comes by IPC does not count as an act of the person, and a page may open
    // a file dialog only after one.
    await this.window.webContents.executeJavaScript('undefined', true).catch(() => undefined);
    this.tell('gradscope:menu', command);
  }

  private tell<C extends keyof ToPage>(channel: C, message: ToPage[C]): void {
    if (this.isOpen) this.window.webContents.send(channel, message);
  }

  private isFromPage({ sender, senderFrame }: IpcEventLike): boolean {
    return (
      this.isOpen &&
      sender === this.window.webContents &&
      senderFrame !== null &&
      senderFrame.parent === null &&
      isPageUrl(senderFrame.url)
    );
  }

  private bringToFront(): void {
    if (!this.isOpen) return;
    if (this.window.isMinimized()) this.window.restore();
    this.window.focus();
  }

  private endTrainerBeforeQuitting(): void {
    const { app } = this.options.electron;
    let ended = false;
    app.on('will-quit', (event) => {
      if (ended) return;
      event.preventDefault();
      void this.supervisor.stop().then(() => {
        ended = true;
        app.quit();
      });
    });
  }
}

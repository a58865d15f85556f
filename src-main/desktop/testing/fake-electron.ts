import { EventEmitter } from 'node:events';
import type {
  BrowserWindowConstructorOptions,
  ForkOptions,
  MenuItemConstructorOptions,
  Privileges,
} from 'electron';
import type {
  DownloadLike,
  ElectronLike,
  EventLike,
  GuardedContents,
  IpcEventLike,
  MenuLike,
  PortLike,
  SessionLike,
} from '../electron-like';
import { PAGE_ADDRESS } from '../page-protocol';

/** A stand-in for the few calls of Electron that the shell makes: records them, and emits what a test tells it to. */
export class FakeElectron {
  readonly log: string[] = [];
  readonly app = new FakeApp(this.log);
  readonly session = new FakeSession();
  readonly ipcMain = new EventEmitter();
  readonly children: FakeChild[] = [];
  readonly windows: FakeWindow[] = [];
  readonly errors: { title: string; content: string }[] = [];
  schemes: { scheme: string; privileges: Privileges }[] = [];
  handlers = new Map<string, (request: Request) => Response>();
  menu: MenuItemConstructorOptions[] = [];
  ports: [PortLike, PortLike][] = [];

  /** As the shell is given it. */
  readonly like: ElectronLike;

  constructor() {
    const { log, windows, children, ports } = this;
    this.like = {
      app: this.app,
      session: { defaultSession: this.session },
      ipcMain: this.ipcMain,
      protocol: {
        registerSchemesAsPrivileged: (schemes) => {
          log.push('registerSchemesAsPrivileged');
          this.schemes = schemes;
        },
        handle: (scheme, handler) => {
          this.handlers.set(scheme, handler);
        },
      },
      utilityProcess: {
        fork: (script, args, options) => {
          const child = new FakeChild(script, args, options);
          children.push(child);
          return child;
        },
      },
      dialog: { showErrorBox: (title, content) => void this.errors.push({ title, content }) },
      Menu: {
        buildFromTemplate: (template) => template as unknown as MenuLike,
        setApplicationMenu: (menu) => {
          this.menu = menu as unknown as MenuItemConstructorOptions[];
        },
      },
      BrowserWindow: class extends FakeWindow {
        constructor(options: BrowserWindowConstructorOptions) {
          super(options);
          windows.push(this);
        }
      },
      MessageChannelMain: class {
        readonly port1 = { name: `port1 of ${String(ports.length)}` } as unknown as PortLike;
        readonly port2 = { name: `port2 of ${String(ports.length)}` } as unknown as PortLike;

        constructor() {
          ports.push([this.port1, this.port2]);
        }
      },
    };
  }

  /** A message from the page (or, with other arguments, from somebody else) on an IPC channel. */
  fromPage(channel: string, from: Partial<IpcEventLike> = {}): void {
    const event: IpcEventLike = {
      sender: this.windows[0]?.webContents,
      senderFrame: { url: PAGE_ADDRESS, parent: null },
      ...from,
    };
    this.ipcMain.emit(channel, event);
  }
}

class FakeApp extends EventEmitter {
  isFirst = true;
  exitCode: number | undefined;
  private readonly log: string[];
  private tellReady: () => void = () => undefined;
  private readonly ready: Promise<void>;

  constructor(log: string[]) {
    super();
    this.log = log;
    this.ready = new Promise((resolve) => {
      this.tellReady = resolve;
    });
  }

  becomeReady(): void {
    this.log.push('ready');
    this.tellReady();
  }

  whenReady(): Promise<void> {
    return this.ready;
  }

  requestSingleInstanceLock(): boolean {
    return this.isFirst;
  }

  enableSandbox(): void {
    this.log.push('enableSandbox');
  }

  exit(code = 0): void {
    this.exitCode = code;
  }

  /** As Electron does it: whoever hears will-quit may put it off. */
  quit(): void {
    this.log.push('quit');
    const event = fakeEvent();
    this.emit('will-quit', event);
    if (!event.prevented) this.log.push('gone');
  }
}

class FakeSession extends EventEmitter implements SessionLike {
  request: Parameters<SessionLike['setPermissionRequestHandler']>[0] | undefined;
  check: (() => boolean) | undefined;
  device: (() => boolean) | undefined;

  setPermissionRequestHandler(handler: Parameters<SessionLike['setPermissionRequestHandler']>[0]): void {
    this.request = handler;
  }

  setPermissionCheckHandler(handler: () => boolean): void {
    this.check = handler;
  }

  setDevicePermissionHandler(handler: () => boolean): void {
    this.device = handler;
  }
}

export class FakeChild extends EventEmitter {
  pid: number | undefined = 4242;
  readonly attached: PortLike[] = [];
  readonly killed: string[] = [];
  readonly script: string;
  readonly args: string[];
  readonly env: ForkOptions['env'];

  constructor(script: string, args: string[], { env }: ForkOptions) {
    super();
    this.script = script;
    this.args = args;
    this.env = env;
  }

  postMessage(message: unknown, transfer: PortLike[]): void {
    if (JSON.stringify(message) !== '{"type":"attach"}') throw new Error('The trainer knows attach alone.');
    this.attached.push(...transfer);
  }

  kill(): boolean {
    this.killed.push('SIGTERM');
    return true;
  }

  end(code: number): void {
    this.pid = undefined;
    this.emit('exit', code);
  }
}

class FakeWindow extends EventEmitter {
  readonly options: BrowserWindowConstructorOptions;
  readonly acts: string[] = [];
  readonly loaded: string[] = [];
  minimized = false;
  /** channel and message of all that was sent to the page, a transferred port in the third place. */
  readonly sent: [string, unknown, ...PortLike[]][] = [];
  gestures = 0;
  readonly webContents = {
    send: (channel: string, message: unknown): void => void this.sent.push([channel, message]),
    postMessage: (channel: string, message: unknown, transfer: PortLike[]): void =>
      void this.sent.push([channel, message, ...transfer]),
    executeJavaScript: (_code: string, userGesture: boolean): Promise<unknown> => {
      if (userGesture) this.gestures += 1;
      return Promise.resolve();
    },
  };

  constructor(options: BrowserWindowConstructorOptions) {
    super();
    this.options = options;
  }

  loadURL(url: string): Promise<void> {
    this.loaded.push(url);
    return Promise.resolve();
  }

  show(): void {
    this.acts.push('show');
  }

  focus(): void {
    this.acts.push('focus');
  }

  isMinimized(): boolean {
    return this.minimized;
  }

  restore(): void {
    this.acts.push('restore');
  }
}

export class FakeContents extends EventEmitter implements GuardedContents {
  openHandler: (() => { action: 'deny' }) | undefined;

  setWindowOpenHandler(handler: () => { action: 'deny' }): void {
    this.openHandler = handler;
  }
}

export class FakeDownload implements DownloadLike {
  options: unknown;
  private readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  getURL(): string {
    return this.url;
  }

  getFilename(): string {
    return 'weights.safetensors';
  }

  setSaveDialogOptions(options: unknown): void {
    this.options = options;
  }
}

export const fakeEvent = (): EventLike & { prevented: boolean } => {
  const event = {
    prevented: false,
    preventDefault: () => {
      event.prevented = true;
    },
  };
  return event;
};

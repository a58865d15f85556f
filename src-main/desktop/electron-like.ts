import type {
  App,
  BrowserWindowConstructorOptions,
  ForkOptions,
  MenuItemConstructorOptions,
  Privileges,
  SaveDialogOptions,
} from 'electron';

/**
 * The part of Electron that this shell uses, as narrow as it uses it. index.ts hands in the real one, which the compiler
 * holds to this; the tests hand in a fake, as Electron's binary is not to be had everywhere.
 */
export interface ElectronLike {
  readonly app: Pick<App, 'requestSingleInstanceLock' | 'enableSandbox' | 'whenReady' | 'quit' | 'exit'> &
    AppEvents;
  readonly protocol: {
    registerSchemesAsPrivileged(schemes: { scheme: string; privileges: Privileges }[]): void;
    handle(scheme: string, handler: (request: Request) => Response): void;
  };
  readonly session: { readonly defaultSession: SessionLike };
  readonly ipcMain: { on(channel: string, listener: (event: IpcEventLike) => void): unknown };
  readonly utilityProcess: {
    fork(script: string, args: string[], options: ForkOptions): UtilityProcessLike;
  };
  readonly dialog: { showErrorBox(title: string, content: string): void };
  readonly Menu: {
    buildFromTemplate(template: MenuItemConstructorOptions[]): MenuLike;
    setApplicationMenu(menu: MenuLike): void;
  };
  readonly BrowserWindow: new (options: BrowserWindowConstructorOptions) => WindowLike;
  readonly MessageChannelMain: new () => { readonly port1: PortLike; readonly port2: PortLike };
}

export interface EventLike {
  preventDefault(): void;
}

interface AppEvents {
  on(event: 'second-instance' | 'window-all-closed', listener: () => void): unknown;
  on(event: 'will-quit', listener: (event: EventLike) => void): unknown;
  on(event: 'web-contents-created', listener: (event: EventLike, contents: GuardedContents) => void): unknown;
}

/** What is locked down of every web contents there is, whoever made it. */
export interface GuardedContents {
  setWindowOpenHandler(handler: () => { action: 'deny' }): void;
  on(
    event: 'will-navigate' | 'will-frame-navigate' | 'will-redirect',
    listener: (details: EventLike & { readonly url: string }) => void,
  ): unknown;
  on(event: 'will-attach-webview', listener: (event: EventLike) => void): unknown;
}

export interface ContentsLike {
  send(channel: string, message: unknown): void;
  postMessage(channel: string, message: unknown, transfer: PortLike[]): void;
  executeJavaScript(code: string, userGesture: boolean): Promise<unknown>;
}

export interface WindowLike {
  readonly webContents: ContentsLike;
  loadURL(url: string): Promise<void>;
  once(event: 'ready-to-show' | 'closed', listener: () => void): unknown;
  show(): void;
  focus(): void;
  isMinimized(): boolean;
  restore(): void;
}

export interface IpcEventLike {
  readonly sender: unknown;
  readonly senderFrame: { readonly url: string; readonly parent: unknown } | null;
}

export interface SessionLike {
  setPermissionRequestHandler(
    handler: (contents: unknown, permission: string, callback: (granted: boolean) => void) => void,
  ): void;
  setPermissionCheckHandler(handler: () => boolean): void;
  setDevicePermissionHandler(handler: () => boolean): void;
  on(event: 'will-download', listener: (event: EventLike, item: DownloadLike) => void): unknown;
}

export interface DownloadLike {
  getURL(): string;
  getFilename(): string;
  setSaveDialogOptions(options: SaveDialogOptions): void;
}

export interface UtilityProcessLike {
  readonly pid: number | undefined;
  postMessage(message: unknown, transfer: PortLike[]): void;
  kill(): boolean;
  once(event: 'exit', listener: (code: number) => void): unknown;
}

/** Only handed on. */
export type PortLike = Electron.MessagePortMain;
export type MenuLike = Electron.Menu;

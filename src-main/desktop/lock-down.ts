import type { ElectronLike, GuardedContents } from './electron-like';
import { isPageUrl } from './page-protocol';

/** The page is all there is: no other page, window, webview or permission, whoever asks. */
export function guardEveryContents({ app }: Pick<ElectronLike, 'app'>): void {
  app.on('web-contents-created', (_event, contents) => {
    guardContents(contents);
  });
}

function guardContents(contents: GuardedContents): void {
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  for (const event of ['will-navigate', 'will-frame-navigate', 'will-redirect'] as const) {
    contents.on(event, (details) => {
      if (!isPageUrl(details.url)) details.preventDefault();
    });
  }
  contents.on('will-attach-webview', (event) => {
    event.preventDefault();
  });
}

const WEIGHTS = [{ name: 'safetensors', extensions: ['safetensors'] }];

/** Permissions are refused; the page's own downloads (weights) are saved where the person says, and no others. */
export function guardSession({ session }: Pick<ElectronLike, 'session'>): void {
  const { defaultSession } = session;
  defaultSession.setPermissionRequestHandler((_contents, _permission, callback) => {
    callback(false);
  });
  defaultSession.setPermissionCheckHandler(() => false);
  defaultSession.setDevicePermissionHandler(() => false);
  defaultSession.on('will-download', (event, item) => {
    // Without a path set, Electron asks for one with these options.
    if (item.getURL().startsWith('blob:gradscope://app/')) {
      item.setSaveDialogOptions({ title: 'Save weights', defaultPath: item.getFilename(), filters: WEIGHTS });
    } else {
      event.preventDefault();
    }
  });
}

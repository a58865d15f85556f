import type { MenuItemConstructorOptions } from 'electron';
import type { MenuCommand } from '../../src-shared/protocol/shell';

/**
 * The application's menu. Its items are carried out by the page. Every accelerator has a modifier: plain keys belong to
 * the page, which knows whether somebody is typing.
 */
export function menuTemplate(
  platform: NodeJS.Platform,
  choose: (command: MenuCommand) => void,
): MenuItemConstructorOptions[] {
  const item = (label: string, command: MenuCommand, accelerator: string): MenuItemConstructorOptions => ({
    label,
    accelerator,
    click: () => {
      choose(command);
    },
  });
  const separator: MenuItemConstructorOptions = { type: 'separator' };
  return [
    ...(platform === 'darwin' ? [{ role: 'appMenu' } as const] : []),
    {
      label: 'File',
      submenu: [
        item('Open weights...', 'openWeights', 'CmdOrCtrl+O'),
        item('Save weights...', 'saveWeights', 'CmdOrCtrl+S'),
        separator,
        { role: platform === 'darwin' ? 'close' : 'quit' },
      ],
    },
    { role: 'editMenu' },
    {
      label: 'Run',
      submenu: [
        item('Play or pause', 'playOrPause', 'CmdOrCtrl+Enter'),
        separator,
        item('Step phase', 'stepPhase', 'CmdOrCtrl+Shift+P'),
        item('Step layer', 'stepLayer', 'CmdOrCtrl+Shift+L'),
        item('Step batch', 'stepBatch', 'CmdOrCtrl+Shift+B'),
        item('Step epoch', 'stepEpoch', 'CmdOrCtrl+Shift+E'),
        separator,
        item('Restart', 'restart', 'CmdOrCtrl+Shift+R'),
      ],
    },
    {
      label: 'View',
      submenu: [
        item('Light or dark', 'toggleTheme', 'CmdOrCtrl+Shift+T'),
        separator,
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { role: 'togglefullscreen' },
        separator,
        { role: 'reload', label: 'Reload page' },
        { role: 'toggleDevTools' },
      ],
    },
    { role: 'windowMenu' },
    { role: 'help', submenu: [item('Keys and help', 'help', 'F1')] },
  ];
}

import { setTheme } from './actions';
import { appStore, type Theme } from './store';

const KEY = 'gradscope.theme';

/**
 * The theme the person chose last, else the system's, also when that changes; from then on the root element and the store go
 * together. A browser may forbid storage: then the choice lasts as long as the page.
 */
export function keepTheme(page: Window): void {
  const light = page.matchMedia('(prefers-color-scheme: light)');
  const systems = (): Theme => (light.matches ? 'light' : 'dark');
  let chosen = remembered(page);
  let following = false;
  const follow = (): void => {
    following = true;
    setTheme(chosen ?? systems());
    following = false;
  };
  const show = (theme: Theme): void => {
    page.document.documentElement.dataset['theme'] = theme;
  };
  follow();
  show(appStore.getState().view.theme);
  light.addEventListener('change', follow);
  appStore.subscribe(({ view: { theme } }, { view: { theme: before } }) => {
    if (theme === before) return;
    show(theme);
    if (following) return;
    chosen = theme;
    try {
      page.localStorage.setItem(KEY, theme);
    } catch {
      return;
    }
  });
}

function remembered(page: Window): Theme | null {
  try {
    const theme = page.localStorage.getItem(KEY);
    return theme === 'dark' || theme === 'light' ? theme : null;
  } catch {
    return null;
  }
}

import { setTheme } from './actions';
import { appStore, type Theme } from './store';

const KEY = 'gradscope.theme';

/**
 * The theme the person chose last, else the system's; from then on the root element and the store go together.
 * A browser may forbid storage: then the choice lasts as long as the page.
 */
export function keepTheme(page: Window): void {
  setTheme(remembered(page) ?? (page.matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark'));
  const show = (theme: Theme): void => {
    page.document.documentElement.dataset['theme'] = theme;
  };
  show(appStore.getState().view.theme);
  appStore.subscribe(({ view: { theme } }, { view: { theme: before } }) => {
    if (theme === before) return;
    show(theme);
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

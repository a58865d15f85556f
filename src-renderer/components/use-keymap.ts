import { useEffect } from 'react';
import { appStore } from '../state/store';
import type { Commands } from './commands';
import { belongsToPage, bindingFor, type Focus } from './keymap';

const TEXT = 'input:not([type=radio]):not([type=range]):not([type=checkbox]), select, textarea';
/** Space operates these; on a slider or a radio button that is chosen already it would do nothing. */
const CONTROL = 'button, a, summary, input[type=radio]:not(:checked)';

function focusOf(target: EventTarget | null): Focus {
  if (!(target instanceof Element)) return 'none';
  if (target.matches(TEXT)) return 'text';
  return target.matches(CONTROL) ? 'control' : 'none';
}

/** Makes the keys of the keymap work anywhere on the page but where somebody types. */
export function useKeymap(commands: Commands): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.defaultPrevented) return;
      const binding = bindingFor(event);
      if (binding === null || !belongsToPage(binding, focusOf(event.target), event.repeat)) return;
      const { helpOpen } = appStore.getState().view;
      if (helpOpen && binding.id !== 'help' && binding.id !== 'closeDrawer') return;
      event.preventDefault();
      binding.run(commands);
    };
    addEventListener('keydown', onKeyDown);
    return () => {
      removeEventListener('keydown', onKeyDown);
    };
  }, [commands]);
}

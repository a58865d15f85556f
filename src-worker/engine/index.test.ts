import { describe, expect, it } from 'vitest';
import { GradscopeError } from '../../src-shared/protocol/errors';
import { openEngine } from './index';

const cannotLoad = (): Promise<never> =>
  Promise.reject(new GradscopeError('engine-unavailable', 'The engine wasm cannot load: it is broken.'));

describe('openEngine', () => {
  // Catches: a backend that does not load under Node, or that another one silently stands in for.
  it.each(['wasm', 'cpu'] as const)('opens %s by its name, again after it was disposed', async (name) => {
    for (let time = 0; time < 2; time++) {
      const { engine } = await openEngine(name);
      expect(engine.name).toBe(name);
      engine.dispose();
    }
  });

  it('takes the first engine when the choice is left to it', async () => {
    const { engine, chosenBecause } = await openEngine('auto');
    expect(engine.name).toBe('wasm');
    expect(chosenBecause).toContain('first');
    engine.dispose();
  });

  // Catches: auto hiding why it went on to another engine.
  it('goes on to the next and says why, when the choice is left to it', async () => {
    const { engine: cpu } = await openEngine('cpu');
    const opened = await openEngine('auto', { wasm: cannotLoad, cpu: () => Promise.resolve(cpu) });
    expect(opened.engine).toBe(cpu);
    expect(opened.chosenBecause).toContain('it is broken');
    cpu.dispose();
  });

  // Catches: a named engine quietly replaced by another.
  it('refuses with the reason when an engine asked for by name cannot load, or none can', async () => {
    const openers = { wasm: cannotLoad, cpu: cannotLoad };
    await expect(openEngine('wasm', openers)).rejects.toMatchObject({ code: 'engine-unavailable' });
    await expect(openEngine('auto', openers)).rejects.toThrow('No engine can load');
  });

  // Catches: a fault of the program being taken for an engine that is not there.
  it('does not go on when opening fails for another reason', async () => {
    const broken = (): Promise<never> => Promise.reject(new TypeError('a bug'));
    await expect(openEngine('auto', { wasm: broken, cpu: broken })).rejects.toThrow('a bug');
  });
});

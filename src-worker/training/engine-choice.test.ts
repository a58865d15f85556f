import { beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG, ENGINE_NAMES, type EngineName } from '../../src-shared/model/run-config';
import { GradscopeError } from '../../src-shared/protocol/errors';
import { openEngine } from '../engine';
import type { Engine } from '../engine/engine';
import { needsSetUp } from '../engine/tensorflow/set-up';
import { TINY_RECIPE, tinyDataset } from '../testing/tiny-run';
import { EngineChoices } from './engine-choice';
import { EngineTables } from './engine-tables';
import { Session } from './session';

const subject = { recipe: TINY_RECIPE, config: DEFAULT_RUN_CONFIG, dataset: tinyDataset() };

let tables: EngineTables;
let unavailable: Set<EngineName>;
let opened: EngineName[];
beforeEach(() => {
  tables = new EngineTables(null, () => undefined);
  // As on a machine on which no engine was set up.
  unavailable = new Set(ENGINE_NAMES.filter(needsSetUp));
  opened = [];
});

const choices = (machine = 'this', open = openEngine): EngineChoices =>
  new EngineChoices({
    openEngine: async (name) => {
      opened.push(name);
      if (unavailable.has(name)) throw new GradscopeError('engine-unavailable', `${name} is not here.`);
      return open(name);
    },
    tables,
    machine,
    now: () => performance.now(),
  });

/** Measures to the end on an engine of its own; whatever was taken is disposed. */
async function measure(from: EngineName): Promise<{ names: string[]; measured: EngineChoices }> {
  const measured = choices();
  const { engine: own } = await openEngine(from);
  const measuring = measured.measure(own, subject);
  for (;;) {
    const piece = await measuring.next();
    if (piece.done !== true) continue;
    const { table, engine } = piece.value;
    if (engine !== own) engine?.dispose();
    expect(own.liveBuffers()).toBe(0);
    own.dispose();
    return { names: table.map(({ name }) => name), measured };
  }
}

describe('the plan of auto', () => {
  it('tries one engine after the other as long as nothing is measured', async () => {
    const plan = await choices().plan('auto', subject);
    expect(plan).toMatchObject({ names: [...ENGINE_NAMES], table: [] });
    expect(plan.chosenBecause).toContain('first engine that loads');
  });

  // Catches: measuring again for the same network, or taking one network's table for another's or another machine's.
  it('is known after it was measured, for that network, minibatch and machine only', async () => {
    const { names, measured } = await measure('wasm');
    expect(names).toEqual([...ENGINE_NAMES]);
    const plan = await measured.plan('auto', subject);
    expect(plan.table).toHaveLength(ENGINE_NAMES.length);
    expect(plan.chosenBecause).toContain('before');
    const { engine } = await openEngine(plan.names[0]!);
    expect(plan.isMeasured(engine)).toBe(true);
    expect(plan.isMeasured({ ...engine, variant: 'another' })).toBe(false);
    engine.dispose();

    expect((await measured.plan('simd', subject)).table).toHaveLength(ENGINE_NAMES.length);
    const larger = { ...subject, recipe: { ...TINY_RECIPE, batchSize: 16 } };
    expect((await measured.plan('auto', larger)).table).toEqual([]);
    expect((await choices('another').plan('auto', subject)).table).toEqual([]);
  });

  // Catches: an engine that was set up later never being taken, as it is said to be missing for ever.
  it('is open again when an engine that was not there can load now', async () => {
    unavailable.add('simd');
    const { measured } = await measure('wasm');
    const before = await measured.plan('auto', subject);
    expect(before.names[0]).not.toBe('simd');
    expect(before.table.find(({ name }) => name === 'simd')).toMatchObject({
      variant: null,
      imagesPerSecond: null,
      reason: 'simd is not here.',
    });
    unavailable.delete('simd');
    expect((await measured.plan('auto', subject)).table).toEqual([]);
  });
});

describe('engines of which a trainer holds one', () => {
  // Catches: the engine that could not load beside the other being taken for a new one at every start, so that the two of them
  // are measured in turns and the faster one cannot load any more.
  it('are not tried when the one that comes first is known to load', async () => {
    /** As in a trainer that has just been started. */
    const started = (): EngineChoices => {
      let held: EngineName | null = null;
      return new EngineChoices({
        openEngine: async (name) => {
          if (!needsSetUp(name)) return openEngine(name);
          held ??= name;
          if (held !== name) throw new GradscopeError('engine-unavailable', `${held} is loaded already.`);
          const open = await openEngine('cpu');
          return { ...open, engine: { ...open.engine, name } };
        },
        tables,
        machine: 'this',
        now: () => performance.now(),
      });
    };
    const { engine: own } = await openEngine('simd');
    const measuring = started().measure(own, subject);
    let piece = await measuring.next();
    while (piece.done !== true) piece = await measuring.next();
    expect(piece.value.table.filter(({ name }) => needsSetUp(name as EngineName))).toMatchObject([
      { name: 'tensorflow-gpu', reason: null },
      { name: 'tensorflow', variant: null, reason: 'tensorflow-gpu is loaded already.' },
    ]);
    if (piece.value.engine !== own) piece.value.engine?.dispose();
    own.dispose();
    const again = started();
    expect((await again.plan('auto', subject)).table).toHaveLength(ENGINE_NAMES.length);
    await again.takeFirst(await again.plan('tensorflow-gpu', subject), undefined, ({ engine }) => {
      engine.dispose();
    });
  });
});

describe('taking the first that works', () => {
  const cannotRun = (engine: Engine): Engine => ({
    ...engine,
    createNetwork: () => {
      throw new GradscopeError('engine-cannot-run', 'The engine simd cannot run conv1: it is too wide.');
    },
  });

  // Catches: auto giving up, or hiding the reason, when an engine loads and refuses the network.
  it('goes on to the next engine when one cannot load or cannot run the network, and says why', async () => {
    unavailable.add('wasm');
    const some = choices('this', async (name) => {
      const open = await openEngine(name);
      return name === 'simd' ? { ...open, engine: cannotRun(open.engine) } : open;
    });
    const plan = await some.plan('auto', subject);
    const taken = await some.takeFirst(plan, undefined, (engine) => {
      new Session({ engine: engine.engine, ...subject }).dispose();
      return engine;
    });
    expect(taken.engine.name).toBe('cpu');
    expect(taken.chosenBecause).toContain('cannot run conv1: it is too wide');
    expect(taken.chosenBecause).toContain('wasm is not here.');
    expect(opened).toEqual([...ENGINE_NAMES]);
    taken.engine.dispose();
  });

  // Catches: an engine asked for by name quietly replaced; a fault of the program taken for an engine that is not there.
  it('refuses when the engine asked for by name, or every one, cannot load, and stops at a fault', async () => {
    unavailable = new Set(ENGINE_NAMES);
    const none = choices();
    const take = async (choice: 'auto' | 'wasm'): Promise<unknown> =>
      none.takeFirst(await none.plan(choice, subject), undefined, () => 'taken');
    await expect(take('wasm')).rejects.toThrow('wasm is not here.');
    await expect(take('auto')).rejects.toThrow('No engine can train this network. simd is not here.');
    unavailable.clear();
    const broken = choices('this', () => Promise.reject(new TypeError('a bug')));
    const plan = await broken.plan('auto', subject);
    await expect(broken.takeFirst(plan, undefined, () => 'taken')).rejects.toThrow('a bug');
  });
});

import { openEngine } from '../../src-worker/engine';
import { print } from '../report';

/** `node gradscope-auto.js`: a line of JSON about the engine that `auto` takes here. */

const { engine, chosenBecause } = await openEngine('auto');
print(JSON.stringify({ engine: engine.name, variant: engine.variant, because: chosenBecause }));
engine.dispose();

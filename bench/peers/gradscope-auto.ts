import { planNetwork } from '../../src-shared/model/network';
import { recipeSchema } from '../../src-shared/model/recipe';
import { DEFAULT_RUN_CONFIG } from '../../src-shared/model/run-config';
import { openEngine } from '../../src-worker/engine';
import { EngineChoices } from '../../src-worker/training/engine-choice';
import { EngineTables } from '../../src-worker/training/engine-tables';
import { print } from '../report';
import { loadedExamples } from './gradscope-examples';

/** `node gradscope-auto.js RECIPE`: a line of JSON about the engine that `auto` takes here for a recipe (JSON), measured anew. */

const recipe = recipeSchema.parse(JSON.parse(process.argv[2] ?? ''));
const subject = { recipe, config: DEFAULT_RUN_CONFIG, dataset: loadedExamples(planNetwork(recipe.network)) };
const choices = new EngineChoices({
  openEngine,
  tables: new EngineTables(null, () => undefined),
  machine: '',
  now: () => performance.now(),
});
const { engine: own } = await openEngine('simd');
const measuring = choices.measure(own, subject);
let piece = await measuring.next();
while (piece.done !== true) piece = await measuring.next();
const { table, engine } = piece.value;
const { name, variant } = engine ?? own;
const speeds = table.map((row) => `${row.name} ${row.imagesPerSecond?.toFixed(0) ?? 'none'}`).join(', ');
print(JSON.stringify({ engine: name, variant, because: `it measured, in images/s: ${speeds}` }));
if (engine !== own) engine?.dispose();
own.dispose();

import type { ReactElement, ReactNode } from 'react';
import type { Recipe } from '../../../src-shared/model/recipe';
import { discardDraft, setDraft } from '../../state/actions';
import { useApp } from '../../state/store';
import { EngineMenu } from '../engine/engine-menu';
import { formatCount, formatSetting } from '../../scene/numbers';
import { ChevronIcon, UndoIcon } from '../icons';
import { usePage } from '../page-context';
import { Tip } from '../tip';
import { NumberField } from './number-field';

const LARGEST_SEED = 0xffff_ffff;

/**
 * Recipe, seed, engine and epochs of the run. Each is decided when a run begins, so a choice that differs waits until
 * the person begins a new one; the engine alone can be switched within a run.
 */
export function RecipeSection(): ReactElement | null {
  const { commands } = usePage();
  const ready = useApp((state) => state.ready);
  const draft = useApp((state) => state.draft);
  const runEpochs = useApp(({ status }) => status?.epochs ?? null);
  if (ready === null) return null;
  const config = { ...ready.config, ...draft };
  const recipe = ready.recipes.find(({ name }) => name === config.recipe);
  const isPending = Object.keys(draft).length > 0;
  const epochs = config.epochs ?? (draft.recipe === undefined ? runEpochs : null) ?? recipe?.epochs ?? 1;
  return (
    <section className="section recipe" aria-label="Recipe">
      <div className="head">
        <h2>Recipe</h2>
        {isPending && (
          <div className="actions">
            <button type="button" className="small-button strong" onClick={() => void commands.restart()}>
              Begin new run
            </button>
            <Tip text="Keep the run as it is">
              <button
                type="button"
                className="icon-button tiny"
                aria-label="Keep this run"
                onClick={discardDraft}
              >
                <UndoIcon />
              </button>
            </Tip>
          </div>
        )}
      </div>
      <div className="select">
        <select
          aria-label="Recipe"
          value={config.recipe}
          title={recipe?.summary}
          onChange={({ currentTarget }) => {
            setDraft({ recipe: currentTarget.value, epochs: null });
          }}
        >
          {ready.recipes.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <ChevronIcon />
      </div>
      <dl>
        {recipe !== undefined && <RecipeFacts recipe={recipe} />}
        <Fact name="Epochs" changed={draft.epochs !== undefined}>
          <NumberField
            label="Epochs"
            value={epochs}
            min={1}
            max={9999}
            onChange={(value) => {
              setDraft({ epochs: value === recipe?.epochs ? null : value });
            }}
          />
        </Fact>
        <Fact name="Seed" changed={draft.seed !== undefined}>
          <NumberField
            label="Seed"
            value={config.seed}
            min={0}
            max={LARGEST_SEED}
            onChange={(seed) => {
              setDraft({ seed });
            }}
          />
        </Fact>
        <Fact name="Engine" changed={draft.engine !== undefined}>
          <EngineMenu>
            <button type="button" className="engine-choice" aria-label={`Engine: ${config.engine}`}>
              {config.engine}
              <ChevronIcon />
            </button>
          </EngineMenu>
        </Fact>
      </dl>
    </section>
  );
}

function RecipeFacts({ recipe }: { recipe: Recipe }): ReactElement {
  const { optimiser, batchSize, testBatchSize } = recipe;
  const rates = recipe.network.layers.flatMap((layer) => (layer.kind === 'dropout' ? [layer.rate] : []));
  return (
    <>
      <Fact name="Optimiser">{optimiser.kind === 'sgd' ? 'SGD' : 'Adam'}</Fact>
      <Fact name="Learning rate">{formatSetting(optimiser.learningRate)}</Fact>
      {optimiser.kind === 'sgd' ? (
        <Fact name={optimiser.nesterov ? 'Nesterov momentum' : 'Momentum'}>
          {formatSetting(optimiser.momentum)}
        </Fact>
      ) : (
        <Fact name="Beta 1 / 2">
          {formatSetting(optimiser.beta1)} / {formatSetting(optimiser.beta2)}
        </Fact>
      )}
      {optimiser.weightDecay > 0 && <Fact name="Weight decay">{formatSetting(optimiser.weightDecay)}</Fact>}
      <Fact name="Batch train / test">
        {formatCount(batchSize)} / {formatCount(testBatchSize)}
      </Fact>
      <Fact name="Dropout">
        {rates.length === 0 ? 'none' : [...new Set(rates)].map((rate) => formatSetting(rate)).join(', ')}
      </Fact>
    </>
  );
}

function Fact({
  name,
  changed = false,
  children,
}: {
  name: string;
  changed?: boolean;
  children: ReactNode;
}): ReactElement {
  return (
    <>
      <dt>
        {name}
        {changed && <span className="changed"> new</span>}
      </dt>
      <dd>{children}</dd>
    </>
  );
}

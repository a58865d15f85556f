import { type EngineSpeed, fastest } from '../../../src-shared/model/engine-table';
import type { EngineChoice } from '../../../src-shared/model/run-config';
import type { Ready } from '../../../src-shared/protocol/messages';
import { perSecond } from '../format';

/** One line of the engine menu. */
export interface EngineRow {
  readonly choice: EngineChoice;
  /** `20,130 images/s`; null: not measured. */
  readonly speed: string | null;
  /** What of it runs, or why it cannot. */
  readonly words: string;
  /** It cannot train this network here, as far as is known. */
  readonly cannot: boolean;
  /** The run computes on it. */
  readonly now: boolean;
}

type About = Pick<Ready, 'engine' | 'engines' | 'engineTable'>;

/** `auto` first, then every engine that can be asked for. */
export function engineRows({ engine, engines, engineTable }: About): readonly EngineRow[] {
  const rows = engines.map((name): EngineRow => {
    const row = engineTable.find((known) => known.name === name);
    const now = name === engine.name;
    const speed = row?.imagesPerSecond ?? null;
    return {
      choice: name,
      speed: speed === null ? null : `${perSecond(speed)} images/s`,
      words: row?.reason ?? row?.variant ?? (now ? engine.variant : 'not measured'),
      cannot: (row?.reason ?? null) !== null,
      now,
    };
  });
  return [{ choice: 'auto', speed: null, words: autoWords(engineTable), cannot: false, now: false }, ...rows];
}

function autoWords(table: readonly EngineSpeed[]): string {
  const best = fastest(table);
  return best === undefined ? 'measures them before the first step' : `takes the fastest: ${best.name}`;
}

/** What the button does to the run that stands there; null: it has what is chosen. */
export function switchWords({ config, engine, engineTable }: Ready, choice: EngineChoice): string | null {
  if (choice === config.engine) return null;
  const name = choice === 'auto' ? (fastest(engineTable)?.name ?? 'the fastest engine') : choice;
  return name === engine.name ? `Keep this run on ${name}` : `Switch this run to ${name}`;
}

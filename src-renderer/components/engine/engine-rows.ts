import { type EngineSpeed, fastest } from '../../../src-shared/model/engine-table';
import type { EngineChoice } from '../../../src-shared/model/run-config';
import type { Ready } from '../../../src-shared/protocol/messages';
import { formatRate } from '../../scene/numbers';

/** One line of the engine menu. */
export interface EngineRow {
  readonly name: string;
  /** Null: it cannot be asked for here. */
  readonly choice: EngineChoice | null;
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

/** `auto` first, then every engine that can be asked for, then those that need something first. */
export function engineRows({ engine, engines, engineTable }: About): readonly EngineRow[] {
  const rowOf = (name: string, choice: EngineChoice | null): EngineRow => {
    const row = engineTable.find((known) => known.name === name);
    const now = name === engine.name;
    // Measured before, and taken away since: what it could do then is of no use now.
    const gone = choice === null && row?.reason === null;
    const speed = gone ? null : (row?.imagesPerSecond ?? null);
    const reason = gone ? 'It was set up when it was measured, and is not now.' : (row?.reason ?? null);
    return {
      name,
      choice,
      speed: speed === null ? null : `${formatRate(speed)} images/s`,
      words: reason ?? row?.variant ?? (now ? engine.variant : 'not measured'),
      cannot: reason !== null,
      now,
    };
  };
  const others = engineTable.filter(({ name }) => !engines.some((offered) => offered === name));
  return [
    { name: 'auto', choice: 'auto', speed: null, words: autoWords(engineTable), cannot: false, now: false },
    ...engines.map((name) => rowOf(name, name)),
    ...others.map(({ name }) => rowOf(name, null)),
  ];
}

/** A variant in a word or two, for where room is short: without what the engine's name says already. May be empty. */
export function shortVariant({ name, variant }: Pick<Ready['engine'], 'name' | 'variant'>): string {
  if (variant.toLowerCase() === name.toLowerCase()) return 'plain';
  const known = [...name.toLowerCase().split('-'), 'plain'];
  return variant
    .split(' ')
    .filter((word) => !known.includes(word.toLowerCase()))
    .join(' ');
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

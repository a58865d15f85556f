import type { ConsolePerformance } from '../src-renderer/console';
import { FRAME_PHASES } from '../src-renderer/draw/frame-loop';
import { median, medianInterval, table } from './report';
import type { Party, Stretch } from './rig';

/** A condition in a round. */
export interface Measured {
  /** Watched and not watched, one after the other. */
  readonly pairs: readonly (readonly [watched: Stretch, notWatched: Stretch])[];
  readonly page: ConsolePerformance | null;
}
/** By the name of the condition. */
export type Round = Readonly<Record<string, Measured>>;

const PARTIES: readonly Party[] = ['training thread', 'rest of the trainer', 'shell', 'browser'];
const NOT_WATCHED = 'not watched';

/** What a placement's rounds say, as Markdown. */
export function watchingTables(conditions: readonly string[], rounds: readonly Round[]): string {
  const of = (name: string): Measured[] => rounds.flatMap((round) => round[name] ?? []);
  const pairsOf = (name: string): Measured['pairs'] => of(name).flatMap(({ pairs }) => pairs);
  const watched: [string, Stretch[]][] = conditions.map((name) => [
    name,
    pairsOf(name).map(([stretch]) => stretch),
  ]);
  const notWatched = conditions.flatMap((name) => pairsOf(name).map(([, stretch]) => stretch));
  const price = table(
    ['condition', 'images/s', 'not watched, beside it', 'ratio, median of the pairs', 'its 95 % interval'],
    conditions.map((name) => priceRow(name, pairsOf(name))),
  );
  const usage = table(
    [
      'condition',
      ...PARTIES,
      'training threads, ms a step',
      'training threads in use',
      'pictures to the watcher, a second',
    ],
    [[NOT_WATCHED, notWatched] as const, ...watched].map(([name, stretches]) => usageRow(name, stretches)),
  );
  const pages = conditions.flatMap((name) => {
    const figures = of(name).flatMap(({ page }) => page ?? []);
    return figures.length === 0 ? [] : [`${name}, medians of the rounds:\n\n${pageTable(figures)}`];
  });
  return [price, `CPU time, ms a second, medians:\n\n${usage}`, ...pages].join('\n\n');
}

function priceRow(name: string, pairs: Measured['pairs']): string[] {
  const images = (which: 0 | 1): string =>
    (64 * median(pairs.map((pair) => pair[which].stepsPerSecond))).toFixed(0);
  const ratios = pairs.map(([watched, notWatched]) => watched.stepsPerSecond / notWatched.stepsPerSecond);
  const [low, high] = medianInterval(ratios);
  return [name, images(0), images(1), median(ratios).toFixed(3), `${low.toFixed(3)} to ${high.toFixed(3)}`];
}

function usageRow(name: string, stretches: readonly Stretch[]): string[] {
  const middle = (pick: (stretch: Stretch) => number): number => median(stretches.map(pick));
  return [
    name,
    ...PARTIES.map((party) => middle(({ usage }) => usage[party]).toFixed(0)),
    middle(({ usage, stepsPerSecond }) => usage['training thread'] / stepsPerSecond).toFixed(2),
    threadsIn(stretches.map(({ threads }) => threads)),
    middle(({ picturesPerSecond }) => picturesPerSecond).toFixed(0),
  ];
}

/** As many as in most stretches may not be what all had: every number that was seen. */
function threadsIn(counts: readonly (number | null)[]): string {
  const seen = new Set(counts.map((count) => (count === null ? 'not known' : String(count))));
  return [...seen].toSorted((a, b) => a.localeCompare(b)).join(' or ');
}

function pageTable(pages: readonly ConsolePerformance[]): string {
  const over = (pick: (page: ConsolePerformance) => number): string => median(pages.map(pick)).toFixed(1);
  return table(
    ['', 'median', '95 %'],
    [
      ['our work in an animation frame, ms', over(({ work }) => work.p50), over(({ work }) => work.p95)],
      ...FRAME_PHASES.map((phase) => [
        `of it: ${phase}, ms`,
        over(({ phases }) => phases[phase].p50),
        over(({ phases }) => phases[phase].p95),
      ]),
      [
        'an animation frame with its layout and paint, ms',
        over(({ busy }) => busy.p50),
        over(({ busy }) => busy.p95),
      ],
      [
        'between two animation frames, ms',
        over(({ interval }) => interval.p50),
        over(({ interval }) => interval.p95),
      ],
      ['waiting for an animation frame, ms', over(({ wait }) => wait.p50), over(({ wait }) => wait.p95)],
      ['pictures drawn, a second', over(({ framesPerSecond }) => framesPerSecond), ''],
      [
        'from applied to drawn, ms',
        over(({ latency }) => latency?.p50 ?? Number.NaN),
        over(({ latency }) => latency?.p95 ?? Number.NaN),
      ],
    ],
  );
}

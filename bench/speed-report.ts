import { median, medianInterval, table } from './report';
import { nameOf, type AutoChoice, type Contender, type Speeds } from './speed';

/** Images a second by round; NaN where it failed. */
const speedsOf = ({ rounds }: Speeds, contender: Contender): number[] =>
  rounds.map((round) => {
    const measured = round.get(contender);
    return measured === null || measured === undefined ? Number.NaN : measured.images / measured.seconds;
  });

/** To the fastest of `rivals` in the same round. Rounds without either are left out. */
function ratiosToFastest(speeds: Speeds, contender: Contender, rivals: readonly Contender[]): number[] {
  const of = rivals.map((rival) => speedsOf(speeds, rival));
  return speedsOf(speeds, contender)
    .map((speed, round) => {
      const known = of.map((rival) => rival[round] ?? Number.NaN).filter((value) => !Number.isNaN(value));
      return speed / Math.max(...known);
    })
    .filter((ratio) => Number.isFinite(ratio) && ratio > 0);
}

/** Ratio to the best setting of any peer with that many threads in the same round. */
export const ratiosToBest = (speeds: Speeds, contender: Contender, threads: number): number[] =>
  ratiosToFastest(
    speeds,
    contender,
    speeds.contenders.filter(({ competitor }) => competitor.ours === null && competitor.threads === threads),
  );

/**
 * What `auto` takes on a Node, with all threads, against the fastest of our engines with any number of threads, there and in
 * the same mode and round.
 */
export function ratiosOfAuto(speeds: Speeds, { node, engine }: AutoChoice): number[] {
  const rivals = speeds.contenders.filter(
    ({ competitor, mode }) => competitor.ours?.node === node && mode === 'imperative',
  );
  const taken = rivals
    .filter(({ competitor }) => competitor.ours?.engine === engine)
    .toSorted((a, b) => b.competitor.threads - a.competitor.threads)[0];
  return taken === undefined ? [] : ratiosToFastest(speeds, taken, rivals);
}

/** The price of being watched: a contender that is, against the same one that is not, in the same round. */
export function ratiosOfWatched(speeds: Speeds, watched: Contender): number[] {
  const rivals = speeds.contenders.filter(
    ({ competitor, mode }) => competitor === watched.competitor && mode === 'imperative',
  );
  return rivals.length === 0 ? [] : ratiosToFastest(speeds, watched, rivals);
}

const withInterval = (ratios: readonly number[]): string => {
  if (ratios.length === 0) return '';
  const [low, high] = medianInterval(ratios);
  return `${median(ratios).toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
};

/** Markdown of one network and batch size: a table, the fastest first, and what `auto` takes. */
export function speedTable(speeds: Speeds, threads: readonly number[]): string {
  const rows = speeds.contenders
    .map((contender) => {
      const values = speedsOf(speeds, contender).filter((value) => !Number.isNaN(value));
      const cpu = speeds.rounds.flatMap((round) => {
        const measured = round.get(contender);
        return measured === null || measured === undefined
          ? []
          : [(1e6 * measured.cpuSeconds) / measured.images];
      });
      return { contender, speed: median(values), cpu: median(cpu) };
    })
    .toSorted((a, b) => b.speed - a.speed)
    .map(({ contender, speed, cpu }) => [
      nameOf(contender),
      String(contender.competitor.threads),
      speed.toFixed(0),
      cpu.toFixed(1),
      ...threads.map((count) => withInterval(ratiosToBest(speeds, contender, count))),
    ]);
  const against = threads.map(
    (count) => `against the best peer with ${String(count)} thread${count === 1 ? '' : 's'}`,
  );
  const auto = speeds.auto.map((choice) => {
    const ratios = ratiosOfAuto(speeds, choice);
    const how = ratios.length === 0 ? 'which was not measured' : withInterval(ratios);
    return `- ${choice.node.name}: \`${choice.engine}\` (${choice.variant}), ${how}`;
  });
  const watched = speeds.contenders
    .filter(({ mode }) => mode === 'watched')
    .map((contender) => {
      const { name, threads: count } = contender.competitor;
      const ratios = withInterval(ratiosOfWatched(speeds, contender));
      return `- ${name}, ${String(count)} thread${count === 1 ? '' : 's'}: ${ratios}`;
    });
  return [
    `### ${speeds.recipe}, batch ${String(speeds.batchSize)}\n`,
    table(['who trains', 'threads', 'images/s, median', 'CPU, us an image', ...against], rows),
    '\nWhat `auto` takes, against the fastest of our engines in the same round (imperative loop):\n',
    ...auto,
    ...(watched.length > 0 ? ['\nWatched, against not watched in the same round:\n', ...watched] : []),
    `\nAll contenders took ${speeds.megabytes.toFixed(0)} MB of RAM.`,
  ].join('\n');
}

/** What goes into the JSON file. */
export const plainSpeeds = ({ recipe, batchSize, contenders, rounds, megabytes, auto }: Speeds): object => ({
  recipe,
  batchSize,
  megabytes,
  auto: auto.map(({ node, ...taken }) => ({ node: node.name, ...taken })),
  contenders: contenders.map((contender) => ({
    name: nameOf(contender),
    ours: contender.competitor.ours?.engine ?? null,
    threads: contender.competitor.threads,
    versions: contender.competitor.peer.versions,
    rounds: rounds.map((round) => round.get(contender) ?? null),
  })),
});

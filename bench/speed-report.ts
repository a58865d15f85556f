import { median, medianInterval, table } from './report';
import { nameOf, type Contender, type Speeds } from './speed';

/** Images a second by round; NaN where it failed. */
const speedsOf = ({ rounds }: Speeds, contender: Contender): number[] =>
  rounds.map((round) => {
    const measured = round.get(contender);
    return measured === null || measured === undefined ? Number.NaN : measured.images / measured.seconds;
  });

/**
 * Ratio to the best setting of any peer with that many threads in the same round. Rounds without either are left out.
 */
export function ratiosToBest(speeds: Speeds, contender: Contender, threads: number): number[] {
  const peers = speeds.contenders.filter(
    ({ competitor }) => !competitor.ours && competitor.threads === threads,
  );
  const of = peers.map((peer) => speedsOf(speeds, peer));
  return speedsOf(speeds, contender)
    .map((speed, round) => {
      const best = Math.max(
        ...of.map((peer) => peer[round] ?? Number.NaN).filter((value) => !Number.isNaN(value)),
      );
      return speed / best;
    })
    .filter((ratio) => Number.isFinite(ratio) && ratio > 0);
}

/** A Markdown table of one network and batch size, the fastest first. */
export function speedTable(speeds: Speeds, threads: readonly number[]): string {
  const cell = (ratios: readonly number[]): string => {
    if (ratios.length === 0) return '';
    const [low, high] = medianInterval(ratios);
    return `${median(ratios).toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
  };
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
      ...threads.map((count) => cell(ratiosToBest(speeds, contender, count))),
    ]);
  const against = threads.map(
    (count) => `against the best peer with ${String(count)} thread${count === 1 ? '' : 's'}`,
  );
  return [
    `### ${speeds.recipe}, batch ${String(speeds.batchSize)}\n`,
    table(['who trains', 'threads', 'images/s, median', 'CPU, us an image', ...against], rows),
  ].join('\n');
}

/** What goes into the JSON file. */
export const plainSpeeds = ({ recipe, batchSize, contenders, rounds }: Speeds): object => ({
  recipe,
  batchSize,
  contenders: contenders.map((contender) => ({
    name: nameOf(contender),
    ours: contender.competitor.ours,
    threads: contender.competitor.threads,
    versions: contender.competitor.peer.versions,
    rounds: rounds.map((round) => round.get(contender) ?? null),
  })),
});

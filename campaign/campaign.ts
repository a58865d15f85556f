/** What a campaign is given. */
export interface CampaignOptions {
  /** short: a few seconds, for the tests. full: as much as the reliability page counts. */
  readonly size: 'short' | 'full';
  /** The same seed tries the same things in the same order. */
  readonly seed: number;
  /** One line about how far it is. */
  say: (line: string) => void;
}

/** What a campaign has tried and what did not come out as it should. */
export interface CampaignFigures {
  readonly name: string;
  /** How often each kind of thing was tried. */
  readonly tried: Record<string, number>;
  /** One sentence for each thing that was lost, with what is needed to try it again. Empty when all is well. */
  readonly lost: string[];
}

/** Tries many hostile things on the real programs. It throws only when it cannot try at all. */
export type Campaign = (options: CampaignOptions) => Promise<CampaignFigures>;

/** Figures with the time that they took. */
export interface Measured extends CampaignFigures {
  readonly seconds: number;
}

const count = (tried: Record<string, number>): number =>
  Object.values(tried).reduce((sum, times) => sum + times, 0);

/** Whole numbers with a comma after each thousand, whatever the language of the machine. */
const whole = (value: number): string => value.toLocaleString('en-US');

/** A Markdown table, one row a campaign, and below it what was lost. */
export function figuresText(all: readonly Measured[]): string {
  const rows = all.map(({ name, tried, lost, seconds }) => {
    const kinds = Object.entries(tried).map(([kind, times]) => `${kind} ${whole(times)}`);
    return `| ${name} | ${whole(count(tried))} | ${kinds.join(', ')} | ${whole(lost.length)} | ${seconds.toFixed(0)} |`;
  });
  const head = ['| campaign | tried | of which | lost | seconds |', '|---|---:|---|---:|---:|'];
  const losses = all.flatMap(({ name, lost }) => lost.map((sentence) => `${name}: ${sentence}`));
  return [...head, ...rows, ...(losses.length > 0 ? ['', ...losses] : [])].join('\n');
}

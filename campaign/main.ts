import { parseArgs } from 'node:util';
import { quoted } from '../src-shared/text/shorten';
import { writeWhole } from '../src-node/write-file.mjs';
import { figuresText, type Measured } from './campaign';
import { CAMPAIGNS } from './campaigns';

/**
 * Runs the campaigns that were named, or all of them, one after the other. The figures go to stdout, how far it is to stderr. The
 * exit code is 1 when anything was lost and 2 when what was asked for is wrong.
 */

const HELP = `npm run campaign [-- --only NAME ...] [--short] [--seed N] [--json FILE]

  --only NAME   this campaign alone; may be given several times (${Object.keys(CAMPAIGNS).join(', ')})
  --short       the short form, as in npm test
  --seed N      tries other things; the same number tries the same things (default: 1)
  --json FILE   writes the figures to a file as well
`;

interface Wish {
  readonly names: readonly string[];
  readonly size: 'short' | 'full';
  readonly seed: number;
  readonly json: string | undefined;
}

/** @returns what is wished, or the sentence that says what is wrong */
function readWish(args: readonly string[]): Wish | 'help' | { readonly wrong: string } {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        only: { type: 'string', multiple: true, default: [] },
        short: { type: 'boolean', default: false },
        seed: { type: 'string', default: '1' },
        json: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    return { wrong: wrongOption(error) };
  }
  const { values, positionals } = parsed;
  if (values.help) return 'help';
  const asked = [...values.only, ...positionals];
  const unknown = asked.find((name) => !Object.hasOwn(CAMPAIGNS, name));
  if (unknown !== undefined) {
    const known = Object.keys(CAMPAIGNS).join(', ');
    return { wrong: `There is no campaign ${quoted(unknown)}; there is ${known}.` };
  }
  if (!/^\d{1,9}$/.test(values.seed)) return { wrong: '--seed takes a whole number from 0 to 999999999.' };
  if (values.json === '') return { wrong: '--json takes the path of a file.' };
  return {
    names: asked.length > 0 ? [...new Set(asked)] : Object.keys(CAMPAIGNS),
    size: values.short ? 'short' : 'full',
    seed: Number(values.seed),
    json: values.json,
  };
}

const OPTIONS = '--only, --short, --seed, --json and --help';

/** Node's own sentences go on about arguments that begin with a dash, which there are none of, and do not say what is known. */
function wrongOption(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [, name] = /^Unknown option '([^]*?)'\./.exec(message) ?? [];
  if (name !== undefined) return `There is no option ${quoted(name)}; there is ${OPTIONS}.`;
  const [, option, wantsValue] = /^Option '(?:-\w, )?(--\w+)( <value>)?' /.exec(message) ?? [];
  if (option !== undefined)
    return `${option} ${wantsValue === undefined ? 'takes no value' : 'needs a value'}.`;
  return `${(message.split(/\. |\n/)[0] ?? '').replace(/\.$/, '')}; there is ${OPTIONS}.`;
}

async function runAll({ names, size, seed, json }: Wish): Promise<void> {
  const all: Measured[] = [];
  for (const name of names) {
    const campaign = CAMPAIGNS[name];
    if (campaign === undefined) continue;
    const begunMs = performance.now();
    const say = (line: string): void => {
      const seconds = ((performance.now() - begunMs) / 1000).toFixed(0);
      process.stderr.write(`${name}, ${seconds} s: ${line}\n`);
    };
    const figures = await campaign({ size, seed, say });
    all.push({ ...figures, seconds: (performance.now() - begunMs) / 1000 });
  }
  process.stdout.write(`${figuresText(all)}\n`);
  if (json !== undefined) writeWhole(json, `${JSON.stringify({ size, seed, campaigns: all }, null, 1)}\n`);
  if (all.some(({ lost }) => lost.length > 0)) process.exitCode = 1;
}

const wish = readWish(process.argv.slice(2));
if (wish === 'help') process.stdout.write(HELP);
else if ('wrong' in wish) {
  process.stderr.write(`${wish.wrong}\n`);
  process.exitCode = 2;
} else await runAll(wish);

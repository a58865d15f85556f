import { ensureBuilt } from '../lib/build.mjs';
import { ensureElectron, electronBinary, whyElectronCannotStart } from '../lib/electron.mjs';
import { ensureInstalled } from '../lib/install.mjs';
import { runNode, run } from '../lib/processes.mjs';
import { inProject, quoted, Refusal, runScript, say } from '../lib/project.mjs';

const HELP = `npm start                                     opens the desktop app; where Electron's binary cannot be had or
                                              cannot start, the browser shell
npm start -- --browser [--port N] [--no-open] the same page, served on loopback with a token

  --browser    the browser shell, in any case
  --port N     its port; 0 (the default): any free one
  --no-open    opens no window: it only prints its address
  --help       this

What is missing is installed and built first. CTRL-C ends it.`;

/** A process that ends by itself with one of these has crashed: Electron's sandbox gives up with SIGTRAP. */
const CRASHES = new Set(['SIGTRAP', 'SIGABRT', 'SIGSEGV', 'SIGILL', 'SIGBUS']);

await runScript(async () => {
  const options = parse(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  await ensureInstalled();
  await ensureBuilt();
  if (options.browser) return startBrowserShell(options.passedOn);

  const whyNot = await tryDesktop();
  if (typeof whyNot === 'number') return whyNot;
  say(`The desktop app cannot run here: ${whyNot}. Opening the browser shell instead.`);
  return startBrowserShell(options.passedOn);
});

/** @param {readonly string[]} args */
function parse(args) {
  const options = { browser: false, help: false, passedOn: /** @type {string[]} */ ([]) };
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (arg === '--browser') options.browser = true;
    else if (arg === '--help' || arg === '-h') options.help = true;
    else if (arg === '--no-open') options.passedOn.push(arg);
    else if (arg === '--port') options.passedOn.push(arg, args[++at] ?? '');
    else if (arg.startsWith('--port=')) options.passedOn.push('--port', arg.slice('--port='.length));
    else
      throw new Refusal(
        `npm start knows no option ${quoted(arg)}; npm start -- --help lists what there is.`,
        2,
      );
  }
  return options;
}

/** @returns {Promise<number | string>} its exit code when it ran, or why it cannot */
async function tryDesktop() {
  const known = whyElectronCannotStart(electronBinary());
  if (known !== null) return known;
  const electron = await ensureElectron();
  if ('whyNot' in electron) return electron.whyNot;
  // Editors that are Electron apps leave this in their terminals; with it Electron would be a plain Node.
  const { ELECTRON_RUN_AS_NODE: _, ...env } = process.env;
  const ended = await run(electron.binary, [inProject('.')], { env });
  if (ended.signal !== null && CRASHES.has(ended.signal)) return `Electron ended with ${ended.signal}`;
  return ended.code;
}

/** @param {readonly string[]} passedOn */
async function startBrowserShell(passedOn) {
  return (await runNode([inProject('out/main/browser.js'), ...passedOn])).code;
}

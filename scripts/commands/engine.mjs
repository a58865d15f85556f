import { ensureInstalled } from '../lib/install.mjs';
import { quoted, Refusal, runScript } from '../lib/project.mjs';
import { NATIVE_ENGINES, removeTensorFlow, setUpTensorFlow } from '../lib/tensorflow.mjs';

const HELP = `npm run engine -- tensorflow      sets up the engine tensorflow: TensorFlow's own library, on the CPU
npm run engine -- tensorflow-gpu  sets up the engine tensorflow-gpu: the same with CUDA, for NVIDIA's GPUs on Linux (not tried: no GPU
                                  was there to try it)
npm run engine -- remove          takes away what was set up
npm run engine -- --help          this

It says first how much it fetches; broken off, it goes on there when it is asked again. What it sets up lies in a cache folder of yours, outside the repository. The other engines need
none of it.`;

await runScript(async () => {
  const [what, ...more] = process.argv.slice(2);
  if (what === '--help' || what === '-h') {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const known = [...NATIVE_ENGINES, 'remove'];
  if (what === undefined || !known.includes(what) || more.length > 0) {
    const given = [what ?? [], more].flat().join(' ');
    throw new Refusal(
      `npm run engine needs one of ${known.join(', ')}${given === '' ? '' : `, but ${quoted(given)} was given`}.`,
      2,
    );
  }
  if (what === 'remove') {
    await removeTensorFlow();
    return 0;
  }
  await ensureInstalled();
  for (const name of NATIVE_ENGINES) if (name === what) await setUpTensorFlow(name, { quiet: false });
  return 0;
});

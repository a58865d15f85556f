// npm test and npm run check (--without-browser): every check there is, each with its time; all run, whatever fails.
import { begin } from '../src-node/begin.mjs';

await begin(() => import('./commands/test.mjs'));

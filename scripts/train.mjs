// npm run train: the headless shell. stdout is its alone, so that --json stays clean.
import { begin } from '../src-node/begin.mjs';

await begin(() => import('./commands/train.mjs'));

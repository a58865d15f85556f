// npm run bench [-- options], npm run bench:start, npm run bench:paper [-- options]: runs a benchmark of bench/ over the built app.
import { begin } from '../src-node/begin.mjs';

await begin(() => import('./commands/bench.mjs'));

// npm start: the desktop app, or the browser shell where that cannot be. Needs nothing but Node to begin with.
import { begin } from '../src-node/begin.mjs';

await begin(() => import('./commands/start.mjs'));

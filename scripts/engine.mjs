// npm run engine -- tensorflow | tensorflow-gpu | remove: sets up an engine on TensorFlow's own library, or takes all of them away.
import { begin } from '../src-node/begin.mjs';

await begin(() => import('./commands/engine.mjs'));

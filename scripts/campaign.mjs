// npm run campaign [-- --only NAME ...] [--short] [--seed N] [--json FILE]: tries many hostile things on the built programs.
import { begin } from '../src-node/begin.mjs';

await begin(() => import('./commands/campaign.mjs'));

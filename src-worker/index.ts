import { begin } from '../src-node/begin.mjs';

/** Entry of the trainer process. */
await begin(async () => {
  const { main } = await import('./main');
  main(import.meta.url);
});

import { begin } from '../../src-node/begin.mjs';

await begin(async () => {
  const { main } = await import('./main');
  await main(import.meta.url);
});

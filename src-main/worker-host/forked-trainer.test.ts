import { expect, it } from 'vitest';
import { forkTrainer } from './forked-trainer';
import { RelayHost } from './relay-host';
import { Supervisor } from './supervisor';

// Catches: a stack trace of Node's, and a page that waits for ever, where out/main/worker.js was removed.
it('says which program is missing', async () => {
  const host = new RelayHost(new Supervisor({ spawn: () => forkTrainer('/there/is/no/worker.js') }));
  const reason = await new Promise<unknown>((resolve) => host.connect().onClose(resolve));
  expect(reason).toEqual({
    code: 'worker-died',
    message:
      'The trainer process could not be started: /there/is/no/worker.js is missing; npm start builds it again.',
  });
  await host.stop();
});

import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { TrainerOptions } from '../src-shared/protocol/host-messages';
import { type BuiltWorker, buildWorker } from './testing/built-worker';
import { TrainerProcess } from './testing/trainer-process';

let built: BuiltWorker;
const processes: TrainerProcess[] = [];

beforeAll(async () => {
  built = await buildWorker();
});
afterEach(async () => {
  for (const trainer of processes.splice(0)) await trainer.end();
});
afterAll(() => {
  built.remove();
});

function start(options?: TrainerOptions): TrainerProcess {
  const trainer = new TrainerProcess(built.script, options);
  processes.push(trainer);
  return trainer;
}

it('says ready, trains three steps and quits without leaving anything behind', async () => {
  const trainer = start();
  const client = await trainer.connect();
  for (let i = 0; i < 3; i += 1) await client.request('stepBatch', {});
  expect(client.last('status')).toMatchObject({ state: 'paused', step: 3, phase: 'step' });
  expect(await trainer.end()).toBe(0);
  expect(trainer.stderr).toBe('');
});

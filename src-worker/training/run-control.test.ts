import { expect, it } from 'vitest';
import { type ClientId, RunControl } from './run-control';

/** Begins and ends the next step that may begin. */
function doNext(control: RunControl, mayBegin: (client: ClientId) => boolean): void {
  control.beginNextStep(mayBegin);
  if (!control.going) return;
  control.go();
  control.arrive({ phase: 'step', layer: null });
  control.arriveAtBoundary();
  control.stand();
  control.answerWaiting();
}

function ask(control: RunControl, clients: readonly ClientId[]): string[] {
  const done: string[] = [];
  for (const [i, client] of clients.entries()) {
    control.step('batch', client, () => done.push(`${String(client)}:${String(i)}`));
  }
  return done;
}

// Catches: a page that waits until all the steps that another asked for are done.
it('steps for clients in turn, and for each in its order', () => {
  const control = new RunControl();
  const done = ask(control, [1, 1, 1, 2, 2]);
  for (let i = 0; i < 5; i += 1) doNext(control, () => true);
  expect(done).toEqual(['1:0', '2:3', '1:1', '2:4', '1:2']);
});

// Catches: a page that asks for a step and never draws, which holds up the steps of all others.
it('passes over a client whose step may not begin yet', () => {
  const control = new RunControl();
  const done = ask(control, [1, 2, 2]);
  for (let i = 0; i < 3; i += 1) doNext(control, (client) => client !== 1);
  expect(done).toEqual(['2:1', '2:2']);
  doNext(control, () => true);
  expect(done).toEqual(['2:1', '2:2', '1:0']);
});

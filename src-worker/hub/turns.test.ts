import { describe, expect, it } from 'vitest';
import type { ThreadCommand } from '../training/thread-messages';
import { MOST_POSTED, MOST_UNANSWERED, Turns } from './turns';

type Request = Extract<ThreadCommand, { type: 'request' }>;

/** Stands in for the thread: it takes up what was posted when the test says so. */
class Bench {
  readonly posted: ThreadCommand[] = [];
  readonly reading = new Map<number, boolean>();
  readonly turns = new Turns({
    post: (command) => this.posted.push(command),
    takes: (client) => this.reading.get(client) ?? true,
  });

  ask(client: number, id: number, bytes = 0, method: Request['method'] = 'saveWeights'): string | undefined {
    const payload = new Uint8Array(0);
    return this.turns.request({ type: 'request', client, id, method, params: {}, payload }, bytes);
  }

  /** The thread takes up and answers the oldest requests, as many as there are. */
  serve(): Request[] {
    const served = this.posted.splice(0).filter((command) => command.type === 'request');
    for (const { client, id } of served) {
      this.turns.answered(client, id);
      this.turns.taken(client, 'request');
    }
    return served;
  }
}

describe('Turns', () => {
  // Catches: a page that waits for all the requests that another has sent before.
  it('serve a second client after few of the first, however many wait', () => {
    const bench = new Bench();
    for (let id = 0; id < MOST_UNANSWERED; id += 1) bench.ask(1, id);
    expect(bench.posted).toHaveLength(MOST_POSTED);
    bench.ask(2, 0);
    const before = [...bench.serve(), ...bench.serve()].map(({ client }) => client);
    expect(before.indexOf(2)).toBeLessThanOrEqual(MOST_POSTED + 1);
  });

  it('keep the requests of one client in their order, and lose none', () => {
    const bench = new Bench();
    for (let id = 0; id < 50; id += 1) for (const client of [1, 2, 3]) bench.ask(client, id);
    const served: Request[] = [];
    for (let more = bench.serve(); more.length > 0; more = bench.serve()) served.push(...more);
    for (const client of [1, 2, 3]) {
      const ids = served.filter((request) => request.client === client).map(({ id }) => id);
      expect(ids).toEqual(Array.from({ length: 50 }, (_, id) => id));
    }
  });

  // Catches: a queue without an end, which grows to gigabytes.
  it('refuse what is too much for one client, in number and in bytes, and not what another asks for', () => {
    const bench = new Bench();
    for (let id = 0; id < 60_000; id += 1) {
      expect(bench.ask(1, id)).toBe(id < MOST_UNANSWERED ? undefined : 'many');
    }
    expect(bench.ask(1, 60_001, 0, 'pause')).toBeUndefined();
    expect(bench.ask(2, 1)).toBeUndefined();
    // A single one may be as large as a message may be; then the next must be small.
    expect(bench.ask(3, 10, 60_000_000)).toBeUndefined();
    expect(bench.ask(3, 11, 10_000_000)).toBe('bytes');
    expect(bench.ask(3, 12, 1_000_000)).toBeUndefined();
    expect(bench.ask(4, 0, 10_000_000)).toBeUndefined();
  });

  // Catches: as many full lines as there are clients, which fill any memory; room that stays taken after its request has gone.
  it('refuse what is too much for all clients together, until some of it was handed on or its client has gone', () => {
    const bench = new Bench();
    for (let id = 0; id < MOST_POSTED; id += 1) bench.ask(0, id);
    const large = 60_000_000;
    for (const client of [1, 2, 3]) expect(bench.ask(client, 0, large)).toBeUndefined();
    expect(bench.ask(4, 0, large)).toBe('bytes');
    bench.turns.gone(1);
    expect(bench.ask(4, 0, large)).toBeUndefined();
    expect(bench.ask(5, 0, large)).toBe('bytes');
    // Three are handed on.
    bench.serve();
    for (let id = 0; id < MOST_POSTED; id += 1) bench.ask(0, 10 + id);
    for (const client of [5, 6, 7]) expect(bench.ask(client, 0, large)).toBeUndefined();
    expect(bench.ask(8, 0, large)).toBe('bytes');
    bench.turns.threadDied();
    expect(bench.ask(8, 0, large)).toBeUndefined();
  });

  it('know which ids are of unanswered requests, of each client for itself', () => {
    const bench = new Bench();
    bench.ask(1, 7);
    expect(bench.turns.isUnanswered(1, 7)).toBe(true);
    expect(bench.turns.isUnanswered(2, 7)).toBe(false);
    bench.serve();
    expect(bench.turns.isUnanswered(1, 7)).toBe(false);
  });

  // Catches: answers that pile up before a client that does not read them.
  it('leave the requests of a client waiting that does not read, and go on when it does', () => {
    const bench = new Bench();
    bench.reading.set(1, false);
    bench.ask(1, 0);
    bench.ask(2, 0);
    expect(bench.serve().map(({ client }) => client)).toEqual([2]);
    bench.reading.set(1, true);
    bench.turns.goOn();
    expect(bench.serve().map(({ client }) => client)).toEqual([1]);
  });

  // Catches: floods of credit, watch and visibility that fill the thread's mailbox.
  it('tell the thread only the newest of what a client says besides, when it has not taken up what came before', () => {
    const bench = new Bench();
    for (let i = 1; i <= 10_000; i += 1) {
      bench.turns.watch(1, [{ name: 'conv1.weight', kind: 'weight', maxValues: i }]);
      bench.turns.credit(1, 2);
      bench.turns.visibility(1, i % 2 === 0);
    }
    expect(bench.posted.length).toBeLessThan(20);
    for (const { type } of bench.posted.splice(0)) {
      expect(['watch', 'credit', 'visibility']).toContain(type);
      bench.turns.taken(1, 'other');
    }
    expect(bench.posted).toEqual([
      { type: 'visibility', client: 1, visible: true },
      { type: 'watch', client: 1, items: [{ name: 'conv1.weight', kind: 'weight', maxValues: 10_000 }] },
      { type: 'credit', client: 1, count: 2 },
    ]);
  });

  it('name everything that is unanswered when the thread dies, and begin anew', () => {
    const bench = new Bench();
    for (let id = 0; id < 10; id += 1) bench.ask(1, id);
    bench.ask(2, 3);
    expect(bench.turns.threadDied()).toHaveLength(11);
    bench.posted.length = 0;
    for (let id = 0; id < 10; id += 1) bench.ask(1, id);
    expect(bench.posted).toHaveLength(MOST_POSTED);
  });
});

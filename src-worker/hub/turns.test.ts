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
    return this.turns.request({
      type: 'request',
      client,
      id,
      method,
      params: {},
      payload: new Uint8Array(bytes),
    });
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
    expect(bench.ask(3, 11, 10_000_000)).toBe('many');
    expect(bench.ask(3, 12, 1_000_000)).toBeUndefined();
    expect(bench.ask(4, 0, 10_000_000)).toBeUndefined();
  });

  it('refuse a second request with the id of one that is unanswered', () => {
    const bench = new Bench();
    bench.ask(1, 7);
    expect(bench.ask(1, 7)).toBe('id');
    expect(bench.ask(2, 7)).toBeUndefined();
    bench.serve();
    expect(bench.ask(1, 7)).toBeUndefined();
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

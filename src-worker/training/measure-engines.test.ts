import { describe, expect, it } from 'vitest';
import { GradscopeError } from '../../src-shared/protocol/errors';
import {
  type Entrant,
  FEW_STEPS,
  type Measurement,
  measureEngines,
  MOST_TRIAL_STEPS,
} from './measure-engines';

/** An engine that takes so many ms an image, on a clock that only it moves. */
interface Fake {
  readonly name: string;
  readonly msPerImage: number;
  /** ms that every step takes besides. */
  readonly overheadMs?: number;
  readonly failsAtStep?: number;
}

const WHOLE = 64;
const FEW = 8;

class Race {
  readonly steps = new Map<string, number>();
  readonly disposed: string[] = [];
  active = '';
  private clock = 0;

  entrant({ name, msPerImage, overheadMs = 0, failsAtStep = Infinity }: Fake): Entrant {
    return {
      name,
      load: () =>
        Promise.resolve({
          variant: `${name}'s variant`,
          versions: {},
          createTrial: () => ({
            few: FEW,
            whole: WHOLE,
            activate: () => {
              this.active = name;
              return Promise.resolve();
            },
            step: () => {
              if (this.active !== name) throw new Error('An engine computes that is not active.');
              const step = (this.steps.get(name) ?? 0) + 1;
              this.steps.set(name, step);
              if (step === failsAtStep) throw new GradscopeError('internal', 'It broke.');
              this.clock += overheadMs + msPerImage * (step <= FEW_STEPS ? FEW : WHOLE);
            },
            dispose: () => this.disposed.push(name),
          }),
        }),
    };
  }

  async run(...entrants: Entrant[]): Promise<Measurement> {
    const measuring = measureEngines(entrants, () => this.clock);
    for (;;) {
      const piece = await measuring.next();
      if (piece.done === true) return piece.value;
      // Whoever comes in between makes another engine active.
      this.active = 'somebody else';
    }
  }
}

const cannot = (name: string, sentence: string): Entrant => ({
  name,
  load: () => Promise.reject(new GradscopeError('engine-unavailable', sentence)),
});

describe('measuring engines', () => {
  // Catches: the order of the list deciding, or images/s computed from the wrong number of images.
  it('finds the fastest, wherever it is in the list, and leaves it active', async () => {
    for (const fast of [0, 1, 2]) {
      const race = new Race();
      const fakes = ['one', 'two', 'three'].map((name, i) => ({
        name,
        msPerImage: i === fast ? 0.05 : 0.08,
      }));
      const { engines, fastest } = await race.run(...fakes.map((fake) => race.entrant(fake)));
      expect(fastest).toBe(fakes[fast]?.name);
      expect(race.active).toBe(fastest);
      expect(engines.map(({ imagesPerSecond }) => Math.round(imagesPerSecond ?? 0))).toEqual(
        fakes.map(({ msPerImage }) => Math.round(1000 / msPerImage)),
      );
      expect(race.disposed.toSorted()).toEqual(['one', 'three', 'two']);
      expect(Math.max(...race.steps.values())).toBeLessThanOrEqual(MOST_TRIAL_STEPS);
    }
  });

  // Catches: seconds spent on an engine of which it is clear after a few images that it is slower.
  it('spends no whole minibatch on an engine that would take long for it, and still tells its speed', async () => {
    const race = new Race();
    const fast = race.entrant({ name: 'fast', msPerImage: 0.05 });
    const slow = race.entrant({ name: 'slow', msPerImage: 20 });
    const { engines, fastest } = await race.run(fast, slow);
    expect(fastest).toBe('fast');
    expect(race.steps.get('slow')).toBe(2);
    expect(engines[1]).toMatchObject({ name: 'slow', imagesPerSecond: 50, reason: null });
  });

  // Catches: an engine that is slow on few images, and the fastest on whole minibatches, being cut off.
  it('does not judge by few images an engine that takes its time for every step', async () => {
    const race = new Race();
    const steady = race.entrant({ name: 'steady', msPerImage: 0.1 });
    const large = race.entrant({ name: 'large', msPerImage: 0.01, overheadMs: 5 });
    expect((await race.run(steady, large)).fastest).toBe('large');
  });

  // Catches: one broken engine taking the others and the run with it, or a number standing beside the reason.
  it('gives the reason of an engine that cannot load or breaks on the way, and goes on with the others', async () => {
    const race = new Race();
    const { engines, fastest } = await race.run(
      cannot('absent', 'It is not here.'),
      race.entrant({ name: 'breaks', msPerImage: 0.01, failsAtStep: FEW_STEPS + 2 }),
      race.entrant({ name: 'works', msPerImage: 0.1 }),
    );
    expect(engines).toMatchObject([
      { name: 'absent', variant: null, imagesPerSecond: null, reason: 'It is not here.' },
      { name: 'breaks', variant: "breaks's variant", imagesPerSecond: null, reason: 'It broke.' },
      { name: 'works', reason: null },
    ]);
    expect(fastest).toBe('works');
  });

  it('says so when there is none', async () => {
    const race = new Race();
    const { engines, fastest } = await race.run(cannot('one', 'No.'), cannot('two', 'No.'));
    expect(fastest).toBeNull();
    expect(engines.every(({ imagesPerSecond }) => imagesPerSecond === null)).toBe(true);
  });

  // Catches: networks that stay in memory when a measurement is given up.
  it('frees what it holds when it is given up', async () => {
    const race = new Race();
    const measuring = measureEngines([race.entrant({ name: 'one', msPerImage: 1 })], () => 0);
    for (let piece = 0; piece < 3; piece += 1) await measuring.next();
    await measuring.return(undefined as never);
    expect(race.disposed).toEqual(['one']);
  });
});

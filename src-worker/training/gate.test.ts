import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Phase, Position } from '../../src-shared/model/phases';
import { GradscopeError } from '../../src-shared/protocol/errors';
import type { Breakpoint } from '../../src-shared/protocol/messages';
import { BlockingGate, type GateHost } from './gate';
import { StepAbandoned } from './loop';
import type { Mailbox } from './mailbox';
import { RunControl, type StepKind } from './run-control';

type Command = 'play' | 'pause' | StepKind | 'switch' | 'restart' | 'draw';

/** A command and after how many looks into the mailbox it arrives (at once when training sleeps). */
interface Posted {
  readonly command: Command;
  readonly after: number;
}

class EndOfScript extends Error {}

class ScriptedMailbox implements Mailbox<Command> {
  /** What training slept for, in ms. */
  readonly sleeps: number[] = [];
  looks = 0;
  private readonly script: Posted[];
  private readonly lookLimit: number;

  constructor(script: readonly Posted[], lookLimit = 2000) {
    this.script = [...script];
    this.lookLimit = lookLimit;
  }

  hasMail(): boolean {
    this.looks += 1;
    if (this.script.length === 0 && this.looks > this.lookLimit) throw new EndOfScript();
    return this.script[0] !== undefined && this.script[0].after <= this.looks;
  }

  take(): Command | undefined {
    const posted = this.script.shift();
    this.looks = 0;
    return posted?.command;
  }

  wait(timeoutMs: number): void {
    this.sleeps.push(timeoutMs);
    const next = this.script[0];
    if (next === undefined) {
      if (timeoutMs === Infinity) throw new EndOfScript();
    } else this.script[0] = { ...next, after: 0 };
  }
}

/** The places of one minibatch in a network of two layers. */
const PLACES: readonly Position[] = [
  { phase: 'zeroGrad', layer: null },
  { phase: 'forward', layer: 0 },
  { phase: 'forward', layer: 1 },
  { phase: 'forward', layer: null },
  { phase: 'loss', layer: null },
  { phase: 'backward', layer: 1 },
  { phase: 'backward', layer: 0 },
  { phase: 'backward', layer: null },
  { phase: 'step', layer: null },
];
const STEPS_PER_EPOCH = 4;

/** Training without arithmetic: a weight that counts its updates, the real gate, and a log of what could be seen. */
class Bench implements GateHost<Command> {
  readonly control = new RunControl();
  readonly mailbox: ScriptedMailbox;
  readonly gate: BlockingGate<Command>;
  readonly log: string[] = [];
  readonly answered: string[] = [];
  step = 0;
  /** Last finished phase of the minibatch under way, null at a boundary. */
  inside: Phase | null = null;
  /** The place reached last. */
  at = 'step null';
  asked = 0;
  abandoned = 0;
  switches = 0;
  restarts = 0;
  drawn = true;
  dueAt = 0;

  constructor(script: readonly Posted[]) {
    this.mailbox = new ScriptedMailbox(script);
    this.gate = new BlockingGate(this.control, this.mailbox, this);
  }

  mayServe(): boolean {
    return true;
  }
  serve(command: Command): void {
    const name = `${command} ${String(this.asked)}`;
    this.asked += 1;
    const answer = (refusal?: GradscopeError): void => {
      this.answered.push(refusal === undefined ? name : `${name} refused`);
      this.log.push(`${name} answered at step ${String(this.step)} ${this.inside ?? 'boundary'}`);
    };
    if (command === 'play') {
      this.control.play();
      answer();
    } else if (command === 'pause') this.control.pause(answer);
    else if (command === 'switch') {
      this.switches += 1;
      this.control.leave('atBoundary');
      answer();
    } else if (command === 'restart') {
      this.restarts += 1;
      this.control.leave('atOnce');
      answer();
    } else if (command === 'draw') {
      this.drawn = true;
      answer();
    } else this.control.step(command, 1, answer);
  }

  reached(position: Position): void {
    this.inside = position.phase;
    this.at = `${position.phase} ${String(position.layer)}`;
    if (position.phase === 'step') {
      this.step += 1;
      this.inside = null;
    }
  }
  mayBegin(): boolean {
    return true;
  }
  began(): void {
    this.inside = 'step';
  }
  stood(): void {
    this.log.push(`stands at step ${String(this.step)} ${this.inside ?? 'boundary'}`);
  }
  went(): void {
    this.log.push('goes');
  }
  publish(): void {
    /* Pictures are the publisher's. */
  }
  hasDrawn(): boolean {
    return this.drawn;
  }
  idle(): boolean {
    return false;
  }
  due(): number {
    return this.dueAt;
  }

  /** Trains as a loop and the controller do, until the script is over. */
  run(): this {
    try {
      for (;;) {
        this.epoch();
        if (this.control.leaving === 'atOnce') {
          this.control.begin(() => undefined);
          this.step = 0;
        } else if (this.step > 0 && this.step % STEPS_PER_EPOCH === 0) this.control.epochEnded();
        this.control.left();
      }
    } catch (error) {
      if (!(error instanceof EndOfScript)) throw error;
    }
    return this;
  }

  private epoch(): void {
    do {
      if (this.gate.beforeStep() === 'leave') return;
      try {
        for (const place of PLACES) this.gate.reached(place);
      } catch (error) {
        if (!(error instanceof StepAbandoned)) throw error;
        this.abandoned += 1;
        this.inside = null;
      }
    } while (this.step % STEPS_PER_EPOCH !== 0 || this.step === 0);
  }
}

/** A bare command arrives when training sleeps. */
const bench = (...script: (Command | Posted)[]): Bench =>
  new Bench(
    script.map((entry) => (typeof entry === 'string' ? { command: entry, after: Infinity } : entry)),
  ).run();
const atOnce = (command: Command): Posted => ({ command, after: 0 });

describe('single steps', () => {
  it('walks the five phases one by one and counts the step after the last', () => {
    const run = bench('phase', 'phase', 'phase', 'phase', 'phase', 'phase');
    expect(run.log.filter((line) => line.startsWith('stands'))).toEqual([
      'stands at step 0 boundary',
      'stands at step 0 zeroGrad',
      'stands at step 0 forward',
      'stands at step 0 loss',
      'stands at step 0 backward',
      'stands at step 1 boundary',
      'stands at step 1 zeroGrad',
    ]);
  });

  it('walks through the layers, without a stop of its own for the ends of forward and backward', () => {
    const run = new Bench(Array.from({ length: 7 }, () => ({ command: 'layer', after: Infinity })));
    const places: string[] = [];
    run.stood = () => {
      places.push(run.at);
    };
    run.run();
    expect(places).toEqual([
      'step null',
      'zeroGrad null',
      'forward 0',
      'forward 1',
      'loss null',
      'backward 1',
      'backward 0',
      'step null',
    ]);
    expect(run.step).toBe(1);
  });

  it('ends a free run at the next layer when Step layer is asked for, and pauses there for good', () => {
    const run = bench('play', { command: 'layer', after: 4 }, 'pause', 'phase');
    expect([run.at, run.abandoned]).toEqual(['forward null', 0]);
  });

  it('goes from a layer to the end of its phase or minibatch', () => {
    expect(bench('layer', 'layer', 'phase').at).toBe('forward null');
    const run = bench('layer', 'layer', 'batch');
    expect([run.step, run.inside, run.abandoned]).toEqual([1, null, 0]);
  });

  it('abandons a minibatch that was entered by layer and then played', () => {
    const run = bench('layer', 'layer', 'play', { command: 'pause', after: 2 });
    expect([run.step, run.inside, run.abandoned]).toEqual([0, null, 1]);
  });

  it('does as many minibatches as were asked for, also when they were asked for in one go', () => {
    expect(bench(atOnce('batch'), atOnce('batch'), atOnce('batch')).step).toBe(3);
  });

  it('finishes the minibatch under way when Step batch follows Step phase', () => {
    const run = bench('phase', 'phase', 'batch');
    expect([run.step, run.inside, run.abandoned]).toEqual([1, null, 0]);
  });

  it('goes to the end of the epoch under way, not an epoch further', () => {
    expect(bench('batch', 'epoch').step).toBe(STEPS_PER_EPOCH);
    expect(bench('epoch', 'epoch').step).toBe(2 * STEPS_PER_EPOCH);
  });

  it('ends a free run at the end of the minibatch when a step is asked for', () => {
    const run = bench('play', { command: 'batch', after: 13 });
    expect(run.inside).toBeNull();
    expect(run.control.standing).toBe(true);
    expect(run.answered).toEqual(['play 0', 'batch 1']);
  });

  it('answers a step only when training stands at its end', () => {
    expect(bench('batch').log).toEqual([
      'stands at step 0 boundary',
      'goes',
      'stands at step 1 boundary',
      'batch 0 answered at step 1 boundary',
    ]);
  });

  it('waits for the picture of the last step before it begins the next', () => {
    const run = new Bench([{ command: 'batch', after: 0 }]);
    run.drawn = false;
    run.run();
    expect(run.step).toBe(0);
    const drawn = new Bench([
      { command: 'batch', after: 0 },
      { command: 'draw', after: 0 },
    ]);
    drawn.drawn = false;
    expect(drawn.run().step).toBe(1);
  });
});

describe('Step phase from the last layer of a phase', () => {
  it('goes on to the next phase, as the end of this one is the same place', () => {
    expect(bench('layer', 'layer', 'layer', 'phase').at).toBe('loss null');
    const run = bench('layer', 'layer', 'layer', 'layer', 'layer', 'layer', 'phase');
    expect([run.step, run.inside]).toEqual([1, null]);
  });

  it('still finds the end of the phase when it stood before the last layer', () => {
    expect(bench('layer', 'layer', 'phase').at).toBe('forward null');
  });
});

describe('breakpoints', () => {
  const breaking = (breakpoints: readonly Breakpoint[], ...commands: Command[]): Bench => {
    const run = new Bench(commands.map((command) => ({ command, after: Infinity })));
    run.control.setBreakpoints(breakpoints);
    return run.run();
  };

  it('hold what runs on, each time they are reached', () => {
    const forward = [{ phase: 'forward', after: 'layer' }] as const;
    expect(breaking(forward, 'play').at).toBe('forward 0');
    expect(breaking(forward, 'play', 'play').at).toBe('forward 1');
    const round = breaking(forward, 'play', 'play', 'play');
    expect([round.step, round.at, round.abandoned]).toEqual([1, 'forward 0', 0]);
  });

  it('stop once where the last layer and the end of its phase are one place', () => {
    const both = [
      { phase: 'backward', after: 'phase' },
      { phase: 'backward', after: 'layer' },
    ] as const;
    const run = breaking(both, 'play', 'play', 'play');
    expect([run.step, run.at]).toEqual([1, 'backward 1']);
  });

  it('say which of them holds training, until it goes on or stands for another reason', () => {
    const loss = { phase: 'loss', after: 'phase' } as const;
    expect(breaking([loss], 'play').control.stoppedAt).toEqual(loss);
    expect(breaking([loss], 'play', 'phase').control.stoppedAt).toBeNull();
    expect(breaking([loss], 'phase', 'phase', 'phase').control.stoppedAt).toBeNull();
  });

  it('do not hold up a step that has a goal of its own', () => {
    const loss = { phase: 'loss', after: 'phase' } as const;
    const run = breaking([loss], 'batch');
    expect([run.step, run.inside]).toEqual([1, null]);
  });

  it('hold training after an update, with the minibatch rounded off', () => {
    const run = breaking([{ phase: 'step', after: 'phase' }], 'play', 'play');
    expect([run.step, run.inside, run.control.stoppedAt?.phase]).toEqual([2, null, 'step']);
  });

  it('leave nothing behind when a pause comes between one and the next', () => {
    const run = new Bench([
      { command: 'play', after: Infinity },
      { command: 'play', after: Infinity },
      { command: 'pause', after: 2 },
    ]);
    run.control.setBreakpoints([{ phase: 'zeroGrad', after: 'phase' }]);
    run.run();
    expect([run.step, run.inside, run.abandoned, run.control.stoppedAt]).toEqual([0, null, 1, null]);
  });
});

describe('pause', () => {
  it('abandons the minibatch under way and changes nothing', () => {
    const run = bench('play', { command: 'pause', after: 14 });
    expect(run.abandoned).toBe(1);
    expect(run.step).toBe(1);
    expect(run.log.at(-1)).toBe('pause 1 answered at step 1 boundary');
  });

  it('lets an update that has begun finish, and does no other', () => {
    // Two looks before the minibatch begins, then one after each place: the eleventh follows the update.
    const run = bench('play', { command: 'pause', after: 11 });
    expect([run.step, run.abandoned]).toEqual([1, 0]);
  });

  it('leaves training that stands inside a minibatch where it is', () => {
    const run = bench('phase', 'phase', 'pause', 'phase');
    expect([run.inside, run.abandoned]).toEqual(['loss', 0]);
  });

  it('abandons a minibatch that was entered by phase and then played', () => {
    const run = bench('phase', 'phase', 'play', { command: 'pause', after: 2 });
    expect([run.step, run.inside, run.abandoned]).toEqual([0, null, 1]);
  });

  it('takes effect before a play that was posted right behind it', () => {
    const run = bench('play', { command: 'pause', after: 5 }, atOnce('play'), { command: 'pause', after: 5 });
    expect(run.log.filter((line) => line.startsWith('pause'))).toHaveLength(2);
    expect(run.abandoned).toBe(2);
  });

  it('forgets steps that wait for their turn', () => {
    const run = bench('epoch', atOnce('epoch'), { command: 'pause', after: 3 });
    expect(run.step).toBe(0);
    expect(run.answered).toHaveLength(3);
  });
});

describe('leaving', () => {
  it('finishes the minibatch before another loop takes over, also when it was entered by phase', () => {
    const run = bench('phase', 'switch', 'phase', 'batch');
    expect([run.step, run.abandoned, run.switches]).toEqual([1, 0, 1]);
  });

  it('keeps running after a switch while running', () => {
    const run = new Bench([
      { command: 'play', after: 0 },
      { command: 'switch', after: 15 },
    ]).run();
    expect(run.step).toBeGreaterThan(4);
  });

  it('gives up the minibatch for a new run and stands at its start', () => {
    const run = bench('play', { command: 'restart', after: 14 });
    expect([run.step, run.abandoned, run.control.standing]).toEqual([0, 1, true]);
  });

  it('serves what was posted behind a restart only in the new run', () => {
    const run = bench('play', { command: 'restart', after: 14 }, atOnce('batch'));
    expect(run.step).toBe(1);
  });
});

describe('a new run that could not be had', () => {
  it('leaves training where it stood inside a minibatch, by doing that again', () => {
    const run = new Bench([]);
    run.control.goBackTo({ phase: 'loss', layer: null });
    run.run();
    expect([run.step, run.inside, run.control.standing]).toEqual([0, 'loss', true]);
  });

  it('leaves it at the layer at which it stood', () => {
    const run = new Bench([]);
    run.control.goBackTo({ phase: 'backward', layer: 1 });
    run.run();
    expect([run.step, run.at, run.control.standing]).toEqual([0, 'backward 1', true]);
  });

  it('binds no later step to that phase', () => {
    const run = new Bench([
      { command: 'phase', after: Infinity },
      { command: 'phase', after: Infinity },
    ]);
    run.control.goBackTo({ phase: 'zeroGrad', layer: null });
    run.run();
    expect(run.inside).toBe('loss');
  });
});

describe('the end of a run', () => {
  it('refuses to go on, and answers steps that wait', () => {
    const control = new RunControl();
    const answers: (string | undefined)[] = [];
    control.step('batch', 1, (refusal) => answers.push(refusal?.code));
    control.step('batch', 1, (refusal) => answers.push(refusal?.code));
    control.beginNextStep(() => true);
    control.end('finished');
    control.answerWaiting();
    expect(answers).toEqual(['not-now', undefined]);
    expect(() => {
      control.play();
    }).toThrow(GradscopeError);
    control.begin(() => undefined);
    control.play();
    expect(control.going).toBe(true);
  });
});

it('waits out the speed limit when it runs, not when it steps', () => {
  const slow = new Bench([{ command: 'play', after: 0 }]);
  slow.dueAt = Infinity;
  slow.run();
  expect(slow.step).toBe(0);
  // It runs all the same: nobody has to tell it to go.
  expect(slow.control.standing).toBe(false);
  const stepping = new Bench([{ command: 'batch', after: 0 }]);
  stepping.dueAt = Infinity;
  expect(stepping.run().step).toBe(1);
});

it('costs one look into the mailbox a gate when nothing was asked', () => {
  const run = new Bench([{ command: 'play', after: 0 }]).run();
  // Nine places and one boundary a minibatch.
  expect(run.mailbox.looks / run.step).toBeLessThanOrEqual(11);
});

describe('any sequence of commands', () => {
  const commands = fc.array(
    fc.record({
      command: fc.constantFrom<Command>('play', 'pause', 'phase', 'batch', 'epoch', 'switch'),
      after: fc.nat(25),
    }),
    { maxLength: 30 },
  );

  const breakpoints = fc.subarray<Breakpoint>([
    { phase: 'zeroGrad', after: 'phase' },
    { phase: 'forward', after: 'layer' },
    { phase: 'backward', after: 'phase' },
    { phase: 'step', after: 'phase' },
  ]);

  it('never trains after a pause, and answers every request once, whatever breakpoints there are', () => {
    fc.assert(
      fc.property(commands, breakpoints, (script, stops) => {
        const run = new Bench([...script, { command: 'pause', after: 7 }]);
        run.control.setBreakpoints(stops);
        run.run();
        expect(new Set(run.answered).size).toBe(run.answered.length);
        expect(run.answered).toHaveLength(script.length + 1);
        let stoodAt = '';
        let mayMove = false;
        for (const line of run.log) {
          if (line.startsWith('stands at ')) {
            if (!mayMove && stoodAt !== '') expect(line).toBe(stoodAt);
            stoodAt = line;
            mayMove = false;
          } else if (line === 'goes') mayMove = true;
          else if (line.startsWith('pause') && stoodAt !== '') {
            expect(line.split(' at ')[1]).toBe(stoodAt.split(' at ')[1]);
          }
        }
        expect(run.control.standing).toBe(true);
      }),
    );
  });

  it('gives each Step batch its minibatch, whatever the timing', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { maxLength: 12 }), (gaps) => {
        const script = gaps.map((after): Posted => ({ command: 'batch', after }));
        expect(new Bench(script).run().step).toBe(gaps.length);
      }),
    );
  });
});

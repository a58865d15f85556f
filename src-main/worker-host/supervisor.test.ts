import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Supervisor, describeExit, type SupervisedProcess } from './supervisor';

const SCRIPT = fileURLToPath(new URL('./testing/fake-trainer.cjs', import.meta.url));

/** A real process that does not end when asked, and what was tried on it. */
async function stubborn(): Promise<{ process: SupervisedProcess; tried: string[]; signal: Promise<string> }> {
  const child = fork(SCRIPT, ['{}', 'stubborn'], { serialization: 'advanced' });
  child.send({ client: 0, event: 'open' });
  await once(child, 'message');
  const tried: string[] = [];
  const signal = once(child, 'exit').then(([, name]) => name as string);
  return {
    tried,
    signal,
    process: {
      onExit: (receiver) => {
        child.once('exit', (code, name) => {
          receiver({ code, signal: name });
        });
      },
      requestEnd: () => {
        tried.push('asked');
        child.disconnect();
      },
      kill: (name) => {
        tried.push(name);
        child.kill(name);
      },
    },
  };
}

describe('Supervisor', () => {
  // Catches: a hung trainer that outlives Gradscope.
  it('goes from asking to SIGTERM to SIGKILL until the process has ended', async () => {
    const { process, tried, signal } = await stubborn();
    const supervisor = new Supervisor({ spawn: () => process, graceMs: 20 });
    supervisor.live();
    await supervisor.stop();
    expect(tried).toEqual(['asked', 'SIGTERM', 'SIGKILL']);
    expect(await signal).toBe('SIGKILL');
  });

  // Catches: a second stop that asks again or resolves before the process is gone; a spawn on the way out.
  it('stops once, and never spawns afterwards', async () => {
    let spawned = 0;
    let exit: (() => void) | undefined;
    let asked = 0;
    const supervisor = new Supervisor({
      spawn: () => {
        spawned += 1;
        return {
          onExit: (receiver) => {
            exit = () => {
              receiver({ code: 0, signal: null });
            };
          },
          requestEnd: () => {
            asked += 1;
          },
          kill: () => undefined,
        };
      },
    });
    supervisor.live();
    const first = supervisor.stop();
    const second = supervisor.stop();
    exit?.();
    await Promise.all([first, second]);
    expect(asked).toBe(1);
    expect(() => supervisor.live()).toThrow(expect.objectContaining({ code: 'closed' }));
    expect(spawned).toBe(1);
  });

  // Catches: an unused host that cannot be stopped.
  it('stops at once when nothing was ever spawned', async () => {
    await new Supervisor<SupervisedProcess>({
      spawn: () => {
        throw new Error('should not be called');
      },
    }).stop();
  });
});

describe('describeExit', () => {
  // Catches: "exit code null", which tells nobody anything.
  it('says what is known', () => {
    expect(describeExit({ code: 1, signal: null })).toBe('The trainer process ended with exit code 1.');
    expect(describeExit({ code: null, signal: 'SIGSEGV' })).toBe('The trainer process was ended by SIGSEGV.');
    for (const signal of ['SIGTRAP', 'SIGABRT', 'SIGILL', 'SIGKILL'])
      expect(describeExit({ code: null, signal })).toMatch(new RegExp(`was ended by ${signal}, .*memory`));
    expect(describeExit({ code: null, signal: null, error: 'spawn ENOENT' })).toBe(
      'The trainer process could not be started: spawn ENOENT.',
    );
  });
});

import { describe, expect, it } from 'vitest';
import type { Status } from '../../src-shared/protocol/messages';
import { panelAfter } from './panel';

const status = (state: Status['state'], step: number, minibatchStep: number): Status =>
  ({ state, step, minibatch: { step: minibatchStep, indices: [1, 2, 3] } }) as unknown as Status;

const boundary = status('paused', 4, 4);
const inside = status('paused', 4, 5);
const finished = status('paused', 5, 5);
const running = status('running', 6, 6);

describe('panelAfter', () => {
  it('shows the stage when training comes to stand inside a step', () => {
    expect(panelAfter('kernel', 'kernel', boundary, inside)).toBe('stage');
  });

  it('shows the stage of a page that finds training standing inside a step', () => {
    expect(panelAfter('network', 'network', null, inside)).toBe('stage');
  });

  it('leaves what was chosen by hand between two stops of the same step', () => {
    expect(panelAfter('kernel', 'kernel', inside, inside)).toBe('kernel');
  });

  it('goes from the stage to the step when the step is done', () => {
    expect(panelAfter('stage', 'kernel', inside, finished)).toBe('step');
  });

  it('does not go to the step when the step was abandoned', () => {
    expect(panelAfter('stage', 'kernel', inside, boundary)).toBe('stage');
  });

  it('goes from the stage to the step also over the moment in which a whole step runs', () => {
    expect(panelAfter('stage', 'kernel', inside, running)).toBe('stage');
    expect(panelAfter('stage', 'kernel', running, finished)).toBe('step');
  });

  it('goes back when training runs on, and only then', () => {
    expect(panelAfter('stage', 'network', running, running)).toBe('network');
    expect(panelAfter('step', 'step', running, running)).toBe('step');
    expect(panelAfter('network', 'kernel', inside, running)).toBe('network');
  });
});

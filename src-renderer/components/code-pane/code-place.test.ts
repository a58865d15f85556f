import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PHASES } from '../../../src-shared/model/phases';
import { RECIPES, recipeNamed } from '../../../src-shared/model/recipe';
import { DEFAULT_RUN_CONFIG } from '../../../src-shared/model/run-config';
import type { Breakpoint, Status } from '../../../src-shared/protocol/messages';
import { CODE_VIEWS, type CodeView } from '../../state/store';
import { codePlace, fitTimeWords, litLines, placeSentence, sameMoment } from './code-place';
import { codeFacts, codeOf, type CodeLine, type Moment } from './code-text';

const FACTS = codeFacts(recipeNamed('pytorch-paper'), DEFAULT_RUN_CONFIG, 3);
const lines = (view: CodeView): readonly CodeLine[] => codeOf(view, FACTS);

const STATUS: Status = {
  type: 'status',
  runId: 1,
  state: 'paused',
  step: 5,
  epoch: 1,
  epochs: 3,
  stepInEpoch: 5,
  stepsPerEpoch: 938,
  phase: 'step',
  layer: null,
  mode: 'imperative',
  breakpoints: [],
  stoppedAt: null,
  stepsPerSecondLimit: null,
  stepsPerSecond: null,
  imagesPerSecond: null,
  threads: null,
  fitTime: null,
  phaseShares: null,
  minibatch: null,
  weightsSha256: null,
  proof: null,
  testing: null,
  failure: null,
};

const layer = (phase: 'forward' | 'backward'): Breakpoint => ({ phase, after: 'layer' });
const end = (phase: Breakpoint['phase']): Breakpoint => ({ phase, after: 'phase' });
const EVERY_MOMENT: readonly Moment[] = [...PHASES.map(end), layer('forward'), layer('backward'), 'test'];

/** The text of the lit line, without its indent. */
const litText = (view: CodeView, moment: Moment): string =>
  lines(view)[litLines(lines(view), moment).line]?.text.trim() ?? 'none';

describe('the lit line', () => {
  it('is one line in every view, whatever the moment', () => {
    for (const view of CODE_VIEWS) {
      for (const moment of EVERY_MOMENT) {
        const lit = lines(view).filter(({ at }) => at.some((one) => sameMoment(one, moment)));
        expect(lit, `${view} ${JSON.stringify(moment)}`).toHaveLength(1);
      }
    }
  });

  it.each<[CodeView, Moment, string]>([
    ['loop', end('zeroGrad'), 'zero_grad(net)'],
    ['loop', layer('forward'), 'x = layer.forward(x)'],
    ['loop', end('forward'), 'for layer in net:'],
    ['loop', end('loss'), 'loss, err = nll(x, y)'],
    ['loop', layer('backward'), 'err = layer.backward(err)'],
    ['loop', end('step'), 'p.w -= 0.01 * p.v'],
    ['loop', 'test', 'test(net)'],
    ['fit', layer('backward'), 'net.fit(  # dropout 0.5'],
    ['fit', end('loss'), 'loss=nll)'],
    ['fit', end('step'), 'optimizer=SGD(0.01, 0.5),'],
    ['tape', end('zeroGrad'), 'with GradientTape() as t:'],
    ['tape', layer('forward'), 'z = net(x, training=True)'],
    ['tape', layer('backward'), 'g = t.gradient(loss, w)'],
  ])('of %s at %j is %s', (view, moment, text) => {
    expect(litText(view, moment)).toBe(text);
  });

  it('has the loop over the layers around it only inside forward and backward', () => {
    const loop = lines('loop');
    expect(loop[litLines(loop, layer('forward')).around]?.text).toBe('    for layer in net:');
    expect(loop[litLines(loop, layer('backward')).around]?.text).toBe('    for layer in reversed(net):');
    for (const moment of [end('backward'), end('loss'), 'test'] as const) {
      expect(litLines(loop, moment).around).toBe(-1);
    }
    expect(litLines(lines('tape'), layer('backward')).around).toBe(-1);
  });
});

describe('breakpoints and shares', () => {
  it('give each line of a view a breakpoint of its own, at the place where that line is lit', () => {
    for (const view of CODE_VIEWS) {
      const stops = lines(view).flatMap(({ stop }) => (stop === null ? [] : [JSON.stringify(stop)]));
      expect(new Set(stops).size, view).toBe(stops.length);
      for (const { stop, at } of lines(view)) if (stop !== null) expect(at).toContainEqual(stop);
    }
  });

  it('say for every other line why it can have none', () => {
    for (const view of CODE_VIEWS) {
      for (const { stop, about } of lines(view)) {
        expect(about.startsWith('No breakpoint here: '), about).toBe(stop === null);
      }
    }
  });

  it('count the time of each phase once in a view, so that the shares add up to the whole step', () => {
    for (const view of CODE_VIEWS) {
      expect(
        lines(view)
          .flatMap(({ phases }) => phases)
          .sort(),
      ).toEqual([...PHASES].sort());
    }
  });
});

describe('where a run is', () => {
  it('is the layer at which it stands', () => {
    const place = codePlace({ ...STATUS, phase: 'backward', layer: 'conv2' }, 'step');
    expect(place).toEqual({ moment: layer('backward'), layer: 'conv2' });
  });

  it('is the place of the picture while it runs, so that no line flickers', () => {
    for (const phase of PHASES) {
      expect(codePlace({ ...STATUS, state: 'running', phase }, 'step')?.moment).toEqual(end('step'));
    }
  });

  it('is the test at the end of an epoch, not one within it or that of a network that stands', () => {
    const testing = { ...STATUS, testing: 0.5 };
    expect(codePlace({ ...testing, state: 'running', stepInEpoch: 938 }, 'step')?.moment).toBe('test');
    expect(codePlace({ ...testing, state: 'running' }, 'step')?.moment).toEqual(end('step'));
    expect(codePlace({ ...testing, stepInEpoch: 938 }, 'step')?.moment).toEqual(end('step'));
  });

  it('is nowhere before the first step and after the last', () => {
    expect(codePlace({ ...STATUS, phase: null }, null)).toBeNull();
    expect(codePlace({ ...STATUS, state: 'finished' }, 'step')).toBeNull();
  });
});

describe('the sentence', () => {
  const atConv2 = { moment: layer('backward'), layer: 'conv2' };
  const stopped = { state: 'paused', stoppedAt: layer('backward') } as const;

  it('names line, phase and layer, and why training stands', () => {
    expect(placeSentence(atConv2, { state: 'paused', stoppedAt: null }, 'loop', FACTS)).toBe(
      'Stands after line 9: backward, conv2.',
    );
    expect(placeSentence(atConv2, stopped, 'loop', FACTS)).toBe(
      'Stopped at the breakpoint on line 9: backward, conv2.',
    );
    const loss = { moment: end('loss'), layer: null };
    expect(placeSentence(loss, { state: 'paused', stoppedAt: end('loss') }, 'tape', FACTS)).toBe(
      'Stopped at the breakpoint on line 7: loss.',
    );
  });

  it('finds the line of a breakpoint that the open view does not have', () => {
    expect(placeSentence(atConv2, stopped, 'fit', FACTS)).toBe(
      'Stopped at the breakpoint on line 9 of loop: backward, conv2.',
    );
  });

  it('never names a line that is not there', () => {
    const moments = fc.constantFrom(...EVERY_MOMENT);
    const states = fc.constantFrom<Status['state']>('running', 'paused');
    fc.assert(
      fc.property(moments, states, fc.constantFrom(...CODE_VIEWS), (moment, state, view) => {
        const stoppedAt = moment === 'test' || state === 'running' ? null : moment;
        const text = placeSentence({ moment, layer: null }, { state, stoppedAt }, view, FACTS);
        const number = Number(/line (\d+)/u.exec(text)?.[1]);
        expect(number).toBeGreaterThanOrEqual(1);
        expect(number).toBeLessThanOrEqual(14);
      }),
    );
  });
});

describe('the text', () => {
  it('fits into the rail, beside its share where it has one', () => {
    for (const recipe of RECIPES) {
      const facts = codeFacts(recipe, { ...DEFAULT_RUN_CONFIG, seed: 4_294_967_295 }, 100);
      for (const view of CODE_VIEWS) {
        for (const { text, phases } of codeOf(view, facts)) {
          // A seed of ten figures is cut off; what it is stands in the rail beside it.
          const isLong = text.includes('seed=');
          if (!isLong) expect(text.length, text).toBeLessThanOrEqual(phases.length > 0 ? 31 : 35);
        }
      }
    }
  });

  it('is that of the run: epochs, minibatches, rates and dropout', () => {
    const facts = codeFacts(
      {
        ...recipeNamed('keras-paper'),
        batchSize: 32,
        optimiser: { kind: 'sgd', learningRate: 0.1, momentum: 0, nesterov: false, weightDecay: 0 },
      },
      { ...DEFAULT_RUN_CONFIG, seed: 7, dropout: false },
      6,
    );
    const text = (view: CodeView): string =>
      codeOf(view, facts)
        .map((line) => line.text)
        .join('\n');
    for (const part of ['range(6)', 'batches(32, seed=7)', 'dropout off', 'p.w -= 0.1 * p.g']) {
      expect(text('loop')).toContain(part);
    }
    for (const part of ['SGD(0.1, 0)', 'epochs=6', 'batch_size=32', '# dropout off']) {
      expect(text('fit')).toContain(part);
    }
    for (const part of ['range(6)', 'z = net(x)', 'SGD(0.1, momentum=0)']) {
      expect(text('tape')).toContain(part);
    }
    const doubled = codeFacts(recipeNamed('keras-double-softmax'), DEFAULT_RUN_CONFIG, 6);
    expect(codeOf('loop', doubled)[6]?.text).toBe('    L, err = nll(softmax(x), y)');
    expect(codeOf('tape', doubled)[6]?.text).toBe('      loss = nll(y, softmax(z))');
    expect(codeOf('fit', doubled)[7]?.text).toBe('  loss=nll)  # of a softmax');
    const given = codeFacts(recipeNamed('keras-paper'), { ...DEFAULT_RUN_CONFIG, order: [[1]] }, 6);
    expect(codeOf('loop', given)[2]?.text).toBe('  for x, y in given_batches:');
  });
});

// Catches: a share where times were meant, or a time of nothing.
it('says what fit() itself takes of a step, once that is known', () => {
  expect(fitTimeWords({ ownMs: 0.518, stepMs: 2.1 })).toBe('fit() itself: 0.52 ms of 2.10 ms a step');
  expect(fitTimeWords(null)).toBe('');
});

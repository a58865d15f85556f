import type { NetworkSpec } from '../../../src-shared/model/network';
import type { OptimiserSpec } from '../../../src-shared/model/optimiser';
import type { Phase } from '../../../src-shared/model/phases';
import type { Recipe } from '../../../src-shared/model/recipe';
import type { Mode, RunConfig } from '../../../src-shared/model/run-config';
import type { Breakpoint } from '../../../src-shared/protocol/messages';
import { numberLiteral } from '../../scene/numbers';
import type { CodeView } from '../../state/store';
import { constructorLines, optimiserWords, shortOptimiser, updateRule, weightRule } from './optimiser-text';

/** How a loss is written. */
interface LossText {
  /** What `nll` is called on, given the name of the last layer's output. */
  readonly of: (output: string) => string;
  readonly about: string;
}

/** Of the run that is shown: what its code says. */
export interface CodeFacts {
  readonly epochs: number;
  readonly batchSize: number;
  /** Null: the minibatches were given as a list. */
  readonly seed: number | null;
  readonly optimiser: OptimiserSpec;
  readonly loss: LossText;
  /** Probabilities of dropping, one for each that occurs; empty: nothing is dropped. */
  readonly dropout: readonly number[];
}

/** A moment of training: after a layer of forward or backward, once a phase is over, or while the epoch is tested. */
export type Moment = Breakpoint | 'test';

export interface CodeLine {
  readonly text: string;
  /** The moments at which this is the line where training is. */
  readonly at: readonly Moment[];
  /** Phases whose time is spent here; each belongs to one line of a view. */
  readonly phases: readonly Phase[];
  /** The breakpoint that the line can have; it is the same in every view. */
  readonly stop: Breakpoint | null;
  /** For people: what the line does, or why no breakpoint can be set. */
  readonly about: string;
}

/** By the names that a network has for them. */
const LOSSES: Readonly<Record<NetworkSpec['loss'], LossText>> = {
  softmaxCrossEntropy: {
    of: (output) => output,
    about: 'nll: log-softmax, then minus the log of the label’s probability.',
  },
  softmaxOfSoftmaxCrossEntropy: {
    of: (output) => `softmax(${output})`,
    about: 'nll applies softmax once more to what has been through one: the mistake of this recipe.',
  },
};

export function codeFacts(recipe: Recipe, config: RunConfig, epochs: number): CodeFacts {
  const { layers, loss } = recipe.network;
  const rates = layers.flatMap((layer) => (layer.kind === 'dropout' ? [layer.rate] : []));
  return {
    epochs,
    batchSize: recipe.batchSize,
    seed: config.order === null ? config.seed : null,
    optimiser: recipe.optimiser,
    loss: LOSSES[loss],
    dropout: config.dropout ? [...new Set(rates)].filter((rate) => rate > 0) : [],
  };
}

export const viewOf = (mode: Mode): CodeView => (mode === 'fit' ? 'fit' : 'loop');

const after = (phase: Phase): Breakpoint => ({ phase, after: 'phase' });
const eachLayer = (phase: 'forward' | 'backward'): Breakpoint => ({ phase, after: 'layer' });

/** A line that does the work of a phase, or of each layer in it, and can have a breakpoint. */
const stops = (text: string, stop: Breakpoint, phases: readonly Phase[], about: string): CodeLine => ({
  text,
  at: [stop],
  phases,
  stop,
  about,
});

/** A line that cannot have one. */
const plain = (text: string, about: string, at: readonly Moment[] = []): CodeLine => ({
  text,
  at,
  phases: [],
  stop: null,
  about,
});

const NO_PLACE = 'No breakpoint here: training has no place of its own at this line.';
const INSIDE_UPDATE = 'No breakpoint here: an update is done as a whole; stop after it.';
const TESTS = 'No breakpoint here: a test changes no weight, and Pause stops it at any time.';

export function codeOf(view: CodeView, facts: CodeFacts): readonly CodeLine[] {
  switch (view) {
    case 'loop':
      return loopCode(facts);
    case 'fit':
      return fitCode(facts);
    case 'tape':
      return tapeCode(facts);
  }
}

/** The loop as PyTorch users write it, with the layers that autograd would hide. */
function loopCode(facts: CodeFacts): readonly CodeLine[] {
  const { epochs, optimiser, loss } = facts;
  return [
    plain(`for epoch in range(${String(epochs)}):`, NO_PLACE),
    plain(`  net.train()  # dropout ${rates(facts) ?? 'off'}`, NO_PLACE),
    plain(
      `  for x, y in ${batches(facts)}:`,
      'No breakpoint here: stop after the step, where a minibatch ends.',
    ),
    stops('    zero_grad(net)', after('zeroGrad'), ['zeroGrad'], 'Every p.g becomes 0. Play stops after it.'),
    stops('    for layer in net:', after('forward'), [], 'Play stops once, when all layers are through.'),
    stops(
      '      x = layer.forward(x)',
      eachLayer('forward'),
      ['forward'],
      'Makes the output of one layer. Play stops after each layer.',
    ),
    stops(
      // The short name where the long one leaves no room for the share of time.
      `    ${loss.of('x') === 'x' ? 'loss' : 'L'}, err = nll(${loss.of('x')}, y)`,
      after('loss'),
      ['loss'],
      `${loss.about} err is dL/d output of the last layer. Play stops after it.`,
    ),
    stops(
      '    for layer in reversed(net):',
      after('backward'),
      [],
      'Play stops once, when all layers are through.',
    ),
    stops(
      '      err = layer.backward(err)',
      eachLayer('backward'),
      ['backward'],
      'Makes dL/d input of dL/d output, and p.g of the layer’s parameters. Play stops after each layer.',
    ),
    plain('    for p in net.parameters():', INSIDE_UPDATE),
    ...updateRule(optimiser).map((line) => plain(`      ${line}`, INSIDE_UPDATE)),
    stops(
      `      ${weightRule(optimiser)}`,
      after('step'),
      ['step'],
      'All weights move by dW. Play stops between this minibatch and the next.',
    ),
    plain('  net.eval()  # dropout off', NO_PLACE),
    plain('  test(net)', TESTS, ['test']),
  ];
}

function fitCode(facts: CodeFacts): readonly CodeLine[] {
  const { epochs, batchSize, optimiser, loss } = facts;
  const dropout = rates(facts);
  const size = facts.seed === null ? 'given_batches' : `x, y, batch_size=${String(batchSize)}`;
  const callback = 'No breakpoint here: a callback runs after the step; stop there.';
  return [
    plain('class Watch(Callback):', NO_PLACE),
    plain('  def on_batch_end(self, i, logs):', callback),
    plain('    report(logs["loss"])', callback),
    plain('  def on_epoch_end(self, i, logs):', 'No breakpoint here: Step epoch stops where it was called.'),
    plain('    report(logs["val_accuracy"])', 'No breakpoint here: Step epoch stops where it was called.'),
    plain('net.compile(metrics=["accuracy"],', NO_PLACE),
    stops(
      `  optimizer=${shortOptimiser(optimiser)},`,
      after('step'),
      ['step'],
      `${optimiserWords(optimiser)}: fit() hands it the gradients, and it moves the weights. Play stops after it.`,
    ),
    stops(
      `  loss=nll)${loss.of('x') === 'x' ? '' : '  # of a softmax'}`,
      after('loss'),
      ['loss'],
      `${loss.about} fit() calls it on the last layer’s output. Play stops after it.`,
    ),
    {
      text: `net.fit(  # dropout ${dropout ?? 'off'}`,
      at: [
        after('zeroGrad'),
        eachLayer('forward'),
        after('forward'),
        eachLayer('backward'),
        after('backward'),
      ],
      phases: ['zeroGrad', 'forward', 'backward'],
      stop: null,
      about:
        'No breakpoint here: forward and backward are inside this one call. Set it in loop or tape: it stops fit() as well.',
    },
    plain(`  ${size}, epochs=${String(epochs)},`, NO_PLACE),
    plain('  validation_data=test,', TESTS, ['test']),
    plain('  callbacks=[Watch()])', NO_PLACE),
  ];
}

function tapeCode(facts: CodeFacts): readonly CodeLine[] {
  const { epochs, optimiser, loss, dropout } = facts;
  // Without dropout a network computes the same in training and test; the argument would only take room.
  const training = dropout.length === 0 ? '' : ', training=True';
  return [
    plain('w = net.trainable_weights', NO_PLACE),
    ...constructorLines(optimiser).map((line) => plain(line, NO_PLACE)),
    plain(`for epoch in range(${String(epochs)}):`, NO_PLACE),
    plain(
      `  for x, y in ${batches(facts)}:`,
      'No breakpoint here: stop after the step, where a minibatch ends.',
    ),
    stops(
      '    with GradientTape() as t:',
      after('zeroGrad'),
      ['zeroGrad'],
      'A new tape holds no gradients yet. Play stops after it.',
    ),
    {
      ...stops(
        `      z = net(x${training})`,
        after('forward'),
        ['forward'],
        `Each layer writes on the tape what it did; dropout is ${rates(facts) ?? 'off'}. Play stops after the last layer.`,
      ),
      at: [eachLayer('forward'), after('forward')],
    },
    stops(
      `      loss = nll(y, ${loss.of('z')})`,
      after('loss'),
      ['loss'],
      `${loss.about} Play stops after it.`,
    ),
    {
      ...stops(
        '    g = t.gradient(loss, w)',
        after('backward'),
        ['backward'],
        'The tape is read backwards, from the loss to the first layer. Play stops when it is through.',
      ),
      at: [eachLayer('backward'), after('backward')],
    },
    stops(
      '    opt.apply(g, w)',
      after('step'),
      ['step'],
      'All weights move by dW. Play stops between this minibatch and the next.',
    ),
    plain('    report(loss, g)', NO_PLACE),
    plain('  net.evaluate(test)', TESTS, ['test']),
  ];
}

const rates = ({ dropout }: CodeFacts): string | null =>
  dropout.length === 0 ? null : dropout.map(numberLiteral).join(', ');

const batches = ({ batchSize, seed }: CodeFacts): string =>
  seed === null ? 'given_batches' : `batches(${String(batchSize)}, seed=${String(seed)})`;

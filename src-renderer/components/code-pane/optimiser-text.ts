import type { OptimiserSpec } from '../../../src-shared/model/optimiser';
import { numberLiteral } from '../../scene/numbers';

/** How an optimiser is written: in a loop of one's own, and as the libraries' constructors. Lines fit a narrow pane. */

/** The lines before the one that moves the weights; p.g is the gradient. */
export function updateRule(optimiser: OptimiserSpec): readonly string[] {
  const decays = optimiser.weightDecay === 0 ? [] : [`p.g += ${numberLiteral(optimiser.weightDecay)} * p.w`];
  if (optimiser.kind === 'sgd') {
    const { momentum, nesterov } = optimiser;
    if (momentum === 0) return decays;
    const looksAhead = nesterov ? [`p.g += ${numberLiteral(momentum)} * p.v`] : [];
    return [...decays, `p.v = ${numberLiteral(momentum)} * p.v + p.g`, ...looksAhead];
  }
  const { beta1, beta2, epsilon } = optimiser;
  return [
    ...decays,
    `p.m += ${rest(beta1)} * (p.g - p.m)`,
    `p.v += ${rest(beta2)} * (p.g**2 - p.v)`,
    `m = p.m / (1 - ${numberLiteral(beta1)}**t)`,
    `v = p.v / (1 - ${numberLiteral(beta2)}**t)`,
    `s = m / (sqrt(v) + ${numberLiteral(epsilon)})`,
  ];
}

/** The line that moves the weights. */
export function weightRule(optimiser: OptimiserSpec): string {
  const rate = numberLiteral(optimiser.learningRate);
  if (optimiser.kind === 'adam') return `p.w -= ${rate} * s`;
  const moves = optimiser.momentum === 0 || optimiser.nesterov ? 'p.g' : 'p.v';
  return `p.w -= ${rate} * ${moves}`;
}

/** `SGD(0.01, 0.5)`, `Adam(0.001)`: as short as it can be read. */
export function shortOptimiser(optimiser: OptimiserSpec): string {
  const rate = numberLiteral(optimiser.learningRate);
  return optimiser.kind === 'sgd' ? `SGD(${rate}, ${numberLiteral(optimiser.momentum)})` : `Adam(${rate})`;
}

/** `opt = SGD(0.01, momentum=0.5)` with everything that is not left out by being off or zero. */
export function constructorLines(optimiser: OptimiserSpec): readonly string[] {
  const rate = numberLiteral(optimiser.learningRate);
  const more: string[] = [];
  if (optimiser.kind === 'sgd') {
    more.push(`momentum=${numberLiteral(optimiser.momentum)}`);
    if (optimiser.nesterov) more.push('nesterov=True');
  } else {
    more.push(`beta_1=${numberLiteral(optimiser.beta1)}`, `beta_2=${numberLiteral(optimiser.beta2)}`);
    more.push(`epsilon=${numberLiteral(optimiser.epsilon)}`);
  }
  if (optimiser.weightDecay !== 0) more.push(`weight_decay=${numberLiteral(optimiser.weightDecay)}`);
  const name = optimiser.kind === 'sgd' ? 'SGD' : 'Adam';
  if (more.length === 1) return [`opt = ${name}(${rate}, ${more.join('')})`];
  return [
    `opt = ${name}(${rate},`,
    ...more.map((each, i) => `  ${each}${i === more.length - 1 ? ')' : ','}`),
  ];
}

/** `Learning rate 0.01, momentum 0.5`. */
export function optimiserWords(optimiser: OptimiserSpec): string {
  const words = [`Learning rate ${numberLiteral(optimiser.learningRate)}`];
  if (optimiser.kind === 'sgd') {
    words.push(`${optimiser.nesterov ? 'Nesterov ' : ''}momentum ${numberLiteral(optimiser.momentum)}`);
  } else {
    words.push(`betas ${numberLiteral(optimiser.beta1)} and ${numberLiteral(optimiser.beta2)}`);
  }
  if (optimiser.weightDecay !== 0) words.push(`weight decay ${numberLiteral(optimiser.weightDecay)}`);
  return words.join(', ');
}

/** 1 - 0.9 is 0.1 to the reader. */
const rest = (beta: number): string => numberLiteral(1 - beta);

import { describe, expect, it } from 'vitest';
import { l2Norm } from '../tensor/statistics';
import { initialValues } from './initialise';
import { planNetwork, type ParameterPlan } from './network';
import { recipeNamed } from './recipe';

const plan = planNetwork(recipeNamed('pytorch-paper').network);
const parameterNamed = (name: string): ParameterPlan => {
  const parameter = plan.parameters.find((candidate) => candidate.name === name);
  if (parameter === undefined) throw new Error(`no parameter ${name}`);
  return parameter;
};
const extent = (values: Float32Array): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

describe('initialValues', () => {
  it.each([
    ['conv1.weight', 1 / Math.sqrt(25)],
    ['conv1.bias', 1 / Math.sqrt(25)],
    ['conv2.weight', 1 / Math.sqrt(250)],
    ['fc1.weight', 1 / Math.sqrt(320)],
    ['fc2.bias', 1 / Math.sqrt(50)],
  ])('torchDefault keeps %s within 1/sqrt(fanIn) and uses the range', (name, bound) => {
    const values = initialValues('torchDefault', parameterNamed(name), 1);
    expect(extent(values)).toBeLessThanOrEqual(Math.fround(bound));
    expect(extent(values)).toBeGreaterThan(bound * 0.7);
    expect(values.some((value) => value < 0)).toBe(true);
  });

  it.each([
    ['conv1.weight', Math.sqrt(6 / (25 + 250))],
    ['conv2.weight', Math.sqrt(6 / (250 + 500))],
    ['fc1.weight', Math.sqrt(6 / (320 + 50))],
  ])('glorotUniform keeps %s within sqrt(6 / (fanIn + fanOut)) and uses the range', (name, bound) => {
    const values = initialValues('glorotUniform', parameterNamed(name), 1);
    expect(extent(values)).toBeLessThanOrEqual(Math.fround(bound));
    expect(extent(values)).toBeGreaterThan(bound * 0.9);
  });

  it('glorotUniform starts every bias at zero', () => {
    expect(extent(initialValues('glorotUniform', parameterNamed('fc1.bias'), 1))).toBe(0);
  });

  // The paper's notebook prints these norms before training; U(-b, b) has the norm b * sqrt(size / 3).
  it.each([
    ['conv1.weight', 1.847],
    ['conv2.weight', 2.584],
    ['fc1.weight', 4.082],
    ['fc2.weight', 1.849],
  ])('torchDefault gives %s about the norm that PyTorch starts with', (name, norm) => {
    expect(l2Norm(initialValues('torchDefault', parameterNamed(name), 1)) / norm).toBeGreaterThan(0.9);
    expect(l2Norm(initialValues('torchDefault', parameterNamed(name), 1)) / norm).toBeLessThan(1.1);
  });

  it('gives each layer, each role and each seed numbers of its own', () => {
    const heads = [
      initialValues('torchDefault', parameterNamed('conv1.weight'), 1),
      initialValues('torchDefault', parameterNamed('conv2.weight'), 1),
      initialValues('torchDefault', parameterNamed('conv1.bias'), 1),
      initialValues('torchDefault', parameterNamed('conv1.weight'), 2),
    ].map((values) => `${Math.sign(values[0]!)} ${(values[0]! / values[1]!).toFixed(6)}`);
    expect(new Set(heads).size).toBe(heads.length);
  });
});

import { expect, it } from 'vitest';
import { PHASES } from '../../src-shared/model/phases';
import { Meter } from './meter';

function bench(): {
  meter: Meter;
  step: (phaseMs: number, images?: number) => void;
  pass: (ms: number) => void;
} {
  let now = 0;
  const meter = new Meter(() => now);
  return {
    meter,
    pass: (ms) => (now += ms),
    step(phaseMs, images = 64) {
      meter.began();
      for (const phase of PHASES) {
        now += phase === 'backward' ? 2 * phaseMs : phaseMs;
        meter.reached(phase);
      }
      meter.finishedStep(images);
    },
  };
}

it('gives each phase its share, and none of the time in which training stood', () => {
  const { meter, step, pass } = bench();
  expect(meter.shares).toBeNull();
  meter.began();
  pass(10);
  meter.reached('zeroGrad');
  meter.stopped();
  pass(5000);
  meter.wentOn();
  pass(30);
  meter.reached('forward');
  meter.finishedStep(64);
  expect(meter.shares).toEqual({ zeroGrad: 0.25, forward: 0.75, loss: 0, backward: 0, step: 0 });
  for (let i = 0; i < 100; i += 1) step(10);
  expect(meter.shares?.backward).toBeCloseTo(2 / 6, 3);
  expect(meter.busy).toBe(40 + 100 * 60);
});

it('measures speed over the last second, so that it follows a change', () => {
  const { meter, step } = bench();
  step(100);
  expect(meter.speed).toBeNull();
  for (let i = 0; i < 10; i += 1) step(100);
  expect(meter.speed?.stepsPerSecond).toBeCloseTo(1 / 0.6);
  for (let i = 0; i < 200; i += 1) step(1);
  expect(meter.speed?.stepsPerSecond).toBeCloseTo(1 / 0.006, 0);
  expect(meter.speed?.imagesPerSecond).toBeCloseTo(64 / 0.006, -2);
});

it('forgets the speed of before a stop', () => {
  const { meter, step, pass } = bench();
  step(1);
  step(1);
  meter.stopped();
  pass(60_000);
  expect(meter.speed).toBeNull();
  step(10);
  step(10);
  expect(meter.speed?.stepsPerSecond).toBeCloseTo(1 / 0.06);
});

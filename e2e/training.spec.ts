import { expect, test } from './fixtures';

test('the untrained network is on the screen before anything is pressed', async ({ gradscope }) => {
  await expect(gradscope.status('Run state')).toContainText(/paused/i);
  await expect(gradscope.status('Step')).toContainText('0');
  await expect(gradscope.status('Epoch')).toContainText('1');
  for (const [layer, filters, inputs] of [
    ['conv1', 10, 1],
    ['conv2', 20, 10],
  ] as const) {
    await expect(
      gradscope.page.getByRole('gridcell', { name: new RegExp(`^${layer} filter .* weight$`) }),
    ).toHaveCount(filters * inputs);
  }
  await expect(gradscope.kernel('conv2 filter 19 input 9 weight')).toBeVisible();
  await expect(gradscope.kernel('fc1 unit 49 weight')).toBeAttached();
  expect((await gradscope.tensor('conv1.weight', 'gradient')).freshness).toBe('notYet');
});

test('Play trains and every number moves', async ({ gradscope, trainer }) => {
  const before = await gradscope.tensor('conv2.weight', 'weight');
  await gradscope.button('Play').click();
  await expect(gradscope.status('Run state')).toContainText(/running/i);
  await gradscope.reaches(30);
  await gradscope.pause();
  const weight = await gradscope.tensor('conv2.weight', 'weight');
  const gradient = await gradscope.tensor('conv2.weight', 'gradient');
  const update = await gradscope.tensor('conv2.weight', 'update');
  const { step } = await trainer.place();
  expect(step).toBeGreaterThanOrEqual(30);
  // W, g and dW of a picture are of one step.
  expect([weight.step, gradient.step, update.step]).toEqual([step, step, step]);
  expect(weight.values).not.toEqual(before.values);
  expect(gradient.values.some((value) => value !== 0)).toBe(true);
  await expect(gradscope.status('Step')).toContainText(step.toLocaleString('en'));
});

test('Pause stops the trainer, not only the picture', async ({ gradscope, trainer }) => {
  await gradscope.button('Play').click();
  await gradscope.reaches(5);
  await gradscope.pause();
  const before = await trainer.place();
  await gradscope.animationFrames(120);
  expect(await trainer.place()).toEqual(before);
  expect(await gradscope.finishedSteps()).toBe(before.step);

  await gradscope.playTo(before.step + 5);
  expect((await trainer.place()).weightsSha256).not.toBe(before.weightsSha256);
});

test('a paused and resumed run gets the same weights as one that never stood', async ({
  gradscope,
  trainer,
}) => {
  for (const step of [2, 5, 9]) await gradscope.playTo(step);
  const { result } = await trainer.request('saveWeights', {});
  const { config } = trainer.ready;
  await trainer.request('restart', { config: { ...config, stopAtStep: result.step }, weightsFile: null });
  const finished = trainer.next(({ message }) => message.type === 'status' && message.state === 'finished');
  await trainer.request('play', {});
  await finished;
  expect(await trainer.place()).toEqual(result);
});

test('each step button does what it says and stands still', async ({ gradscope, trainer }) => {
  await gradscope.step('batch');
  expect((await trainer.place()).step).toBe(1);
  await gradscope.step('phase');
  expect((await trainer.place()).step).toBe(1);
  await gradscope.step('batch');
  expect((await trainer.place()).step).toBe(2);
  await gradscope.animationFrames(30);
  expect((await trainer.place()).step).toBe(2);

  // An epoch of six minibatches, so that the test is about the button and not about patience.
  const order = Array.from({ length: 6 }, (_, batch) => Array.from({ length: 8 }, (_, at) => batch * 8 + at));
  await trainer.request('restart', { config: { ...trainer.ready.config, order }, weightsFile: null });
  await gradscope.idle();
  await gradscope.step('batch');
  await gradscope.step('epoch');
  const status = await gradscope.state();
  expect(status.step).toBe(6);
  await expect(gradscope.status('Run state')).toContainText(/paused/i);
});

test('Step phase walks zeroGrad, forward, loss, backward, step and says what is fresh', async ({
  gradscope,
}) => {
  await gradscope.step('batch');
  const walked: [phase: string | null, gradient: string, update: string, step: number][] = [];
  for (const phase of ['zeroGrad', 'forward', 'loss', 'backward', 'step']) {
    await gradscope.step('phase');
    await expect(gradscope.status('Phase')).toContainText(phase);
    const gradient = await gradscope.tensor('conv2.weight', 'gradient');
    const update = await gradscope.tensor('conv2.weight', 'update');
    const { phase: at } = await gradscope.state();
    const step = await gradscope.finishedSteps();
    walked.push([at, gradient.freshness, update.freshness, step]);
    if (phase === 'zeroGrad') {
      expect(gradient.values.every((value) => value === 0)).toBe(true);
      await expect(gradscope.page.getByText('cleared').first()).toBeVisible();
    }
    if (phase === 'backward') await expect(gradscope.page.getByText(/\bold\b/).first()).toBeVisible();
  }
  expect(walked).toEqual([
    ['zeroGrad', 'cleared', 'old', 1],
    ['forward', 'cleared', 'old', 1],
    ['loss', 'cleared', 'old', 1],
    ['backward', 'fresh', 'old', 1],
    ['step', 'fresh', 'fresh', 2],
  ]);
});

test('the mode is switched at a minibatch and the same run goes on', async ({ gradscope, trainer }) => {
  await gradscope.playTo(4);
  await gradscope.radio('fit() + callbacks').click();
  await expect(gradscope.radio('fit() + callbacks')).toBeChecked();
  await gradscope.step('batch');
  await gradscope.step('phase');
  await gradscope.step('batch');
  await gradscope.radio('Imperative loop').click();
  await expect(gradscope.radio('Imperative loop')).toBeChecked();
  await gradscope.step('batch');
  const { result: switched } = await trainer.request('saveWeights', {});
  expect((await gradscope.state()).mode).toBe('imperative');

  const { config } = trainer.ready;
  await trainer.request('restart', {
    config: { ...config, mode: 'imperative', stopAtStep: switched.step },
    weightsFile: null,
  });
  const finished = trainer.next(({ message }) => message.type === 'status' && message.state === 'finished');
  await trainer.request('play', {});
  await finished;
  expect(await trainer.place()).toEqual(switched);
});

test('the mode is switched while training runs', async ({ gradscope }) => {
  await gradscope.button('Play').click();
  await gradscope.reaches(3);
  await gradscope.radio('fit() + callbacks').click();
  await expect.poll(async () => (await gradscope.state()).mode).toBe('fit');
  const step = await gradscope.finishedSteps();
  await gradscope.reaches(step + 3);
  await gradscope.pause();
});

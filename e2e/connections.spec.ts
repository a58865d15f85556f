import { expect, test } from './fixtures';
import { isAlive, residentMegabytes } from './support/processes';

test('a page that is reloaded while training finds the run where it is', async ({ gradscope, trainer }) => {
  await gradscope.button('Play').click();
  await gradscope.reaches(10);
  const { run } = await gradscope.state();
  await gradscope.page.reload();
  await expect(gradscope.button('Pause')).toBeVisible();
  await gradscope.reaches(11);
  const after = await gradscope.state();
  expect(after.run).toBe(run);
  await gradscope.pause();
  expect((await trainer.place()).step).toBe(await gradscope.finishedSteps());
});

test('two pages see and steer one run', async ({ gradscope, openAnother }) => {
  const other = await openAnother();
  await gradscope.step('batch');
  await other.idle();
  await expect.poll(async () => (await other.state()).step).toBe(1);
  await other.step('batch');
  await gradscope.idle();
  await expect.poll(async () => await gradscope.finishedSteps()).toBe(2);
  await other.idle();
  const here = await gradscope.tensor('conv1.weight', 'weight');
  const there = await other.tensor('conv1.weight', 'weight');
  expect(there.values).toEqual(here.values);

  // The digit's maps come to both pages, so both must name the same digit.
  await other.page.keyboard.press('n');
  await expect(gradscope.page.getByRole('img', { name: /^Test image 1, / })).toBeVisible();

  await other.button('Play').click();
  await expect(gradscope.button('Pause')).toBeVisible();
  await other.page.close();
  await gradscope.reaches(6);
  await gradscope.pause();
});

test.describe('when the trainer dies', () => {
  test.use({ expectedErrors: [/WebSocket/] });

  test('the page names it, stays alive, and Restart brings a new one', async ({ gradscope, shell }) => {
    await gradscope.playTo(3);
    const { trainerPid } = shell;
    process.kill(trainerPid, 'SIGKILL');
    const line = gradscope.page.getByRole('alert');
    await expect(line).toContainText(/trainer/i);
    await expect(line).toContainText('SIGKILL');
    expect(isAlive(trainerPid)).toBe(false);

    await gradscope.button('Restart').click();
    await expect(line).toBeHidden();
    await gradscope.idle();
    expect(await gradscope.finishedSteps()).toBe(0);
    await gradscope.step('batch');
    expect(await gradscope.finishedSteps()).toBe(1);
    expect(shell.trainerPid).not.toBe(trainerPid);
  });
});

test('a page that stops drawing costs skipped frames and not memory', async ({ gradscope, shell }) => {
  test.skip(process.platform !== 'linux', 'reads the memory of a process from /proc');
  await gradscope.button('Play').click();
  await gradscope.reaches(100);

  await gradscope.page.evaluate(() => {
    const real = window.requestAnimationFrame.bind(window);
    const held: FrameRequestCallback[] = [];
    window.requestAnimationFrame = (callback) => held.push(callback);
    Object.assign(window, {
      drawAgain: () => {
        window.requestAnimationFrame = real;
        held.forEach(real);
      },
    });
  });
  const stoppedAt = await gradscope.finishedSteps();
  const skipped = (): Promise<number> => gradscope.page.evaluate(() => window.gradscope.perf().skipped);
  const skippedBefore = await skipped();
  const memory = (): number => residentMegabytes(shell.pid) + residentMegabytes(shell.trainerPid);
  const before = memory();
  // Undrawn, 500 pictures of this network are 130 MB.
  await gradscope.reaches(stoppedAt + 500);
  expect(memory() - before).toBeLessThan(40);

  await gradscope.page.evaluate(() => (window as unknown as { drawAgain(): void }).drawAgain());
  await gradscope.pause();
  const step = await gradscope.finishedSteps();
  expect((await gradscope.tensor('fc1.weight', 'weight')).step).toBe(step);
  await expect.poll(skipped).toBeGreaterThan(skippedBefore + 100);
});

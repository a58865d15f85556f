import { readFile, truncate, writeFile } from 'node:fs/promises';
import { expect, test } from './fixtures';
import type { GradscopePage } from './support/gradscope-page';

async function save(gradscope: GradscopePage): Promise<{ name: string; bytes: Buffer }> {
  const download = gradscope.page.waitForEvent('download');
  await gradscope.button('Save weights').click();
  const file = await download;
  return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
}

async function open(gradscope: GradscopePage, name: string, buffer: Buffer): Promise<void> {
  const chooser = gradscope.page.waitForEvent('filechooser');
  await gradscope.button('Open weights').click();
  await (await chooser).setFiles({ name, mimeType: 'application/octet-stream', buffer });
}

test('weights are saved and opened again, bit for bit', async ({ gradscope, trainer }) => {
  await gradscope.playTo(5);
  const trained = await trainer.place();
  const { name, bytes } = await save(gradscope);
  expect(name).toMatch(/\.safetensors$/);

  await gradscope.button('Restart').click();
  await gradscope.idle();
  expect((await trainer.place()).weightsSha256).not.toBe(trained.weightsSha256);
  await open(gradscope, name, bytes);
  await expect.poll(async () => (await trainer.place()).weightsSha256).toBe(trained.weightsSha256);
  await gradscope.idle();
  expect((await gradscope.tensor('fc2.weight', 'weight')).freshness).toBe('fresh');
});

// Catches: a run that is rewritten without a word, under the figures of the weights before.
test('opened weights are named and marked, and what was measured of those before goes', async ({
  gradscope,
  openAnother,
}) => {
  const { page } = gradscope;
  await gradscope.step('batch');
  await gradscope.step('batch');
  const { bytes } = await save(gradscope);
  const norms = page.locator('.layer-head .norms').first();
  await expect(norms).toHaveText(/\d/);
  await open(gradscope, 'mine.safetensors', bytes);
  const message = page.getByRole('status', { name: 'Message' });
  await expect(message).toContainText(/mine\.safetensors at step 2.*optimiser/);
  // A page that comes later has the mark; to it, it is no news.
  const other = await openAnother();
  for (const each of [gradscope, other]) {
    await each.idle();
    await expect(
      each.page.getByRole('img', { name: /opened from mine\.safetensors at step 2/ }),
    ).toBeVisible();
    await expect(each.page.locator('.layer-head .norms').first()).toHaveText('–––');
    await expect(each.page.getByText('test accuracy', { exact: true })).toBeVisible();
  }
  await gradscope.step('batch');
  await expect(norms).toHaveText(/\d/);
  await gradscope.button('Dismiss').click();
  await expect(message).toHaveText('');
});

for (const [what, broken] of [
  ['a file cut short', (bytes: Buffer) => bytes.subarray(0, bytes.length - 40)],
  ['a file of something else', () => Buffer.from('not weights at all')],
  [
    'a file with a NaN',
    (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -4), Buffer.from([0, 0, 0xc0, 0x7f])]),
  ],
] as const) {
  test(`${what} is refused in one sentence and changes nothing`, async ({ gradscope, trainer }) => {
    await gradscope.step('batch');
    const before = await trainer.place();
    const { bytes } = await save(gradscope);
    await open(gradscope, 'broken.safetensors', broken(bytes));
    const line = gradscope.page.getByRole('alert');
    await expect(line).toContainText('broken.safetensors');
    expect((await line.innerText()).match(/[.](?=\s|$)/g) ?? []).toHaveLength(1);
    expect(await trainer.place()).toEqual(before);
    await gradscope.step('batch');
    expect((await trainer.place()).step).toBe(before.step + 1);
  });
}

test('a file that is too large is refused by name and size, and the connection stays', async ({
  gradscope,
  trainer,
}, info) => {
  const before = await trainer.place();
  const file = info.outputPath('large.safetensors');
  await writeFile(file, '');
  await truncate(file, 64 * 1024 * 1024);
  const chooser = gradscope.page.waitForEvent('filechooser');
  await gradscope.button('Open weights').click();
  await (await chooser).setFiles(file);
  await expect(gradscope.page.getByRole('alert')).toContainText(
    'large.safetensors cannot be read: it has 67108864 bytes, where at most 67043328 are allowed.',
  );
  await gradscope.step('batch');
  expect((await trainer.place()).step).toBe(before.step + 1);
});

test('weights of DataParallel are opened, and it is said what was taken off', async ({
  gradscope,
  trainer,
}) => {
  const before = await trainer.place();
  const { bytes } = await save(gradscope);
  await gradscope.step('batch');
  const length = Number(bytes.readBigUInt64LE(0));
  const header = bytes
    .subarray(8, 8 + length)
    .toString()
    .replaceAll(/"(conv|fc)/g, '"module.$1');
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(header.length));
  await open(
    gradscope,
    'parallel.safetensors',
    Buffer.concat([start, Buffer.from(header), bytes.subarray(8 + length)]),
  );
  await expect(
    gradscope.page.getByText('parallel.safetensors: the prefix "module." was taken off every name.'),
  ).toBeVisible();
  await expect.poll(async () => (await trainer.place()).weightsSha256).toBe(before.weightsSha256);
});

test('Restart with another seed begins another run, and the first seed the first again', async ({
  gradscope,
  trainer,
}) => {
  const first = await trainer.place();
  const seed = gradscope.page.getByRole('spinbutton', { name: 'Seed' });
  await seed.fill('7');
  await gradscope.button('Restart').click();
  await expect.poll(async () => (await trainer.place()).weightsSha256).not.toBe(first.weightsSha256);
  expect(trainer.ready.config.seed).toBe(7);
  await gradscope.idle();
  await seed.fill('1');
  await gradscope.button('Restart').click();
  await expect.poll(() => trainer.place()).toEqual(first);
});

import { expect, test } from './fixtures';

/** A safetensors file with the same tensors, all of them 0. */
function zeroed(file: Uint8Array): Uint8Array<ArrayBuffer> {
  const zeros = Uint8Array.from(file);
  const header = Number(new DataView(zeros.buffer).getBigUint64(0, true));
  zeros.fill(0, 8 + header);
  return zeros;
}

test('no layer of all-zero weights is healthy, and what does not exist is a dash', async ({
  gradscope,
  trainer,
}) => {
  await gradscope.playTo(120);
  const { payload } = await trainer.request('saveWeights', {});
  await trainer.request('loadWeights', { fileName: 'zeros.safetensors' }, zeroed(payload));
  await gradscope.idle();
  const scope = gradscope.page.getByRole('region', { name: 'Scope' });
  await expect(scope.getByText('healthy')).toHaveCount(0);
  await gradscope.step('batch');
  await expect(scope.getByText('no gradient')).toHaveCount(4);
  // No pill is cut off.
  for (const pill of await scope.getByTitle(/^Every g/).all()) {
    const atItsEnd = await pill.evaluate((element) => {
      const { right, top, height } = element.getBoundingClientRect();
      return document.elementFromPoint(right - 4, top + height / 2)?.closest('[title]') === element;
    });
    expect(atItsEnd).toBe(true);
  }
  await expect(scope.getByTitle(/^Every g of these weights was exactly 0 in the last step/)).toHaveCount(4);
  await expect(scope.getByText('healthy')).toHaveCount(0);
  await expect(scope.getByText('NaN')).toHaveCount(0);
});

test('an infinity that ReLU hides is named at its layer, until sound weights are opened', async ({
  gradscope,
  trainer,
}) => {
  const { payload } = await trainer.request('saveWeights', {});
  await trainer.request('setWeight', { name: 'conv1.bias', index: 3, value: '-Infinity' });
  await gradscope.step('batch');
  const alert = gradscope.page.getByRole('alert');
  await expect(alert).toContainText('1 infinite');
  await expect(alert).toContainText('first met in conv1.bias in forward of step 1');
  const chart = gradscope.page.getByRole('img', { name: /gradient norms over the steps of the run/ });
  const mark = '1 infinite first met in conv1.bias in forward of step 1';
  await expect(chart).toHaveAccessibleName(new RegExp(mark));
  await trainer.request('loadWeights', { fileName: 'sound.safetensors' }, payload);
  await expect(gradscope.page.getByText('first met in')).toHaveCount(0);
  // What was met stays marked.
  await expect(chart).toHaveAccessibleName(new RegExp(mark));
});

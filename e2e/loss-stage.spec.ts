import { expect, test } from './fixtures';
import type { GradscopePage } from './support/gradscope-page';

const EXAMPLES = 64;
const CLASSES = 10;

async function stepToLoss(gradscope: GradscopePage): Promise<void> {
  for (let stop = 0; stop < 3; stop += 1) await gradscope.step('phase');
  expect(await gradscope.state()).toMatchObject({ phase: 'loss', layer: null });
}

/** What the tensors say of the logits of one example and their error. */
async function ofExample({ page }: GradscopePage, example: number) {
  const found = await page.evaluate(async () => {
    const [logits, error] = await Promise.all([
      window.gradscope.tensor('fc2', 'activation'),
      window.gradscope.tensor('fc2', 'error'),
    ]);
    return { logits: Array.from(logits.values), error: Array.from(error.values) };
  });
  const row = (values: readonly number[]): number[] =>
    values.slice(example * CLASSES, (example + 1) * CLASSES);
  const logits = row(found.logits);
  const exponentials = logits.map(Math.exp);
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return { logits, error: row(found.error), probabilities: exponentials.map((value) => value / sum) };
}

/** The rows of the table as text: class, z, p, y, bars, errors. */
async function tableRows({ page }: GradscopePage): Promise<string[][]> {
  const rows = page.getByRole('table', { name: 'Error of the logits' }).getByRole('row');
  const texts = await rows.evaluateAll((all) =>
    all.map((row) => Array.from(row.children, (cell) => cell.textContent.replace('−', '-'))),
  );
  return texts.slice(1);
}

const length = (values: readonly number[]): number => Math.hypot(...values);

// Catches: an error of the page's own making shown for the tensor's, a factor of the mean forgotten on one side, and a recipe
// whose mistake cannot be seen.
test('at the loss one sees what the double softmax sends back, beside what it should', async ({
  gradscope,
}) => {
  const { page } = gradscope;
  const stage = page.getByRole('region', { name: 'Stage' });

  await stepToLoss(gradscope);
  await expect(stage.getByRole('heading', { name: 'Standing at the loss' })).toBeVisible();
  await expect(stage).toContainText('the error is (p − y)/64');
  const { error, logits } = await ofExample(gradscope, 0);
  for (const [k, [name, z, , y, , sent]] of (await tableRows(gradscope)).entries()) {
    expect(name).toBe(String(k));
    expect(Number(z)).toBeCloseTo(logits[k] ?? NaN, 1);
    expect(Number(sent)).toBeCloseTo((error[k] ?? NaN) * 1000, 1);
    // Of the right loss only the label's error is negative.
    expect(y).toBe((error[k] ?? NaN) < 0 ? '1' : '0');
  }

  await page.getByRole('combobox', { name: 'Recipe' }).selectOption('keras-double-softmax');
  await gradscope.button('Begin new run').click();
  await gradscope.idle();
  await page.getByRole('tab', { name: 'Stage' }).click();
  await expect(stage.getByRole('heading', { name: 'Loss of the chosen digit' })).toBeVisible();
  await expect(stage).toContainText('times weaker than the right loss');

  const before = (await gradscope.tensor('conv1.weight', 'weight')).values;
  await stepToLoss(gradscope);
  await page.getByRole('spinbutton', { name: 'Example of the minibatch' }).fill('3');
  await expect(stage).toContainText('Example 3 of 64');
  await gradscope.idle();
  const now = await ofExample(gradscope, 3);
  const rows = await tableRows(gradscope);
  const label = rows.findIndex(([, , , y]) => y === '1');
  await expect(stage).toContainText(`label ${String(label)}`);
  const right = now.probabilities.map((p, k) => (p - (k === label ? 1 : 0)) / EXAMPLES);
  rows.forEach(([, , p, , , sent, asRight], k) => {
    expect(Number(p)).toBeCloseTo(now.probabilities[k] ?? NaN, 2);
    expect(Math.abs(Number(sent) - (now.error[k] ?? NaN) * 1000)).toBeLessThan(0.006);
    expect(Math.abs(Number(asRight) - (right[k] ?? NaN) * 1000)).toBeLessThan(0.006);
  });
  const ratio = length(right) / length(now.error);
  const text = ratio < 9.95 ? ratio.toFixed(1) : String(Math.round(ratio));
  expect(ratio).toBeGreaterThan(3);
  await expect(stage).toContainText(`${text} times weaker than the right loss`);
  await expect(page.getByText('NLL').first()).toBeVisible();

  // Looking changed nothing.
  expect((await gradscope.tensor('conv1.weight', 'weight')).values).toEqual(before);
});

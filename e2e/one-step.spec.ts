import { DEFAULT_RUN_CONFIG } from '../src-shared/model/run-config';
import { expect, test } from './fixtures';

/** All that is on the screen at one moment, read between two animation frames of the page. */
interface Seen {
  readonly step: string;
  readonly heads: readonly string[];
  readonly output: string;
  /** Lines of numbers of W, g and dW, as text. */
  readonly panel: {
    readonly step: string;
    readonly norms: readonly string[];
    readonly cells: readonly string[];
  };
  readonly layerNorms: readonly string[];
}

const SAMPLES = 30;

// Catches: words that are written slice by slice and say of which step each of them is, or do not say it at all.
test('everything in one panel is of one step, and says so, at full speed', async ({ gradscope, trainer }) => {
  const { page } = gradscope;
  // It goes on for as long as the page is looked at, however fast the machine trains.
  await trainer.request('restart', { config: { ...DEFAULT_RUN_CONFIG, epochs: 1000 }, weightsFile: null });
  await gradscope.idle();
  await gradscope.kernel('conv1 filter 3 input 0 weight').click();
  await gradscope.button('Play').click();
  await gradscope.reaches(20);

  const seen = await page.evaluate(
    (count) =>
      new Promise<Seen[]>((resolve) => {
        const samples: Seen[] = [];
        const texts = (selector: string, root: ParentNode = document): string[] =>
          [...root.querySelectorAll(selector)].map((element) => element.textContent);
        let last = '';
        // A task of its own: it comes between two animation frames, in the middle of a sweep too.
        const look = setInterval(() => {
          const heads = texts('.column-head em');
          const rail = document.querySelector('.inspector') ?? document;
          const sample = {
            step: document.querySelector('[role=status][aria-label=Step]')?.textContent ?? '',
            heads: heads.slice(0, 3),
            output: heads[3] ?? '',
            panel: {
              step: texts('h2 em', rail)[0] ?? '',
              norms: texts('.kernel-title > em', rail),
              cells: texts('[role=cell]', rail),
            },
            layerNorms: texts('.layer-head .norms'),
          };
          const text = JSON.stringify(sample);
          if (text !== last) samples.push(sample);
          last = text;
          if (samples.length < count) return;
          clearInterval(look);
          resolve(samples);
        }, 2);
      }),
    SAMPLES,
  );
  await gradscope.pause();

  const byStep = new Map<string, string>();
  const normsByStep = new Map<string, string>();
  for (const { step, heads, output, panel, layerNorms } of seen) {
    expect(new Set(heads), 'W, g and dW are of one step').toEqual(new Set([step]));
    if (output !== step) expect(output).toMatch(/^old, [\d,]+$/);
    // The same step, the same numbers: nothing of it is of another picture.
    const numbers = JSON.stringify([panel.norms, panel.cells]);
    expect(byStep.get(panel.step) ?? numbers, `the panel at ${panel.step}`).toBe(numbers);
    byStep.set(panel.step, numbers);
    const norms = JSON.stringify(layerNorms);
    expect(normsByStep.get(step) ?? norms, `norms at step ${step}`).toBe(norms);
    normsByStep.set(step, norms);
  }
  expect(byStep.size, 'several steps were seen').toBeGreaterThan(3);
});

// Catches: W of one picture beside g and dW of another under one step number.
test('the numbers of the chosen kernel are those of one picture', async ({ gradscope, trainer }) => {
  const { page } = gradscope;
  await gradscope.kernel('conv1 filter 3 input 0 weight').click();
  await gradscope.button('Play').click();
  await gradscope.reaches(20);
  // Every picture that the page is given is kept by its step, and the panel is read between two animation frames.
  const found = await page.evaluate(
    () =>
      new Promise<{ checked: number; wrong: string[] }>((resolve) => {
        const kinds = ['weight', 'gradient', 'update'] as const;
        const pictures = new Map<number, number[]>();
        const wrong: string[] = [];
        const checked = new Set<number>();
        const size = (values: Float32Array): number => Math.hypot(...values.subarray(75, 100));
        const keep = (): void => {
          const tensors = kinds.map((kind) => window.gradscope.tensor('conv1.weight', kind));
          if (tensors.some((tensor) => tensor instanceof Promise)) return;
          const [w, g, dw] = tensors as { step: number; values: Float32Array }[];
          if (w === undefined || g === undefined || dw === undefined) return;
          pictures.set(
            w.step,
            [w, g, dw].map(({ values }) => size(values)),
          );
        };
        const look = setInterval(() => {
          keep();
          const rail = document.querySelector('.inspector');
          const step = Number((rail?.querySelector('h2 em')?.textContent ?? '').replace(/\D/g, ''));
          const norms = [...(rail?.querySelectorAll('.kernel-title > em') ?? [])].map((element) =>
            Number(element.textContent.replace('norm ', '').replace('−', '-')),
          );
          const of = pictures.get(step);
          if (of !== undefined) {
            checked.add(step);
            of.forEach((value, index) => {
              const shown = norms[index] ?? Number.NaN;
              if (!(Math.abs(shown - value) <= 0.03 * value)) {
                wrong.push(
                  `step ${String(step)} ${kinds[index] ?? ''}: ${String(shown)} for ${String(value)}`,
                );
              }
            });
          }
          if (checked.size < 8) return;
          clearInterval(look);
          resolve({ checked: checked.size, wrong });
        }, 2);
      }),
  );
  expect(found.wrong).toEqual([]);
  await gradscope.pause();
  expect((await trainer.place()).step).toBe(await gradscope.finishedSteps());
});

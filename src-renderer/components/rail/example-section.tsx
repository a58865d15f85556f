import type { ReactElement } from 'react';
import { formatCount } from '../../scene/numbers';
import { examplesUnderWay } from '../../state/standing';
import { useApp } from '../../state/store';
import { keyHint } from '../keymap';
import { usePage } from '../page-context';
import { ExampleImage } from './example-image';
import { NumberField } from './number-field';
import { ToolButton } from './tool-button';

/** Which example of the minibatch under way the maps and the stage show, its image and label; nothing outside a step. */
export function ExampleSection(): ReactElement | null {
  const { commands } = usePage();
  const status = useApp((state) => state.status);
  const chosen = useApp(({ view }) => view.example);
  const examples = examplesUnderWay(status);
  if (status === null || examples === null) return null;
  const example = Math.min(chosen, examples - 1);
  const image = status.minibatch?.indices[example] ?? 0;
  const label = status.minibatch?.labels?.[example] ?? null;
  return (
    <section className="section example" aria-label="Example">
      <ExampleImage label={label} />
      <div>
        <h2>
          Example {example} of {formatCount(examples)}
          {label !== null && `, label ${String(label)}`}
        </h2>
        <div className="example-chooser">
          <ToolButton
            label="Previous example"
            hint={keyHint('previousExample')}
            back
            onPress={() => commands.nextExample(-1)}
          >
            ‹
          </ToolButton>
          <NumberField
            label="Example of the minibatch"
            value={example}
            min={0}
            max={examples - 1}
            onChange={(index) => void commands.chooseExample(index)}
          />
          <ToolButton
            label="Next example"
            hint={keyHint('nextExample')}
            back
            onPress={() => commands.nextExample(1)}
          >
            ›
          </ToolButton>
          <span title="Its place in the training set">image {formatCount(image)}</span>
        </div>
      </div>
    </section>
  );
}

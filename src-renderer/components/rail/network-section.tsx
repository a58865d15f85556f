import type { ReactElement } from 'react';
import type { LayerSpec } from '../../../src-shared/model/network';
import { formatCount } from '../../scene/numbers';
import { useApp } from '../../state/store';
import { shapeText } from '../format';

/** Layer keys of the theme, --k1 to --k4; more layers repeat them. */
const KEYS = 4;

/** Every layer with the shape of its output and its parameters. */
export function NetworkSection(): ReactElement | null {
  const plan = useApp((state) => state.plan);
  if (plan === null) return null;
  const learning = plan.layers.filter(({ parameters }) => parameters.length > 0).map(({ index }) => index);
  return (
    <section className="section network" aria-label="Network">
      <h2>
        Network <em>{formatCount(plan.parameterCount)} parameters</em>
      </h2>
      <table>
        <thead>
          <tr>
            <th scope="col">layer</th>
            <th scope="col">output</th>
            <th scope="col">parameters</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">input</th>
            <td>{shapeText(plan.spec.input)}</td>
            <td />
          </tr>
          {plan.layers.map(({ index, spec, outputShape, parameters }) => {
            const size = parameters.reduce((sum, parameter) => sum + parameter.size, 0);
            const key = (learning.indexOf(index) % KEYS) + 1;
            return (
              <tr key={spec.name} className={size > 0 ? 'learns' : undefined}>
                <th scope="row">
                  <i style={size > 0 ? { background: `var(--k${String(key)})` } : undefined} />
                  {layerText(spec)}
                </th>
                <td>{shapeText(outputShape)}</td>
                <td>{size > 0 && formatCount(size)}</td>
              </tr>
            );
          })}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">total</th>
            <td />
            <td>{formatCount(plan.parameterCount)}</td>
          </tr>
        </tfoot>
      </table>
    </section>
  );
}

/** What a layer is called and does, in a word or two. */
function layerText(spec: LayerSpec): string {
  switch (spec.kind) {
    case 'conv2d':
      return `${spec.name} ${String(spec.kernelSize)} × ${String(spec.kernelSize)}`;
    case 'dense':
    case 'flatten':
      return spec.name;
    case 'maxPool2d':
      return `max-pool ${String(spec.size)}`;
    case 'relu':
      return 'ReLU';
    case 'dropout':
      return `dropout ${String(spec.rate)}${spec.unit === 'channel' ? ', maps' : ''}`;
  }
}

import type { ReactElement } from 'react';
import type { LayerPlan, LayerSpecOf } from '../../../src-shared/model/network';
import { layerKey } from '../../draw/layer-keys';
import { betweenName, networkRows, shapeText, type NetworkRow } from '../../scene/network-rows';
import { formatCount, formatSetting } from '../../scene/numbers';
import { useApp } from '../../state/store';

/** The network from input to logits: what each layer gives, and the parameters of those that learn. */
export function NetworkTable(): ReactElement | null {
  const plan = useApp((state) => state.plan);
  if (plan === null) return null;
  return (
    <div className="network">
      <h2>
        Network <em>{formatCount(plan.parameterCount)} parameters</em>
      </h2>
      <table>
        <thead>
          <tr>
            <th scope="col">layer</th>
            <th scope="col">output</th>
            <th scope="col" aria-label="parameters">
              params
            </th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">input</th>
            <td>{shapeText(plan.spec.input)}</td>
            <td />
          </tr>
          {networkRows(plan).map((row, index) => (
            <Row key={index} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ row }: { row: NetworkRow }): ReactElement | null {
  if (row.kind === 'layer') {
    const { spec, outputShape, parameters } = row.layer;
    const size = spec.kind === 'conv2d' ? ` ${squareText(spec.kernelSize)}` : '';
    return (
      <tr className="learns">
        <th scope="row" title={precisely(row.layer)}>
          <i style={{ background: layerKey(row.keyIndex, 'bottom') }} />
          {spec.name}
          {size}
        </th>
        <td>{shapeText(outputShape)}</td>
        <td>{formatCount(parameters.reduce((sum, parameter) => sum + parameter.size, 0))}</td>
      </tr>
    );
  }
  // Flatten only renames what it is given; the shape of its input says more.
  const layers = row.layers.filter(({ spec }) => spec.kind !== 'flatten');
  const last = layers.at(-1);
  if (last === undefined) return null;
  return (
    <tr>
      <th scope="row" title={layers.map(precisely).join(', ')}>
        {layers.map(betweenName).join(', ')}
      </th>
      <td>{shapeText(last.outputShape)}</td>
      <td />
    </tr>
  );
}

function precisely({ spec }: LayerPlan): string {
  switch (spec.kind) {
    case 'conv2d':
      return `${String(spec.filters)} filters of ${squareText(spec.kernelSize)}${stepsText(spec)}`;
    case 'dense':
      return `${String(spec.units)} units, each of all inputs`;
    case 'dropout':
      return `dropout of ${spec.unit === 'channel' ? 'whole maps' : 'single values'} with probability ${formatSetting(spec.rate)}`;
    case 'maxPool2d':
      return `max-pooling over ${squareText(spec.size)}${stepsText(spec)}`;
    case 'averagePool2d':
      return `average pooling over ${squareText(spec.size)}${stepsText(spec)}`;
    case 'relu':
      return 'ReLU';
    case 'leakyRelu':
      return `leaky ReLU, slope ${formatSetting(spec.slope)} below 0`;
    case 'sigmoid':
    case 'tanh':
      return spec.kind;
    case 'flatten':
      return spec.name;
  }
}

const squareText = (size: number): string => `${String(size)} × ${String(size)}`;

/** `, stride 2, padding 1`: what is as it is without a word is left out. */
function stepsText(spec: LayerSpecOf<'conv2d' | 'maxPool2d' | 'averagePool2d'>): string {
  const usual = spec.kind === 'conv2d' ? 1 : spec.size;
  const strided = spec.stride === usual ? '' : `, stride ${String(spec.stride)}`;
  return strided + (spec.padding === 0 ? '' : `, padding ${String(spec.padding)}`);
}

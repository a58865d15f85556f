import type { NonFinite } from '../protocol/messages';

type Counts = Pick<NonFinite, 'nan' | 'infinite'>;

/** `12 NaN`, `3 infinite`, `12 NaN and 3 infinite`. */
export function nonFiniteCounts({ nan, infinite }: Counts): string {
  const counts = [
    nan > 0 ? `${nan.toLocaleString('en')} NaN` : '',
    infinite > 0 ? `${infinite.toLocaleString('en')} infinite` : '',
  ];
  return counts.filter((text) => text !== '').join(' and ');
}

/** `the output of conv1 in forward of step 7`, `the gradient of fc1.weight in backward of step 7`. */
export function nonFinitePlace({ step, phase, tensor, kind }: NonFinite): string {
  const part = phase === 'step' ? 'the update' : phase;
  return `${whatOf(tensor, kind)} in ${part} of step ${step.toLocaleString('en')}`;
}

function whatOf(tensor: string, kind: NonFinite['kind']): string {
  switch (kind) {
    case null:
    case 'weight':
      return tensor;
    case 'input':
      return 'the images';
    case 'loss':
      return 'the loss';
    case 'firstMoment':
      return `the first moment of ${tensor}`;
    case 'secondMoment':
      return `the second moment of ${tensor}`;
    case 'output':
    case 'gradient':
    case 'error':
    case 'update':
    case 'momentum':
      return `the ${kind} of ${tensor}`;
  }
}

import type { Phase } from '../../../src-shared/model/phases';
import type { Freshness, SlotState, TensorKind } from '../../../src-shared/protocol/messages';
import type { FrameSlot, FrameView } from '../../frames/frame-store';

export interface TestTensor {
  readonly kind: TensorKind;
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
  readonly freshness?: Freshness;
  readonly step?: number;
  readonly nan?: number;
}

let serial = 0;

/** A picture made of the given tensors, for tests of what is told about it. */
export function pictureOf(step: number, phase: Phase | null, tensors: readonly TestTensor[]): FrameView {
  const slots = new Map(
    tensors.map((tensor): [string, FrameSlot] => {
      const state: SlotState = {
        freshness: tensor.freshness ?? 'fresh',
        step: tensor.step ?? step,
        phase,
        nan: tensor.nan ?? 0,
        infinite: 0,
      };
      const { name, kind, values } = tensor;
      const shape = [...tensor.shape];
      const slot = { name, kind, shape, sentShape: shape, block: null, offset: 0, length: values.length };
      return [`${kind} ${name}`, { values, shape, state, slot }];
    }),
  );
  serial += 1;
  return {
    runId: 1,
    layoutId: 1,
    step,
    phase,
    layer: null,
    example: null,
    serial,
    slot: (name, kind) => slots.get(`${kind} ${name}`) ?? null,
  };
}

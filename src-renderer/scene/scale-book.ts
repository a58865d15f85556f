import { Scale, wholeOf, type Stretch } from './scale';

export type ScaleScope = 'kernel' | 'layer' | 'network';

/** A tensor that is about to be painted. */
export interface ScaledTensor {
  /** `conv2.weight` */
  readonly name: string;
  readonly kind: string;
  readonly values: Float32Array;
  /** Values of one kernel (conv: height x width; dense: a unit's inputs). They lie one kernel after the other. */
  readonly kernelSize: number;
}

/** Scales of W, g and dW, each kind with scales of its own, over the scope the person chose. */
export class ScaleBook {
  private scope: ScaleScope = 'layer';
  /** One scale a group: a kind, a tensor, or the kernels of a tensor. */
  private scales = new Map<string, Scale[]>();

  /** A new run, or another network. */
  clear(): void {
    this.scales.clear();
  }

  /** @param tensors what is fresh or old in this picture; what was cleared keeps its last scale */
  update(
    tensors: readonly ScaledTensor[],
    { scope, locked, settle }: { scope: ScaleScope; locked: boolean; settle: boolean },
  ): void {
    const changed = scope !== this.scope;
    if (changed) this.scales.clear();
    this.scope = scope;
    const how = { hold: locked && !changed, settle };
    if (scope === 'network') {
      const byKind = new Map<string, Stretch[]>();
      for (const { kind, values } of tensors) {
        const stretches = byKind.get(kind) ?? [];
        stretches.push(wholeOf(values));
        byKind.set(kind, stretches);
      }
      for (const [kind, stretches] of byKind) this.scale(kind, 0).update(stretches, how);
      return;
    }
    for (const { name, kind, values, kernelSize } of tensors) {
      const key = `${kind} ${name}`;
      const size = scope === 'layer' ? values.length : kernelSize;
      const groups = Math.floor(values.length / size);
      for (let group = 0; group < groups; group += 1) {
        const stretch = { values, start: group * size, end: (group + 1) * size };
        this.scale(key, group).update([stretch], how);
      }
    }
  }

  scaleOf(name: string, kind: string, kernel: number): Scale {
    const key = this.scope === 'network' ? kind : `${kind} ${name}`;
    return this.scale(key, this.scope === 'kernel' ? kernel : 0);
  }

  /** Fills `target`, one value a kernel; returns whether anything in it changed. */
  fill(name: string, kind: string, target: Float64Array): boolean {
    let changed = false;
    const key = this.scope === 'network' ? kind : `${kind} ${name}`;
    const whole = this.scope === 'kernel' ? null : this.scale(key, 0).value;
    for (let kernel = 0; kernel < target.length; kernel += 1) {
      const value = whole ?? this.scale(key, kernel).value;
      if (target[kernel] !== value) {
        target[kernel] = value;
        changed = true;
      }
    }
    return changed;
  }

  private scale(key: string, group: number): Scale {
    let groups = this.scales.get(key);
    if (groups === undefined) {
      groups = [];
      this.scales.set(key, groups);
    }
    return (groups[group] ??= new Scale());
  }
}

import type { NetworkPlan } from '../../src-shared/model/network';
import type { StepRecord } from './session';

/** A message this often while running is as good as one a step, and costs less. */
const FLUSH_EVERY_MS = 100;

/** Names of the metric columns of a network, in the order in which rows have them. */
export function metricColumns(plan: NetworkPlan): string[] {
  const layers = plan.layers.filter(({ parameters }) => parameters.length > 0).map(({ spec }) => spec.name);
  const norms = ['weightNorm', 'gradientNorm', 'updateNorm'].flatMap((norm) =>
    layers.map((layer) => `${norm}:${layer}`),
  );
  return ['loss', 'runningLoss', 'runningAccuracy', ...norms];
}

/** Gathers the metrics of finished steps into few messages, losing none. */
export class MetricsLane {
  private readonly send: (firstStep: number, rows: Float32Array<ArrayBuffer>) => void;
  private readonly now: () => number;
  private rows: number[] = [];
  private firstStep = 0;
  private sentAtMs = -Infinity;

  constructor(send: (firstStep: number, rows: Float32Array<ArrayBuffer>) => void, now: () => number) {
    this.send = send;
    this.now = now;
  }

  add(record: StepRecord): void {
    if (this.rows.length === 0) this.firstStep = record.step;
    this.rows.push(
      record.loss,
      record.runningLoss,
      record.runningAccuracy,
      ...record.weightNorms,
      ...record.gradientNorms,
      ...record.updateNorms,
    );
    if (this.now() - this.sentAtMs >= FLUSH_EVERY_MS) this.flush();
  }

  flush(): void {
    if (this.rows.length === 0) return;
    this.send(this.firstStep, Float32Array.from(this.rows));
    this.rows = [];
    this.sentAtMs = this.now();
  }
}

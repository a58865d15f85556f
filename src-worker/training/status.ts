import type { Status } from '../../src-shared/protocol/messages';
import { toWireNumber, type WireNumber } from '../../src-shared/protocol/wire-number';
import type { Dataset } from '../data/dataset';
import type { ProofBook } from './proof';
import type { Run } from './run';
import type { RunControl } from './run-control';
import type { SessionView } from './session';
import type { Failure } from './thread-messages';

const EVERY_MS = 250;

interface StatusParts {
  readonly control: RunControl;
  readonly proofs: ProofBook;
  readonly send: (status: Status) => void;
  readonly now: () => number;
}

/** What is told about a run as a whole: at every change, and a few times a second while running. */
export class StatusLane {
  failure: Failure | null = null;
  /** Steps a second that training may do at most; null: flat out. */
  limit: number | null = null;
  /** Progress of a test run under way, 0..1. */
  testing: number | null = null;
  private readonly parts: StatusParts;
  private sentAtMs = -Infinity;
  private sha: Status['weightsSha256'] = null;
  private proof: Status['proof'] = null;

  constructor(parts: StatusParts) {
    this.parts = parts;
  }

  newRun(): void {
    this.failure = null;
    this.testing = null;
    this.weightsChanged();
  }

  /** The weights are others than the step says. */
  weightsChanged(): void {
    this.sha = null;
    this.proof = null;
  }

  /** Training is at a minibatch boundary and has time: computes the SHA-256 of the weights and compares it with other runs. */
  seal({ session, mode, runId, proofKey }: Run): void {
    const { step } = session;
    if (this.sha?.step === step) return;
    this.sha = { step, value: session.weightsSha256() };
    if (proofKey === null) return;
    const proof = this.parts.proofs.compare(proofKey, step, { runId, mode, sha256: this.sha.value });
    this.proof = proof ?? this.proof;
  }

  /** For places that are passed often. */
  tellNowAndThen(run: Run): void {
    if (this.parts.now() - this.sentAtMs >= EVERY_MS) this.tell(run);
  }

  tell(run: Run): void {
    this.sentAtMs = this.parts.now();
    this.parts.send(this.compose(run));
  }

  private compose({ runId, engine, session, meter, fitTime, mode, place }: Run): Status {
    const { control } = this.parts;
    const { step, epoch, epochs, stepInEpoch, stepsPerEpoch, minibatch, dataset } = session;
    const { phase, layer } = control.standing ? place : { phase: session.phase, layer: null };
    const speed = control.standing ? null : meter.speed;
    return {
      type: 'status',
      runId,
      state: control.ended ?? (control.standing ? 'paused' : 'running'),
      step,
      epoch,
      epochs,
      stepInEpoch,
      stepsPerEpoch,
      phase,
      layer: layer?.spec.name ?? null,
      mode,
      breakpoints: [...control.breakpoints],
      stoppedAt: control.stoppedAt,
      stepsPerSecondLimit: this.limit,
      stepsPerSecond: speed?.stepsPerSecond ?? null,
      imagesPerSecond: speed?.imagesPerSecond ?? null,
      phaseShares: meter.shares,
      fitTime: mode === 'fit' ? fitTime.mean : null,
      threads: engine.engine.threads?.inUse ?? null,
      minibatch: minibatch === null ? null : { ...labelled(minibatch, dataset), loss: lossOf(session) },
      weightsSha256: this.sha,
      proof: this.proof,
      testing: this.testing,
      failure: this.failure,
      nonFinite: session.nonFinite,
    };
  }
}

const lossOf = ({ lossUnderWay }: Run['session']): WireNumber | null =>
  lossUnderWay === null ? null : toWireNumber(lossUnderWay);

/** A copy of what a minibatch was made of, with the labels of its images in the same order. */
const labelled = (
  { step, indices }: NonNullable<SessionView['minibatch']>,
  { train }: Dataset,
): Omit<NonNullable<Status['minibatch']>, 'loss'> => ({
  step,
  indices: [...indices],
  labels: indices.map((index) => train.labels[index]!),
});

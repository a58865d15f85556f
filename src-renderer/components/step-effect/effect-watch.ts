import { GradscopeError } from '../../../src-shared/protocol/errors';
import { stepEffectOf, type StepEffect } from '../../scene/step-effect';
import type { RequestClient } from '../../state/request-client';
import { appStore } from '../../state/store';

/** While training runs, the next step is asked for this long after an answer; the trainer takes its own time besides. */
const PAUSE_MS = 500;

export interface Watched {
  readonly effect: StepEffect | null;
  /** Why there is none of the step at which training stands. */
  readonly refusal: string | null;
}

export const NOTHING: Watched = { effect: null, refusal: null };

export interface EffectWatchParts {
  readonly send: RequestClient;
  readonly after: (delayMs: number, callback: () => void) => () => void;
  readonly isVisible: () => boolean;
  readonly onChange: (watched: Watched) => void;
}

/**
 * Asks what the last step did, for as long as somebody looks: once a step while training stands, now and then while it runs.
 * One question at a time.
 */
export class EffectWatch {
  private readonly parts: EffectWatchParts;
  private watched = NOTHING;
  private asking = false;
  private stopped = false;
  private cancelPause: (() => void) | null = null;
  private runId: number | null = null;
  private weightsRevision = 0;
  /** Where training stood when a question was answered or refused: asking again would give the same. */
  private settledAt = '';
  private readonly unsubscribe: () => void;

  constructor(parts: EffectWatchParts) {
    this.parts = parts;
    this.unsubscribe = appStore.subscribe(() => {
      this.consider();
    });
    this.consider();
  }

  /** Something changed that decides whether to ask. */
  consider(): void {
    const { status, connection, weightsRevision } = appStore.getState();
    if (this.stopped || status === null || connection.state !== 'open') return;
    if (status.runId !== this.runId || weightsRevision !== this.weightsRevision) {
      this.runId = status.runId;
      this.weightsRevision = weightsRevision;
      this.settledAt = '';
      this.show(NOTHING);
    }
    if (this.asking || !this.parts.isVisible()) return;
    const isRunning = status.state === 'running';
    if (isRunning ? this.cancelPause !== null : status.step === 0 || this.settledAt === placeNow()) return;
    void this.ask(status.runId);
  }

  stop(): void {
    this.stopped = true;
    this.cancelPause?.();
    this.unsubscribe();
  }

  private async ask(runId: number): Promise<void> {
    this.asking = true;
    const place = placeNow();
    const revision = appStore.getState().weightsRevision;
    let found: Watched;
    try {
      const { result } = await this.parts.send.request('measureStep', {});
      found = { effect: stepEffectOf(result), refusal: null };
      this.settledAt = placeOf(runId, result.step, revision);
    } catch (error) {
      const refusal = error instanceof GradscopeError ? error.message : String(error);
      found = { ...this.watched, refusal };
      this.settledAt = place;
    }
    this.asking = false;
    if (this.isStopped() || runId !== this.runId || revision !== this.weightsRevision) {
      this.consider();
      return;
    }
    this.show(found);
    this.cancelPause?.();
    this.cancelPause = this.parts.after(PAUSE_MS, () => {
      this.cancelPause = null;
      this.consider();
    });
    this.consider();
  }

  private isStopped(): boolean {
    return this.stopped;
  }

  private show(watched: Watched): void {
    if (this.watched === watched) return;
    this.watched = watched;
    this.parts.onChange(watched);
  }
}

const placeOf = (runId: number, step: number, weightsRevision: number): string =>
  [runId, step, weightsRevision].join(' ');

/** The run, its last finished step, and how often its weights were replaced. */
function placeNow(): string {
  const { status, weightsRevision } = appStore.getState();
  return status === null ? '' : placeOf(status.runId, status.step, weightsRevision);
}

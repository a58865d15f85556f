import { GradscopeError } from '../../src-shared/protocol/errors';
import { toWireNumber } from '../../src-shared/protocol/messages';
import type { Engine, EngineNetwork } from '../engine/engine';
import type { Reply } from './requests';
import type { Session } from './session';
import { measureStep, type StepEffect } from './step-effect';
import { failureOf } from './thread-messages';

/** Share of the time of training that measuring may take while it runs. */
const MOST_SHARE = 0.02;
/** Those who wait share one answer; more than pages that can be open, few enough to mean no harm. */
const MOST_WAITING = 256;

export interface StepEffectsParts {
  readonly engine: Engine;
  readonly session: Session;
  /** ms of a clock that only goes forward */
  readonly now: () => number;
}

interface UnderWay {
  readonly step: number;
  readonly points: Generator<undefined, StepEffect>;
  /** Time taken from training, ms. */
  spentMs: number;
}

/**
 * Answers those who want to know what the last step did to its loss. Nothing is computed unless somebody asks. Standing, the
 * last step is measured at once, point by point between two commands; running, at most MOST_SHARE of the time is spent on it:
 * one point after each step, and then nothing for a while.
 */
export class StepEffects {
  private readonly parts: StepEffectsParts;
  private waiting: Reply[] = [];
  private underWay: UnderWay | undefined;
  private scratch: EngineNetwork | undefined;
  private dueAtMs = 0;

  constructor(parts: StepEffectsParts) {
    this.parts = parts;
  }

  /** The engine that it computes on. */
  get engine(): Engine {
    return this.parts.engine;
  }

  /** @throws GradscopeError `not-now` when training stands and there is no step to look back at, or too many wait already */
  ask(standing: boolean, reply: Reply): void {
    if (this.waiting.length >= MOST_WAITING) {
      throw new GradscopeError(
        'not-now',
        `${String(MOST_WAITING)} wait for the step to be measured already.`,
      );
    }
    if (standing) {
      const finished = this.parts.session.lastStep();
      if (finished === null) throw this.nothingToMeasure();
    }
    this.waiting.push(reply);
  }

  /** A step was finished while training runs. */
  stepFinished(): void {
    if (this.waiting.length === 0) return;
    const beginMs = this.parts.now();
    if (this.underWay === undefined && beginMs < this.dueAtMs) return;
    const underWay = (this.underWay ??= this.begin());
    if (underWay === undefined) return;
    this.advance(underWay);
    const endMs = this.parts.now();
    underWay.spentMs += endMs - beginMs;
    this.dueAtMs = endMs + underWay.spentMs / MOST_SHARE;
  }

  /** A point while nothing else happens; false when there is nothing to do. @param standing whether training stands */
  idle(standing: boolean): boolean {
    if (this.waiting.length === 0) return false;
    // Who stands wants to see the step at which it stands.
    if (standing && this.underWay?.step !== this.parts.session.step) this.giveUp();
    if (standing) this.underWay ??= this.begin();
    if (this.underWay !== undefined) this.advance(this.underWay);
    else if (standing) this.refuse(this.nothingToMeasure());
    else return false;
    return true;
  }

  /** The run is over, or is replaced: nobody is left waiting. */
  dispose(): void {
    this.giveUp();
    this.refuse(new GradscopeError('not-now', 'The run was replaced before its step was measured.'));
    this.scratch?.dispose();
    this.scratch = undefined;
  }

  private begin(): UnderWay | undefined {
    const { session, engine } = this.parts;
    const finished = session.lastStep();
    if (finished === null) return undefined;
    this.scratch ??= engine.createNetwork(session.plan);
    const points = measureStep(this.scratch, finished);
    // Copies what it needs before training goes on.
    points.next();
    return { step: finished.step, points, spentMs: 0 };
  }

  private advance({ points }: UnderWay): void {
    try {
      const { done, value } = points.next();
      if (done === true) this.answer(value);
    } catch (error) {
      this.giveUp();
      this.refuse(error);
    }
  }

  private answer({ step, examples, points, slopes, slope, curvature }: StepEffect): void {
    this.underWay = undefined;
    const result = {
      step,
      examples,
      points: points.map(({ share, loss }) => ({ share, loss: toWireNumber(loss) })),
      slopes: slopes.map((layer) => ({ layer: layer.layer, slope: toWireNumber(layer.slope) })),
      slope: toWireNumber(slope),
      curvature: toWireNumber(curvature),
    };
    for (const reply of this.takeWaiting()) reply({ result });
  }

  private refuse(error: unknown): void {
    for (const reply of this.takeWaiting()) reply(failureOf(error));
  }

  private takeWaiting(): Reply[] {
    const { waiting } = this;
    this.waiting = [];
    return waiting;
  }

  private giveUp(): void {
    this.underWay?.points.return(undefined as never);
    this.underWay = undefined;
  }

  private nothingToMeasure(): GradscopeError {
    const { step } = this.parts.session;
    return new GradscopeError(
      'not-now',
      step === 0
        ? 'No step is finished yet, so there is none to measure.'
        : `The weights were set by hand after step ${String(step)}, so there is nothing to measure until the next.`,
    );
  }
}

import { type Phase, PHASES, type Position } from '../../src-shared/model/phases';
import { GradscopeError } from '../../src-shared/protocol/errors';
import type { Breakpoint } from '../../src-shared/protocol/messages';

export type StepKind = 'phase' | 'layer' | 'batch' | 'epoch';

/** Answers a request: with an error when it was refused. */
export type Answer = (refusal?: GradscopeError) => void;

/** Numbers the hub gave to its clients. */
export type ClientId = number;

interface StepRequest {
  readonly kind: StepKind;
  readonly client: ClientId;
  readonly answer: Answer;
}

/**
 * How far training may go. `free`: until something else is asked. `phase`, `batch`, `epoch`: to the end of the one under
 * way or, when none is, of the next. `layer`: to the next stop of a walk through the layers (see isLayerStop). `boundary`: a
 * step's goal is reached as soon as the minibatch under way is rounded off.
 */
type Goal = 'stand' | 'free' | 'boundary' | StepKind;

/**
 * What was asked of training and what follows from it at each place it reaches. Knows neither threads nor time: the gate
 * asks it, and blocks.
 *
 * A pause always wins over what is under way: inside a minibatch the answer is `abandon` as long as no weight has changed.
 * Step requests are done one after the other, each answered when training stands at its end. Breakpoints hold what runs
 * on, and cost nothing where there are none.
 */
export class RunControl {
  private goal: Goal = 'stand';
  /** The one place at which the goal is reached; undefined: the next of its kind. */
  private goalPlace: Position | undefined;
  private active: StepRequest | undefined;
  private queue: StepRequest[] = [];
  /** Whose step was begun last. */
  private steppedFor: ClientId | undefined;
  /** Answered as soon as training stands. */
  private untilStanding: Answer[] = [];
  private pauseAsked = false;
  private leaveAsked: 'atOnce' | 'atBoundary' | undefined;
  private over: 'finished' | 'failed' | undefined;
  private isStanding = true;
  private breaks: readonly Breakpoint[] = [];
  /** The breakpoint at which training stands, or will as soon as the minibatch is rounded off. */
  private heldBy: Breakpoint | null = null;
  /** The phase at whose layer training stood last, until the next place is reached. */
  private stoodAtLayerOf: Phase | null = null;

  /** Whether training stands (blocked at a gate, or without a loop). */
  get standing(): boolean {
    return this.isStanding;
  }

  /** A pause that has not taken effect yet. */
  get pausing(): boolean {
    return this.pauseAsked;
  }

  /** Whether the loop must return to the controller, and whether the minibatch under way is abandoned for it. */
  get leaving(): 'atOnce' | 'atBoundary' | undefined {
    return this.leaveAsked;
  }

  get ended(): 'finished' | 'failed' | undefined {
    return this.over;
  }

  /** Whether there is a goal to run for: free or a step. */
  get going(): boolean {
    return this.goal !== 'stand';
  }

  get breakpoints(): readonly Breakpoint[] {
    return this.breaks;
  }

  /** The breakpoint that made training stand where it stands. */
  get stoppedAt(): Breakpoint | null {
    return this.isStanding ? this.heldBy : null;
  }

  /** In the order of a step, whatever the order in which they are given. Training that stands stays where it is. */
  setBreakpoints(breakpoints: readonly Breakpoint[]): void {
    const rank = ({ phase, after }: Breakpoint): number =>
      2 * PHASES.indexOf(phase) + (after === 'layer' ? 0 : 1);
    this.breaks = breakpoints.toSorted((one, other) => rank(one) - rank(other));
  }

  /** Whether speed limit and breakpoints apply: single steps are neither slowed down nor held up. */
  get runningOn(): boolean {
    return this.goal === 'free' || this.goal === 'epoch';
  }

  /** @throws GradscopeError `not-now` when the run is over. */
  play(): void {
    this.refuseWhenOver();
    this.goal = 'free';
    this.goalPlace = undefined;
    this.heldBy = null;
    for (const step of this.takeSteps()) step.answer();
  }

  /** `answer` is called as soon as nothing moves any more. */
  pause(answer: Answer): void {
    this.untilStanding.push(answer, ...this.takeSteps().map((step) => step.answer));
    if (this.isStanding) {
      this.goal = 'stand';
      this.answerWaiting();
    } else if (this.goal !== 'stand') {
      this.goal = 'stand';
      this.goalPlace = undefined;
      this.heldBy = null;
      this.pauseAsked = true;
    }
  }

  /** @throws GradscopeError `not-now` when the run is over. How many may wait is for the hub to say. */
  step(kind: StepKind, client: ClientId, answer: Answer): void {
    this.refuseWhenOver();
    this.queue.push({ kind, client, answer });
    // Running free, a step sets the end of it at once; otherwise it waits for its turn (see beginNextStep).
    if (this.goal === 'free') this.beginNextStep(() => true);
  }

  /** Makes the loop return to the controller: after the minibatch under way, or by abandoning it. */
  leave(when: 'atOnce' | 'atBoundary'): void {
    if (this.leaveAsked !== 'atOnce') this.leaveAsked = when;
  }

  /** The loop has returned. */
  left(): void {
    this.leaveAsked = undefined;
  }

  /** A client has gone: steps of its that have not begun are forgotten. */
  forget(client: ClientId): void {
    this.queue = this.queue.filter((step) => step.client !== client);
  }

  /** Takes up the step whose turn it is, unless `mayBegin` holds its client back. */
  beginNextStep(mayBegin: (client: ClientId) => boolean): void {
    if (this.active !== undefined) return;
    // Clients take turns, and one whose page draws slowly, or not at all, holds nobody else up.
    const may = this.queue.filter(({ client }) => mayBegin(client));
    const next = may.find(({ client }) => client !== this.steppedFor) ?? may[0];
    if (next === undefined) return;
    this.queue.splice(this.queue.indexOf(next), 1);
    this.active = next;
    this.steppedFor = next.client;
    this.goal = next.kind;
    this.goalPlace = undefined;
  }

  /** Does an abandoned minibatch again as far as it had come, and stands there again. */
  goBackTo(place: Position): void {
    this.goal = place.layer === null ? 'phase' : 'layer';
    this.goalPlace = place;
  }

  /** The minibatch in which training stood was given up: it stands before it now, and no breakpoint holds it there. */
  gaveUp(): void {
    this.heldBy = null;
  }

  /** Inside a minibatch, just after the work named by `position`. */
  arrive(position: Position): 'go' | 'stand' | 'abandon' {
    const { phase, layer } = position;
    // After the last layer of a phase comes its end, which is the same place.
    const stoodHere = layer === null && phase === this.stoodAtLayerOf;
    this.stoodAtLayerOf = null;
    if (this.pauseAsked || this.leaveAsked === 'atOnce') return phase === 'step' ? 'go' : 'abandon';
    const breakpoint = stoodHere || this.breaks.length === 0 ? null : this.breakpointAt(position);
    if (phase === 'step') {
      if (breakpoint !== null) this.holdAt(breakpoint);
      if (this.goal === 'phase' || this.goal === 'layer' || this.goal === 'batch') this.goal = 'boundary';
      return 'go';
    }
    if (breakpoint !== null) this.heldBy = breakpoint;
    else if (stoodHere || !this.isGoal(position)) return 'go';
    this.reachGoal();
    if (layer !== null) this.stoodAtLayerOf = phase;
    return 'stand';
  }

  /** Between two minibatches. */
  arriveAtBoundary(): 'go' | 'stand' | 'leave' {
    if (this.leaveAsked !== undefined) return 'leave';
    if (this.goal === 'boundary') this.reachGoal();
    return this.goal === 'stand' ? 'stand' : 'go';
  }

  /** An epoch and the test that belongs to it are over. */
  epochEnded(): void {
    if (this.goal === 'epoch') this.goal = 'boundary';
  }

  /** Training stands from here on. */
  stand(): void {
    this.isStanding = true;
    this.pauseAsked = false;
  }

  /** Answers everybody who waited for training to stand. */
  answerWaiting(): void {
    const answers = this.untilStanding;
    this.untilStanding = [];
    for (const answer of answers) answer();
  }

  /** Training goes on from where it stood. */
  go(): void {
    this.isStanding = false;
    // On the way back to a place, what held it there still does.
    if (this.goalPlace === undefined) this.heldBy = null;
  }

  /** The run is over: nothing but a continuation or a new run can follow. */
  end(how: 'finished' | 'failed'): void {
    this.over = how;
    this.heldBy = null;
    this.reachGoal();
    const sentence =
      how === 'finished' ? 'The run is finished; continue or restart it.' : 'The run has failed; restart it.';
    for (const step of this.takeSteps()) step.answer(new GradscopeError('not-now', sentence));
  }

  /** A new run, or the continuation of a finished one, is there; `answer` is called when it stands ready. */
  begin(answer: Answer): void {
    this.reachGoal();
    this.untilStanding.push(...this.takeSteps().map((step) => step.answer), answer);
    this.heldBy = null;
    this.stoodAtLayerOf = null;
    this.over = undefined;
    this.pauseAsked = false;
  }

  /** The breakpoint that holds training there; null for none, and for a step that has a goal of its own. */
  private breakpointAt({ phase, layer }: Position): Breakpoint | null {
    if (!this.runningOn) return null;
    const after = layer === null ? 'phase' : 'layer';
    return this.breaks.find((one) => one.phase === phase && one.after === after) ?? null;
  }

  /** An update cannot be stood in: training is held where the minibatch is rounded off. */
  private holdAt(breakpoint: Breakpoint): void {
    this.heldBy = breakpoint;
    this.goal = 'boundary';
  }

  private isGoal(position: Position): boolean {
    if (this.goal !== 'phase' && this.goal !== 'layer') return false;
    const { goalPlace } = this;
    if (goalPlace !== undefined) {
      return position.phase === goalPlace.phase && position.layer === goalPlace.layer;
    }
    return this.goal === 'layer' ? isLayerStop(position) : position.layer === null;
  }

  private reachGoal(): void {
    this.goal = 'stand';
    this.goalPlace = undefined;
    if (this.active !== undefined) this.untilStanding.push(this.active.answer);
    this.active = undefined;
  }

  private takeSteps(): StepRequest[] {
    const steps = this.active === undefined ? this.queue : [this.active, ...this.queue];
    this.active = undefined;
    this.queue = [];
    return steps;
  }

  private refuseWhenOver(): void {
    if (this.over === 'finished') {
      throw new GradscopeError('not-now', 'The run is finished; continue it for more epochs, or restart.');
    }
    if (this.over === 'failed') throw new GradscopeError('not-now', 'The run has failed; restart it.');
  }
}

/** A walk stops at every layer; the ends of forward and backward are where their last layer is, and no stop more. */
const isLayerStop = ({ phase, layer }: Position): boolean =>
  layer !== null || phase === 'zeroGrad' || phase === 'loss';

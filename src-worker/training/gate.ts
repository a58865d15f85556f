import type { Position } from '../../src-shared/model/phases';
import { type Gate, StepAbandoned } from './loop';
import type { Mailbox } from './mailbox';
import type { ClientId, RunControl } from './run-control';

/** What the gate needs of the trainer around it. Nothing here may block. */
export interface GateHost<Command> {
  serve(command: Command): void;
  /** Whether it is served now. Else it waits, and all behind it, so that training gets its share of the time. */
  mayServe(command: Command): boolean;
  /** A place was reached; training has not been told yet whether it goes on. */
  reached(position: Position): void;
  /** Whether the next minibatch may begin; else the loop returns to the controller, which has something to do before. */
  mayBegin(): boolean;
  /** The next minibatch begins now. */
  began(): void;
  /** Training stands from now on: everything a client can ask for is made exact and told. */
  stood(): void;
  /** Training goes on after it stood. */
  went(): void;
  /** Gives clients the pictures they are owed and have credit for. */
  publish(): void;
  /** Whether the client has drawn what it was shown, so that the step it asked for may begin. */
  hasDrawn(client: ClientId): boolean;
  /** A little work for a time in which nothing else happens; false when there is none. */
  idle(): boolean;
  /** When the next minibatch may begin by the speed limit, on performance.now's clock; 0 without one. */
  due(): number;
}

/** How long a command that is held waits at most before it is looked at again where nothing else happens, ms. */
const HELD_MS = 5;

/**
 * Where training and the commands of its watchers meet: blocks the training thread for as long as it has to stand, and
 * serves every command meanwhile. With nothing in the mailbox a gate costs one atomic load.
 */
export class BlockingGate<Command> implements Gate {
  private readonly control: RunControl;
  private readonly mailbox: Mailbox<Command>;
  private readonly host: GateHost<Command>;
  /** Taken, and not served yet. */
  private held: Command | undefined;

  constructor(control: RunControl, mailbox: Mailbox<Command>, host: GateHost<Command>) {
    this.control = control;
    this.mailbox = mailbox;
    this.host = host;
  }

  beforeStep(): 'go' | 'leave' {
    for (;;) {
      this.serveMail();
      const answer = this.control.arriveAtBoundary();
      if (answer === 'leave') return 'leave';
      if (answer === 'stand') this.stand('atBoundary');
      else if (!this.host.mayBegin()) return 'leave';
      else {
        this.go();
        if (!this.waitUntilDue()) {
          this.host.began();
          return 'go';
        }
      }
    }
  }

  reached(position: Position): void {
    this.host.reached(position);
    this.serveMail();
    const answer = this.control.arrive(position);
    if (answer === 'stand') this.stand('inside');
    if (answer === 'abandon' || (answer === 'stand' && this.control.leaving === 'atOnce')) {
      throw new StepAbandoned();
    }
  }

  /**
   * Between two pieces of work that change no weight (a test run). Blocks while training stands.
   * 'leave': the work must be given up now.
   */
  betweenChunks(): 'go' | 'leave' {
    this.serveMail();
    if (this.control.leaving !== 'atOnce' && !this.control.going) this.stand('inside');
    if (this.control.leaving === 'atOnce') return 'leave';
    this.go();
    this.host.publish();
    return 'go';
  }

  /** Without a loop: stands until there is something to run for, or the controller has something to do. */
  standStill(): void {
    this.serveMail();
    if (this.control.leaving === undefined && !this.control.going) this.stand('atBoundary');
  }

  /** Commands take full effect in order: what follows a pause or a new run waits until that has come about. */
  private serveMail(): void {
    while (!this.control.pausing && this.control.leaving !== 'atOnce' && this.hasMail()) {
      const command = this.held ?? this.mailbox.take();
      if (command === undefined) continue;
      this.held = this.host.mayServe(command) ? undefined : command;
      if (this.held !== undefined) return;
      this.host.serve(command);
    }
  }

  private hasMail(): boolean {
    return this.held !== undefined || this.mailbox.hasMail();
  }

  private stand(place: 'atBoundary' | 'inside'): void {
    const { control, host } = this;
    control.stand();
    host.stood();
    control.answerWaiting();
    for (;;) {
      host.publish();
      control.beginNextStep((client) => host.hasDrawn(client));
      if (control.going || control.leaving === 'atOnce') break;
      if (control.leaving === 'atBoundary' && place === 'atBoundary') break;
      if (this.hasMail()) this.serveMail();
      else if (!host.idle()) this.mailbox.wait(Infinity);
    }
    if (control.leaving !== 'atOnce' && place === 'inside') this.go();
  }

  private go(): void {
    if (!this.control.standing) return;
    this.control.go();
    this.host.went();
  }

  /** Waits for the speed limit. True when it did, so that the gate must look again. */
  private waitUntilDue(): boolean {
    if (!this.control.runningOn) return false;
    const waitMs = this.host.due() - performance.now();
    if (waitMs <= 0) return false;
    this.host.publish();
    if (!this.host.idle()) this.mailbox.wait(this.held === undefined ? waitMs : Math.min(waitMs, HELD_MS));
    return true;
  }
}

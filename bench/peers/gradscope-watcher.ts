import { INITIAL_CREDITS } from '../../src-shared/protocol/messages';
import { watchList } from '../../src-renderer/feed/watch-list';
import { DigitProbe } from '../../src-worker/probe/digit';
import { giveBack, type SharedPayload } from '../../src-worker/probe/picture-pool';
import { Publisher } from '../../src-worker/probe/publisher';
import type { Session } from '../../src-worker/training/session';

/** The only one who watches. */
const CLIENT = 0;
/** A page that draws thirty pictures a second. */
const DRAWING_MS = 1000 / 30;

/** What a page that shows everything asks of the training thread, as the trainer does it, without the page. */
export class Watched {
  private readonly publisher: Publisher;
  private readonly digit: DigitProbe;
  /** Pictures that are out, and when they will have been drawn. */
  private readonly out: { readonly payload: SharedPayload; readonly drawnAtMs: number }[] = [];

  constructor(session: Session) {
    const now = (): number => performance.now();
    this.publisher = new Publisher(
      {
        layout: () => undefined,
        frame: (_client, _head, payload) => {
          const begins = Math.max(now(), this.out.at(-1)?.drawnAtMs ?? 0);
          this.out.push({ payload, drawnAtMs: begins + DRAWING_MS });
        },
      },
      now,
    );
    const { network, dataset, recipe, plan } = session;
    const step = (): number => session.step;
    this.digit = new DigitProbe({
      network,
      dataset,
      input: recipe.input,
      choice: { testIndex: 0 },
      step,
      now,
    });
    this.publisher.connect(CLIENT);
    this.publisher.credit(CLIENT, INITIAL_CREDITS);
    this.publisher.setSource({ runId: 1, session, digit: this.digit, place: { phase: 'step', layer: null } });
    this.publisher.watch(CLIENT, watchList(plan));
  }

  stepFinished(): void {
    for (
      let first = this.out[0];
      first !== undefined && first.drawnAtMs <= performance.now();
      first = this.out[0]
    ) {
      this.out.shift();
      giveBack(first.payload);
      this.publisher.credit(CLIENT, 1);
    }
    this.publisher.changed();
    this.publisher.publish('applied');
  }

  dispose(): void {
    this.digit.dispose();
  }
}

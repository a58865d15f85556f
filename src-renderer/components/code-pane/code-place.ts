import type { Phase } from '../../../src-shared/model/phases';
import type { Breakpoint, Status } from '../../../src-shared/protocol/messages';
import { formatFixed } from '../../scene/numbers';
import type { CodeView } from '../../state/store';
import { type CodeFacts, type CodeLine, codeOf, type Moment } from './code-text';

/** Where a run is in its code. */
export interface CodePlace {
  readonly moment: Moment;
  /** Name of the layer, where `moment` is after one. */
  readonly layer: string | null;
}

/**
 * Running free, phases come and go faster than anything can be shown: then it is the place after which the picture was
 * taken. Null: training has not begun, or is over.
 *
 * @param picturePhase of the picture on the screen
 */
export function codePlace(status: Status, picturePhase: Phase | null): CodePlace | null {
  const { state, phase, layer, testing, stepInEpoch, stepsPerEpoch } = status;
  if (state === 'finished' || state === 'failed') return null;
  const isRunning = state === 'running';
  // Tests within an epoch, and that of the untrained network, are not in the code.
  if (isRunning && testing !== null && stepInEpoch === stepsPerEpoch) return { moment: 'test', layer: null };
  const shown = isRunning ? (picturePhase ?? phase) : phase;
  if (shown === null) return null;
  return isRunning || layer === null
    ? { moment: { phase: shown, after: 'phase' }, layer: null }
    : { moment: { phase: shown, after: 'layer' }, layer };
}

export const sameMoment = (one: Moment, other: Moment): boolean =>
  one === 'test' || other === 'test' ? one === other : one.phase === other.phase && one.after === other.after;

export interface Lit {
  /** Index of the line where training is; -1: none. */
  readonly line: number;
  /** Index of the line that begins the loop over the layers, inside of which that is; -1: none. */
  readonly around: number;
}

export function litLines(lines: readonly CodeLine[], moment: Moment | null): Lit {
  if (moment === null) return { line: -1, around: -1 };
  const line = lineAt(lines, moment);
  const isInLoop = moment !== 'test' && moment.after === 'layer';
  const around = isInLoop ? lineAt(lines, { phase: moment.phase, after: 'phase' }) : -1;
  return { line, around: around === line ? -1 : around };
}

const lineAt = (lines: readonly CodeLine[], moment: Moment): number =>
  lines.findIndex(({ at }) => at.some((one) => sameMoment(one, moment)));

/** `backward` for a breakpoint at each of its layers, `end of backward` when it waits for all; `loss`, `step`. */
export function stopName({ phase, after }: Breakpoint): string {
  const hasLayers = phase === 'forward' || phase === 'backward';
  return hasLayers && after === 'phase' ? `end of ${phase}` : phase;
}

/** Where a breakpoint is: in the view that is open if it has such a line, else in the first that has. */
function lineOfStop(stop: Breakpoint, view: CodeView, facts: CodeFacts): string {
  for (const candidate of [view, 'loop', 'tape'] as const) {
    const line = codeOf(candidate, facts).findIndex((one) => one.stop !== null && sameMoment(one.stop, stop));
    if (line >= 0) return `line ${String(line + 1)}${candidate === view ? '' : ` of ${candidate}`}`;
  }
  return 'no line';
}

/** One sentence: where training is in the open view, and why it stands there. */
export function placeSentence(
  place: CodePlace | null,
  { state, stoppedAt }: Pick<Status, 'state' | 'stoppedAt'>,
  view: CodeView,
  facts: CodeFacts,
): string {
  if (place === null) {
    if (state === 'failed') return 'The run has failed.';
    return state === 'finished' ? 'The run is finished.' : 'Not begun: no line was run yet.';
  }
  const { moment, layer } = place;
  const line = `line ${String(litLines(codeOf(view, facts), moment).line + 1)}`;
  if (moment === 'test') return `Tests the network on ${line}.`;
  const what = layer === null ? stopName(moment) : `${moment.phase}, ${layer}`;
  if (state === 'running') return `Running; the picture was taken after ${line}: ${what}.`;
  return stoppedAt === null
    ? `Stands after ${line}: ${what}.`
    : `Stopped at the breakpoint on ${lineOfStop(stoppedAt, view, facts)}: ${what}.`;
}

/** What fit() itself takes of a step: "fit() itself: 0.52 ms of 2.10 ms a step". */
export const fitTimeWords = (time: Status['fitTime']): string =>
  time === null
    ? ''
    : `fit() itself: ${formatFixed(time.ownMs, 2)} ms of ${formatFixed(time.stepMs, 2)} ms a step`;

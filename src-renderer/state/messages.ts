import { nonFiniteCounts, nonFinitePlace } from '../../src-shared/text/non-finite';
import { formatCount } from '../scene/numbers';
import type { AppState, LostRun } from './store';

/** Kinds of messages, the gravest first. The last two are news, of which the newer comes first. */
export const GRAVEST_FIRST = [
  'gone',
  'silent',
  'refused',
  'stopped',
  'nonFinite',
  'remark',
  'weightsReplaced',
  'finished',
] as const;
export type MessageKind = (typeof GRAVEST_FIRST)[number];

/** Colour of the edge of the line: `warn` to act on, `nan` for NaN and infinity, `plain` for news. */
export type MessageTone = 'warn' | 'nan' | 'plain';

/** One thing that a person must know and cannot see in the pictures. */
export interface Message {
  readonly kind: MessageKind;
  readonly tone: MessageTone;
  /** Two or three words. */
  readonly what: string;
  /** One sentence or part of one; it may be cut to the width of the window. */
  readonly why: string;
  /** Stable name of the error, for whoever looks it up; null for news. */
  readonly code: string | null;
}

/** Silence that is worth a word. */
export const SILENT_FROM_SECONDS = 3;

/** What the messages are about. */
export type MessageState = Pick<
  AppState,
  'connection' | 'status' | 'notice' | 'nonFinite' | 'lost' | 'silentSeconds' | 'replacementNews'
>;

/** All that is to be said now, the gravest first. */
export function messagesOf(state: MessageState): Message[] {
  const news = [weightsReplaced(state), finished(state)];
  const isFinishedNewer = (state.status?.step ?? 0) > (state.replacementNews?.step ?? 0);
  return [
    gone(state),
    silent(state),
    refused(state),
    stopped(state),
    nonFinite(state),
    remark(state),
    ...(isFinishedNewer ? news.reverse() : news),
  ].filter((message) => message !== null);
}

function gone({ connection, lost }: MessageState): Message | null {
  if (connection.state !== 'lost' && lost === null) return null;
  const code = lost?.code ?? connection.code;
  const reason = lost?.message ?? connection.message ?? '';
  if (lost !== null && lost.foundStep !== null) {
    const hasDied = lost.code === 'worker-died';
    const news = hasDied
      ? `${stepsLost(lost)} ${newRun(lost.foundStep)}`
      : 'Another run was begun meanwhile.';
    return {
      kind: 'gone',
      tone: 'warn',
      what: hasDied ? 'New trainer' : 'Another run',
      why: `${reason} ${news}`.trim(),
      code,
    };
  }
  const isLooking = code === 'worker-died' || code === 'connection-lost';
  const next = isLooking ? 'Looking for a trainer.' : 'Restart begins a new run.';
  const why = [reason, lost === null ? '' : whatIsLost(lost), next].filter((part) => part !== '').join(' ');
  return { kind: 'gone', tone: 'warn', what: 'Trainer gone', why, code };
}

const stepsLost = ({ step }: LostRun): string =>
  step === 0 ? 'No step was lost.' : `${steps(step)} ${step === 1 ? 'was' : 'were'} lost.`;

/** Another page may have trained it before this one found it. */
const newRun = (step: number): string =>
  step === 0
    ? 'This is a new run, from step 0.'
    : `This is a new run; it was at step ${formatCount(step)} when this page found it.`;

/** A trainer that died has taken its run along; one that only cannot be reached may still have it. */
const whatIsLost = (lost: LostRun): string =>
  lost.code === 'worker-died'
    ? stepsLost(lost)
    : `What is shown is old${lost.step === 0 ? '' : `, of step ${formatCount(lost.step)}`}.`;

const steps = (count: number): string => `${formatCount(count)} ${count === 1 ? 'step' : 'steps'}`;

function silent({ connection, silentSeconds, status }: MessageState): Message | null {
  if (connection.state === 'lost' || silentSeconds < SILENT_FROM_SECONDS) return null;
  const shown = status === null ? '' : ` What is shown is of step ${formatCount(status.step)}.`;
  const why = `no answer for ${formatCount(silentSeconds)} s.${shown}`;
  return { kind: 'silent', tone: 'warn', what: 'Trainer silent', why, code: null };
}

function refused({ notice }: MessageState): Message | null {
  if (notice === null || notice.code === null) return null;
  const { message: why, code } = notice;
  return { kind: 'refused', tone: 'warn', what: 'Not done', why, code };
}

function remark({ notice }: MessageState): Message | null {
  if (notice === null || notice.code !== null) return null;
  return { kind: 'remark', tone: 'plain', what: 'Weights opened', why: notice.message, code: null };
}

function stopped({ status }: MessageState): Message | null {
  const failure = status?.failure ?? null;
  if (failure === null) return null;
  const why = `${failure.message} Restart begins a new run.`;
  return { kind: 'stopped', tone: 'warn', what: 'Training failed', why, code: failure.code };
}

function nonFinite({ nonFinite: met }: MessageState): Message | null {
  if (met === null) return null;
  const why = `first met in ${nonFinitePlace(met)}`;
  return { kind: 'nonFinite', tone: 'nan', what: nonFiniteCounts(met), why, code: null };
}

function weightsReplaced({ replacementNews: news }: MessageState): Message | null {
  if (news === null) return null;
  const isFile = news.source === 'file';
  const clause = news.isMeasured ? [] : ['nothing is measured of these weights yet'];
  const why = isFile
    ? [`from ${news.name} at step ${formatCount(news.step)}`, 'the memory of the optimiser was cleared']
    : [`in ${news.name} after step ${formatCount(news.step)}`];
  return {
    kind: 'weightsReplaced',
    tone: 'plain',
    what: isFile ? 'Weights opened' : 'Weight set by hand',
    why: [...why, ...clause].join('; '),
    code: null,
  };
}

function finished({ status }: MessageState): Message | null {
  if (status?.state !== 'finished') return null;
  const isWhole = status.stepInEpoch === status.stepsPerEpoch;
  const why = `at step ${formatCount(status.step)}, ${isWhole ? 'after' : 'in'} epoch ${formatCount(status.epoch)}`;
  return { kind: 'finished', tone: 'plain', what: 'Finished', why, code: null };
}

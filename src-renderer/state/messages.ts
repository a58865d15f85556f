import { nonFiniteCounts, nonFinitePlace } from '../../src-shared/text/non-finite';
import { formatCount } from '../scene/numbers';
import type { AppState } from './store';

/** Kinds of messages, the gravest first. */
export const GRAVEST_FIRST = ['gone', 'refused', 'stopped', 'nonFinite', 'finished'] as const;
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

/** What the messages are about. */
export type MessageState = Pick<AppState, 'connection' | 'status' | 'notice' | 'nonFinite'>;

/** All that is to be said now, the gravest first. */
export function messagesOf(state: MessageState): Message[] {
  const messages = [gone(state), stopped(state), nonFinite(state), finished(state), refused(state)];
  return messages
    .filter((message) => message !== null)
    .toSorted((a, b) => GRAVEST_FIRST.indexOf(a.kind) - GRAVEST_FIRST.indexOf(b.kind));
}

function gone({ connection: { state, code, message } }: MessageState): Message | null {
  if (state !== 'lost') return null;
  const why = `${message ?? ''} What is shown is old. Restart begins a new run.`;
  return { kind: 'gone', tone: 'warn', what: 'Trainer gone', why, code };
}

function refused({ notice }: MessageState): Message | null {
  if (notice === null) return null;
  return { kind: 'refused', tone: 'warn', what: 'Not done', why: notice.message, code: notice.code };
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

function finished({ status }: MessageState): Message | null {
  if (status?.state !== 'finished') return null;
  const isWhole = status.stepInEpoch === status.stepsPerEpoch;
  const why = `at step ${formatCount(status.step)}, ${isWhole ? 'after' : 'in'} epoch ${formatCount(status.epoch)}`;
  return { kind: 'finished', tone: 'plain', what: 'Finished', why, code: null };
}

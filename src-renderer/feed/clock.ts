/**
 * How far the trainer's clock is ahead of the page's, ms, from one question and answer (as NTP does): the answer was
 * written half-way between asking and hearing, give or take half of that time. A difference smaller than this doubt is
 * taken for none, since mostly both clocks are the same one.
 */
export function clockOffset(askedAtMs: number, trainerMs: number, heardAtMs: number): number {
  const offset = trainerMs - (askedAtMs + heardAtMs) / 2;
  return Math.abs(offset) <= Math.max(1, (heardAtMs - askedAtMs) / 2) ? 0 : offset;
}

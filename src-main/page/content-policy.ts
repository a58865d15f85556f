/** No text becomes a script, markup or the address of one: where a page would take such a text, it throws. */
const NO_TEXT_AS_CODE = ["require-trusted-types-for 'script'", "trusted-types 'none'"];

/**
 * The page runs and loads nothing that did not come with it. What React's `style` sets is not held back by style-src, as
 * it goes through the CSSOM; style elements added by a library are, so the page uses none that adds them.
 * @param connect - what the page may talk to besides its own origin, as CSP sources.
 */
export const contentPolicy = (connect: readonly string[] = []): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    ['connect-src', "'self'", ...connect].join(' '),
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    ...NO_TEXT_AS_CODE,
  ].join('; ');

/** For an answer in words, which needs nothing at all. */
export const PLAIN_POLICY = [
  "default-src 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  ...NO_TEXT_AS_CODE,
].join('; ');

/** Headers of every answer, whichever shell gives it. */
export const pageHeaders = (policy: string): Record<string, string> => ({
  'Content-Security-Policy': policy,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
});

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const LOOPBACK_HOST = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i;

/**
 * A loopback name with any port, as an SSH tunnel may give another one. Any other name in a Host header means that a
 * foreign site's name was pointed at this machine (DNS rebinding).
 */
export const isLoopbackHost = (host: string): boolean => LOOPBACK_HOST.test(host);

/** Whether a page served under `host` sent the request. */
export const isOwnOrigin = (origin: string, host: string): boolean =>
  origin.toLowerCase() === `http://${host.toLowerCase()}` ||
  origin.toLowerCase() === `https://${host.toLowerCase()}`;

/** The secret of one run of the shell; whoever has it may steer the training. */
export class AccessToken {
  readonly value: string;
  /**
   * Cookies do not know ports, so two Gradscopes on one machine (or two tunnels to two of them) share a jar: each has a
   * name of its own.
   */
  readonly cookieName: string;
  private readonly digest: Buffer;

  constructor(value: string = randomBytes(24).toString('base64url')) {
    this.value = value;
    this.digest = sha256(value);
    this.cookieName = `gradscope-${this.digest.toString('hex').slice(0, 8)}`;
  }

  /** Takes the same time for every guess. */
  matches(guess: string): boolean {
    return timingSafeEqual(this.digest, sha256(guess));
  }

  matchesCookie(header: string | undefined): boolean {
    const prefix = `${this.cookieName}=`;
    const pair = header?.split(';').find((part) => part.trim().startsWith(prefix));
    return pair !== undefined && this.matches(pair.trim().slice(prefix.length));
  }

  /** Gone with the browser session; never shown to scripts; never sent along from another site. */
  setCookie(): string {
    return `${this.cookieName}=${this.value}; Path=/; HttpOnly; SameSite=Strict`;
  }
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

export interface Asking {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly cookie: string | undefined;
  /** `?token=`; null when there is none. */
  readonly token: string | null;
  /** A WebSocket is not held to the same-origin rule by the browser. */
  readonly socket: boolean;
}

export interface Refusal {
  readonly status: 401 | 403;
  readonly message: string;
}

/** Whether to let a request in; undefined: yes. */
export function refusal(asking: Asking, token: AccessToken): Refusal | undefined {
  const { host, origin } = asking;
  if (host === undefined || !isLoopbackHost(host)) {
    const name = host === undefined ? 'nobody' : JSON.stringify(host);
    return { status: 403, message: `Gradscope answers to 127.0.0.1, localhost and [::1], not to ${name}.` };
  }
  if (origin !== undefined && !isOwnOrigin(origin, host)) {
    return { status: 403, message: `A page from ${JSON.stringify(origin)} may not use Gradscope.` };
  }
  if (asking.token === null ? !token.matchesCookie(asking.cookie) : !token.matches(asking.token)) {
    return {
      status: 401,
      message: 'The token is missing or wrong: open the address that Gradscope printed when it started.',
    };
  }
  // A cookie is sent by the browser whoever asks, so it needs an origin to vouch for it; whoever names the token does not.
  if (asking.socket && asking.token === null && origin === undefined) {
    return { status: 403, message: 'A WebSocket that is let in by a cookie needs an Origin.' };
  }
  return undefined;
}

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { quoted } from '../../src-shared/text/shorten';

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

/** 192 random bits as text: too many to guess, so guesses need no limit, which a stranger could use up on purpose. */
const newSecret = (): string => randomBytes(24).toString('base64url');

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
const digestOf = (text: string): string => sha256(text).toString('base64');

/** Names the token in an address: for programs, any number of times, and for a person who opens the printed address. */
export const TOKEN_PARAMETER = 'token';
/** Names a one-time code in the address that the browser is started with. */
export const CODE_PARAMETER = 'code';

/** How long a one-time code is good for, in milliseconds: as long as a browser may take to start. */
const CODE_LIFETIME_MS = 2 * 60_000;
/** More browsers at once are nobody's; the one that was not heard of for the longest time has to open the address again. */
const MOST_SESSIONS = 64;

/**
 * Who may use one run of the browser shell. Programs name the token. A browser gets a session instead: a cookie with a
 * secret of its own, for the token or for a one-time code. Cookies know no ports, so every server on the machine that the
 * browser visits is sent the cookie; it says nothing of the token and is not taken for it.
 */
export class Access {
  /** The secret of the printed address; never given to a browser on its command line or in a cookie. */
  readonly token: string;
  private readonly tokenDigest: Buffer;
  /** Digest of each unused code -> when it ends. */
  private readonly codes = new Map<string, number>();
  /** By the digest of the cookie's secret, the one that was not used for the longest time first. */
  private readonly sessions = new Map<string, Session>();
  private readonly now: () => number;

  /** @param now milliseconds, from any beginning */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
    this.token = newSecret();
    this.tokenDigest = sha256(this.token);
  }

  /** Takes the same time for every guess. */
  isToken(guess: string): boolean {
    return timingSafeEqual(this.tokenDigest, sha256(guess));
  }

  /** A code that opens one session, if it is used soon. */
  newCode(): string {
    const code = newSecret();
    this.codes.set(digestOf(code), this.now() + CODE_LIFETIME_MS);
    return code;
  }

  isCode(guess: string): boolean {
    const end = this.codes.get(digestOf(guess));
    return end !== undefined && this.now() < end;
  }

  spendCode(code: string): void {
    this.codes.delete(digestOf(code));
  }

  /**
   * Begins a session. Returns the Set-Cookie header: gone with the browser's own session, never shown to scripts, never
   * sent along from another site. Its name has the port that the browser sees, so that two shells, or two tunnels to two of
   * them, do not overwrite each other's.
   * @param host of the request, checked
   */
  newSession(host: string): string {
    const secret = newSecret();
    this.sessions.set(digestOf(secret), { pageKey: null });
    const [oldest] = this.sessions.keys();
    if (this.sessions.size > MOST_SESSIONS && oldest !== undefined) this.sessions.delete(oldest);
    return `${cookieName(host)}=${secret}; Path=/; HttpOnly; SameSite=Strict`;
  }

  /** Whether one of the cookies is of a session. Only digests are kept and compared, so the time taken tells nothing. */
  hasSession({ cookie, host }: WhoAsks): boolean {
    return this.sessionsOf(cookie, host).length > 0;
  }

  /** Whether the pages of the cookie's session have this key; true while none of them has said one. */
  isPageKey({ cookie, host, pageKey }: WhoAsks): boolean {
    return this.sessionsOf(cookie, host).some((session) => takesKey(session, pageKey));
  }

  /** From now on a WebSocket with this cookie needs the key that its first one came with. */
  keepPageKey({ cookie, host, pageKey }: WhoAsks): void {
    if (pageKey === null) return;
    const session = this.sessionsOf(cookie, host).find((each) => takesKey(each, pageKey));
    if (session !== undefined) session.pageKey = digestOf(pageKey);
  }

  /** Several where another server on the machine has laid a cookie of the same name beside ours. */
  private sessionsOf(cookies: string | undefined, host: string | undefined): Session[] {
    if (cookies === undefined || host === undefined) return [];
    const start = `${cookieName(host)}=`;
    const pairs = cookies.split(';').map((pair) => pair.trim());
    return pairs
      .filter((pair) => pair.startsWith(start))
      .flatMap((pair) => {
        const digest = digestOf(pair.slice(start.length));
        const session = this.sessions.get(digest);
        if (session === undefined) return [];
        this.sessions.delete(digest);
        this.sessions.set(digest, session);
        return [session];
      });
  }
}

/** With the port that the browser sees. */
const cookieName = (host: string): string => `gradscope-${/:(\d+)$/.exec(host)?.[1] ?? 'page'}`;

const takesKey = (session: Session, key: string | null): boolean =>
  session.pageKey === null || (key !== null && session.pageKey === digestOf(key));

interface Session {
  /** Digest; null: no page has opened a WebSocket yet. */
  pageKey: string | null;
}

export interface Asking {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly cookie: string | undefined;
  /** `?token=`; null when there is none. */
  readonly token: string | null;
  /** `?code=` of the page's own address; null when there is none. */
  readonly code: string | null;
  /** A WebSocket is not held to the same-origin rule by the browser. */
  readonly socket: boolean;
  /** `?key=` of a WebSocket (PAGE_KEY_PARAMETER); null when there is none. */
  readonly pageKey: string | null;
  /** What the browser says of who asks (Fetch Metadata): Sec-Fetch-Site, -Mode and -Dest. */
  readonly fetchSite: string | undefined;
  readonly fetchMode: string | undefined;
  readonly fetchDestination: string | undefined;
}

type WhoAsks = Pick<Asking, 'host' | 'cookie' | 'pageKey'>;

export interface Refusal {
  readonly status: 401 | 403;
  readonly message: string;
  /** The browser held the cookie back because a page of another site sent it here: it may ask once more by itself. */
  readonly askAgain?: boolean;
}

/** Whether to let a request in; undefined: yes. Spends no code. */
export function refusal(asking: Asking, access: Access): Refusal | undefined {
  const { host, origin, token, code } = asking;
  if (host === undefined || !isLoopbackHost(host)) {
    const name = host === undefined ? 'nobody' : quoted(host);
    return { status: 403, message: `Gradscope answers to 127.0.0.1, localhost and [::1], not to ${name}.` };
  }
  if (origin !== undefined && !isOwnOrigin(origin, host)) {
    return { status: 403, message: `A page from ${quoted(origin)} may not use Gradscope.` };
  }
  const foreign = asking.fetchSite === 'cross-site' || asking.fetchSite === 'same-site';
  const opens = asking.fetchMode === 'navigate' && asking.fetchDestination === 'document';
  if (foreign && !opens) {
    return { status: 403, message: 'A page from elsewhere may open Gradscope, but use no part of it.' };
  }
  if (token !== null) return access.isToken(token) ? undefined : notLetIn('The token is wrong');
  if (code !== null && access.isCode(code)) return undefined;
  if (!access.hasSession(asking)) {
    const why =
      code === null ? 'The token is missing' : 'This address was good for one opening, and has no token';
    return { ...notLetIn(why), askAgain: asking.fetchSite === 'cross-site' };
  }
  // A cookie is sent by the browser whoever asks, so it needs an origin to vouch for it; whoever names the token does not.
  if (asking.socket && origin === undefined) {
    return { status: 403, message: 'A WebSocket that is let in by a cookie needs an Origin.' };
  }
  if (asking.socket && !access.isPageKey(asking)) {
    return notLetIn('This cookie has no token, and came without the key of the page that has it');
  }
  return undefined;
}

const notLetIn = (why: string): Refusal => ({
  status: 401,
  message: `${why}: open the address that Gradscope printed when it started.`,
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Access, isLoopbackHost, isOwnOrigin, refusal, type Asking } from './access';

const HOST = '127.0.0.1:4000';
const access = new Access();
const { token } = access;
const page: Asking = {
  host: HOST,
  origin: undefined,
  cookie: undefined,
  token,
  code: null,
  socket: false,
  pageKey: null,
  fetchSite: undefined,
  fetchMode: undefined,
  fetchDestination: undefined,
};
const cookieOf = (header: string): string => header.split(';')[0] ?? '';
const cookie = cookieOf(access.newSession(HOST));
const [cookieName = '', cookieSecret = ''] = cookie.split('=');
const stranger: Asking = { ...page, token: null };

describe('refusal', () => {
  // Catches: a DNS-rebinding name let in, or a tunnel's port or name kept out.
  it('knows the loopback names with any port', () => {
    for (const host of ['127.0.0.1', 'localhost:1', 'LOCALHOST:65535', '[::1]:8080']) {
      expect(isLoopbackHost(host)).toBe(true);
    }
    for (const host of [
      '',
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example:80',
      '127.0.0.2',
      'localhost:80 evil',
      '0.0.0.0:4000',
      'localhost:',
      '::1',
    ]) {
      expect(isLoopbackHost(host)).toBe(false);
    }
    expect(refusal({ ...page, host: undefined }, access)?.status).toBe(403);
  });

  // Catches: an origin compared by its beginning, by name without port, or "null" taken for none.
  it('takes only the origin of its own host and port', () => {
    expect(refusal({ ...page, origin: 'http://127.0.0.1:4000' }, access)).toBeUndefined();
    expect(refusal({ ...page, origin: 'https://127.0.0.1:4000' }, access)).toBeUndefined();
    for (const origin of [
      'http://127.0.0.1:4001',
      'http://127.0.0.1',
      'http://127.0.0.1:40000',
      'null',
      'http://evil.example',
      'http://127.0.0.1:4000.evil.example',
      '',
    ]) {
      expect(refusal({ ...page, origin }, access)?.status).toBe(403);
    }
    expect(isOwnOrigin('http://LOCALHOST:1', 'localhost:1')).toBe(true);
  });

  // Catches: any text but the token let in; lengths that make the comparison throw.
  it('takes the token and nothing else', () => {
    fc.assert(
      fc.property(fc.string(), (guess) => {
        fc.pre(guess !== token);
        expect(refusal({ ...page, token: guess }, access)?.status).toBe(401);
        expect(refusal({ ...stranger, code: guess }, access)?.status).toBe(401);
        expect(refusal({ ...stranger, cookie: `${cookieName}=${guess}` }, access)?.status).toBe(401);
      }),
    );
    expect(refusal(page, access)).toBeUndefined();
    expect(refusal({ ...page, token: null }, access)?.status).toBe(401);
  });

  // Catches: a cookie found only when it comes first, or one of a second Gradscope taken for ours.
  it('finds its own cookie among others', () => {
    const other = cookieOf(new Access().newSession('127.0.0.1:4001'));
    const jar = `a=b; ${other}; ${cookie}; c`;
    expect(refusal({ ...stranger, cookie: jar }, access)).toBeUndefined();
    for (const none of [
      other,
      `x${cookie}`,
      cookieName,
      `${cookieName}=`,
      `; =; ${cookieName}==${cookieSecret}`,
    ]) {
      expect(refusal({ ...stranger, cookie: none }, access)?.status).toBe(401);
    }
  });

  // Catches: what another server on this machine gets of the browser, taken for the token; a token that lets in as a cookie.
  it('takes a cookie for nothing but a cookie, and a token for nothing but a token', () => {
    for (const guess of [cookieSecret, cookie]) {
      expect(refusal({ ...page, token: guess }, access)?.status).toBe(401);
      expect(refusal({ ...stranger, code: guess }, access)?.status).toBe(401);
    }
    const code = access.newCode();
    for (const secret of [token, code]) {
      expect(refusal({ ...stranger, cookie: `${cookieName}=${secret}` }, access)?.status).toBe(401);
    }
    expect(refusal({ ...page, token: code }, access)?.status).toBe(401);
  });

  // Catches: parts of the page in another's page; a link from elsewhere that is turned away.
  it('lets pages from elsewhere open the page, and use no part of it', () => {
    for (const fetchSite of ['cross-site', 'same-site']) {
      const foreign = { ...stranger, cookie, fetchSite };
      for (const [fetchMode, fetchDestination] of [
        ['no-cors', 'script'],
        ['cors', 'empty'],
        ['navigate', 'iframe'],
        ['navigate', undefined],
        [undefined, undefined],
      ]) {
        expect(refusal({ ...foreign, fetchMode, fetchDestination }, access)?.status).toBe(403);
      }
      expect(
        refusal({ ...foreign, fetchMode: 'navigate', fetchDestination: 'document' }, access),
      ).toBeUndefined();
    }
    for (const fetchSite of ['same-origin', 'none', undefined]) {
      expect(refusal({ ...stranger, cookie, fetchSite, fetchMode: 'cors' }, access)).toBeUndefined();
    }
  });

  // Catches: a browser that asks again for ever, or is turned away although it has its cookie.
  it('has a browser ask again where the link of another site kept its cookie back', () => {
    const sent = { ...stranger, fetchMode: 'navigate', fetchDestination: 'document' };
    expect(refusal({ ...sent, fetchSite: 'cross-site' }, access)?.askAgain).toBe(true);
    for (const fetchSite of ['same-origin', 'same-site', 'none', undefined])
      expect(refusal({ ...sent, fetchSite }, access)?.askAgain).toBe(false);
  });

  // Catches: a wrong token in the address forgiven because an older cookie is still there.
  it('lets a wrong token in the address win over a right cookie', () => {
    expect(refusal({ ...page, token: 'wrong', cookie }, access)?.status).toBe(401);
  });

  // Catches: a WebSocket opened by whoever can make a browser send our cookie.
  it('wants an origin from a WebSocket that only has the cookie', () => {
    const socket = { ...page, socket: true };
    expect(refusal({ ...socket, token: null, cookie }, access)?.status).toBe(403);
    expect(
      refusal({ ...socket, token: null, cookie, origin: 'http://127.0.0.1:4000' }, access),
    ).toBeUndefined();
    expect(refusal(socket, access)).toBeUndefined();
  });

  // Catches: a page that another server on this machine was sent the cookie of, steered by that server.
  it('takes a cookie for a WebSocket only with the key that came with it first', () => {
    const session = cookieOf(access.newSession(HOST));
    const socket = { ...stranger, cookie: session, socket: true, origin: `http://${HOST}` };
    const status = (pageKey: string | null): number | undefined =>
      refusal({ ...socket, pageKey }, access)?.status;
    access.keepPageKey({ ...socket, pageKey: null });
    expect([status(null), status('mine')]).toEqual([undefined, undefined]);
    access.keepPageKey({ ...socket, pageKey: 'mine' });
    access.keepPageKey({ ...socket, pageKey: 'other' });
    expect([status('mine'), status('other'), status(''), status(null)]).toEqual([undefined, 401, 401, 401]);
    // The page's files, and whoever names the token, need none; another session has its own.
    expect(refusal({ ...socket, socket: false }, access)).toBeUndefined();
    expect(refusal({ ...socket, token }, access)).toBeUndefined();
    expect(refusal({ ...socket, cookie }, access)).toBeUndefined();
  });

  // Catches: the cookie of a tunnel to this shell, or one that another server has laid beside ours, in the way of ours.
  it('finds its own cookie of this port among others of its kind', () => {
    const tunnel = cookieOf(access.newSession('127.0.0.1:9'));
    const here = { ...stranger, cookie: tunnel, socket: true, origin: `http://${HOST}`, pageKey: 'here' };
    expect(refusal(here, access)?.status).toBe(401);
    const both = { ...here, cookie: `${cookieName}=laid; ${tunnel}; ${cookieOf(access.newSession(HOST))}` };
    expect(refusal(both, access)).toBeUndefined();
    access.keepPageKey(both);
    expect(refusal({ ...both, pageKey: 'there' }, access)?.status).toBe(401);
    const there = { ...both, host: 'localhost:9', origin: 'http://localhost:9', pageKey: 'there' };
    expect(refusal(there, access)).toBeUndefined();
  });
});

describe('Access', () => {
  // Catches: a secret that can be guessed, one that is the same for every run, or one made from another.
  it('has secrets of at least 128 bits that are all new', () => {
    const again = new Access();
    const secretOf = (header: string): string => cookieOf(header).split('=')[1] ?? '';
    const secrets = [
      ...[token, again.token, access.newCode(), access.newCode()],
      ...[secretOf(access.newSession(HOST)), secretOf(access.newSession(HOST))],
    ];
    for (const secret of secrets) expect(Buffer.from(secret, 'base64url').length).toBeGreaterThanOrEqual(16);
    expect(new Set(secrets).size).toBe(secrets.length);
  });

  // Catches: a cookie that scripts can read or that other sites can have sent; two shells with one cookie between them.
  it('keeps a session in a cookie for this page alone, named after the port that the browser sees', () => {
    expect(access.newSession('localhost:81')).toMatch(
      /^gradscope-81=[\w-]+; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    expect(access.newSession('[::1]:4000')).toMatch(/^gradscope-4000=/);
    expect(access.newSession('localhost')).toMatch(/^gradscope-page=/);
  });

  // Catches: a code that opens twice or for ever, one that ends another, or one that a look at it spends.
  it('gives codes that are good once and for two minutes', () => {
    let now = 0;
    const timed = new Access(() => now);
    const [first, second, late] = [timed.newCode(), timed.newCode(), timed.newCode()];
    expect(refusal({ ...stranger, code: first }, timed)).toBeUndefined();
    expect(refusal({ ...stranger, code: first }, timed)).toBeUndefined();
    timed.spendCode(first);
    expect(refusal({ ...stranger, code: first }, timed)).toMatchObject({
      status: 401,
      message:
        'This address was good for one opening, and has no token: open the address that Gradscope printed when it started.',
    });
    now = 119_999;
    expect(timed.isCode(second)).toBe(true);
    now = 120_000;
    expect(timed.isCode(late)).toBe(false);
  });

  // Catches: an address that was used, reloaded by the browser that used it, and turned away.
  it('lets a used code pass where the cookie is there', () => {
    expect(refusal({ ...stranger, code: 'used', cookie }, access)).toBeUndefined();
  });

  // Catches: memory that grows with every opening; a session that ends while it is in use.
  it('keeps the sessions that were used last', () => {
    const full = new Access();
    const used = cookieOf(full.newSession(HOST));
    const unused = cookieOf(full.newSession(HOST));
    for (let n = 0; n < 100; n += 1) {
      expect(full.hasSession({ ...stranger, cookie: used })).toBe(true);
      full.newSession(HOST);
    }
    expect(full.hasSession({ ...stranger, cookie: unused })).toBe(false);
  });
});

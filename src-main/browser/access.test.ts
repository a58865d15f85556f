import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AccessToken, isLoopbackHost, isOwnOrigin, refusal, type Asking } from './access';

const token = new AccessToken();
const page: Asking = {
  host: '127.0.0.1:4000',
  origin: undefined,
  cookie: undefined,
  token: token.value,
  socket: false,
};
const cookie = `${token.cookieName}=${token.value}`;

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
    expect(refusal({ ...page, host: undefined }, token)?.status).toBe(403);
  });

  // Catches: an origin compared by its beginning, by name without port, or "null" taken for none.
  it('takes only the origin of its own host and port', () => {
    expect(refusal({ ...page, origin: 'http://127.0.0.1:4000' }, token)).toBeUndefined();
    expect(refusal({ ...page, origin: 'https://127.0.0.1:4000' }, token)).toBeUndefined();
    for (const origin of [
      'http://127.0.0.1:4001',
      'http://127.0.0.1',
      'http://127.0.0.1:40000',
      'null',
      'http://evil.example',
      'http://127.0.0.1:4000.evil.example',
      '',
    ]) {
      expect(refusal({ ...page, origin }, token)?.status).toBe(403);
    }
    expect(isOwnOrigin('http://LOCALHOST:1', 'localhost:1')).toBe(true);
  });

  // Catches: any text but the token let in; lengths that make the comparison throw.
  it('takes the token and nothing else', () => {
    fc.assert(
      fc.property(fc.string(), (guess) => {
        fc.pre(guess !== token.value);
        expect(refusal({ ...page, token: guess }, token)?.status).toBe(401);
        expect(refusal({ ...page, token: null, cookie: `${token.cookieName}=${guess}` }, token)?.status).toBe(
          401,
        );
      }),
    );
    expect(refusal(page, token)).toBeUndefined();
    expect(refusal({ ...page, token: null }, token)?.status).toBe(401);
  });

  // Catches: a cookie found only when it comes first, or one of a second Gradscope taken for ours.
  it('finds its own cookie among others', () => {
    const other = new AccessToken();
    const jar = `a=b; ${other.cookieName}=${other.value}; ${cookie}`;
    expect(refusal({ ...page, token: null, cookie: jar }, token)).toBeUndefined();
    expect(refusal({ ...page, token: null, cookie: `x${cookie}` }, token)?.status).toBe(401);
    expect(
      refusal({ ...page, token: null, cookie: `${other.cookieName}=${other.value}` }, token)?.status,
    ).toBe(401);
  });

  // Catches: a wrong token in the address forgiven because an older cookie is still there.
  it('lets a wrong token in the address win over a right cookie', () => {
    expect(refusal({ ...page, token: 'wrong', cookie }, token)?.status).toBe(401);
  });

  // Catches: a WebSocket opened by whoever can make a browser send our cookie.
  it('wants an origin from a WebSocket that only has the cookie', () => {
    const socket = { ...page, socket: true };
    expect(refusal({ ...socket, token: null, cookie }, token)?.status).toBe(403);
    expect(
      refusal({ ...socket, token: null, cookie, origin: 'http://127.0.0.1:4000' }, token),
    ).toBeUndefined();
    expect(refusal(socket, token)).toBeUndefined();
  });
});

describe('AccessToken', () => {
  // Catches: a token that can be guessed, or one that is the same for every run.
  it('has at least 128 bits and is new every time', () => {
    expect(Buffer.from(token.value, 'base64url').length).toBeGreaterThanOrEqual(16);
    expect(new AccessToken().value).not.toBe(token.value);
  });

  // Catches: a cookie that scripts can read or that other sites can have sent.
  it('is kept in a cookie for this page alone', () => {
    expect(token.setCookie()).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/);
  });
});

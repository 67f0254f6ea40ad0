import { createHash, randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { awaitTokens, refresh, startDeviceFlow } from '../../apps/cli/src/login/device-flow.ts';
import { walkForms } from '../../apps/cli/src/login/form-walk.ts';
import { type RightsPlatform, startRightsPlatform } from './rights-platform.ts';

/** The embedded identity provider over HTTP, as the console, the command line and somebody hostile use it. */
let walk: RightsPlatform;
let issuer: string;
const login = (person: string) => ({ person, password: walk.passwords.get(person) ?? '' });

beforeAll(async () => {
  walk = await startRightsPlatform();
  issuer = walk.platform.config.identity.issuer;
});
afterAll(() => walk?.close());

const me = async (token: string): Promise<{ status: number; name?: string; roles?: string[] }> => {
  const response = await fetch(`${walk.server}/api/me`, { headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, ...((await response.json()) as object) };
};
const deviceLogin = async (person: string) => {
  const code = await startDeviceFlow(issuer);
  await walkForms(code.completeAddress, login(person));
  return awaitTokens(code);
};
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

/** A visitor with cookies, who follows no redirect by itself. */
function visitor() {
  const cookies = new Map<string, string>();
  return async (address: string, form?: Record<string, string>, headers: Record<string, string> = {}) => {
    const response = await fetch(new URL(address, issuer), {
      ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
      headers: { accept: 'text/html', cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '), ...headers },
      redirect: 'manual',
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    return {
      status: response.status,
      text: await response.text(),
      location: response.headers.get('location') ?? '',
      headers: response.headers,
    };
  };
}
const hidden = (html: string, name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? '';

describe('discovery and keys', () => {
  test('the document names the issuer and only what is there', async () => {
    const document = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as Record<string, unknown>;
    expect(document).toMatchObject({
      issuer,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none'],
      id_token_signing_alg_values_supported: ['RS256'],
    });
    expect(document['registration_endpoint']).toBeUndefined();
  });

  test("addresses are the issuer's, whatever a caller's headers say", async () => {
    const response = await fetch(`${issuer}/.well-known/openid-configuration`, {
      headers: { 'x-forwarded-host': 'evil.example.com', 'x-forwarded-proto': 'https' },
    });
    expect(await response.text()).not.toMatch(/evil|https:/);
  });

  test('published keys are public halves; the private ones are for the owner only', async () => {
    const { keys } = (await (await fetch(`${issuer}/jwks`)).json()) as { keys: Record<string, unknown>[] };
    expect(keys).toHaveLength(1);
    expect(Object.keys(keys[0] ?? {})).not.toEqual(expect.arrayContaining(['d']));
    expect(statSync(walk.platform.data.file('keys', 'oidc.json')).mode & 0o777).toBe(0o600);
  });
});

describe('the command line', () => {
  test('a device login gives a short token for the API that says who, and nothing of what they may', async () => {
    const tokens = await deviceLogin('security');
    const claims = claimsOf(tokens.token);
    expect(claims).toMatchObject({ iss: issuer, sub: 'security', aud: `${walk.server}/api`, client_id: 'desp-cli', scope: 'desp' });
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(600);
    expect(JSON.stringify(claims)).not.toMatch(/role|company/);
    expect(await me(tokens.token)).toMatchObject({ status: 200, name: 'security', roles: ['security'] });
  });

  test('a refresh token is good once; used twice it ends the whole login', async () => {
    const first = await deviceLogin('ivv');
    const second = await refresh(issuer, first.refreshToken);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect(await me(second.token)).toMatchObject({ status: 200, name: 'ivv' });
    await expect(refresh(issuer, first.refreshToken)).rejects.toMatchObject({ code: 'NOT_LOGGED_IN' });
    await expect(refresh(issuer, second.refreshToken)).rejects.toMatchObject({ code: 'NOT_LOGGED_IN' });
  });

  test('of two that refresh at the same moment at most one gets tokens', async () => {
    const { refreshToken } = await deviceLogin('ivv');
    const both = await Promise.allSettled([refresh(issuer, refreshToken), refresh(issuer, refreshToken)]);
    expect(both.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
  });

  test('the database holds no refresh token', async () => {
    const { refreshToken } = await deviceLogin('ivv');
    expect(JSON.stringify(await walk.platform.database.sql.selectFrom('oidc').selectAll().execute())).not.toContain(refreshToken);
  });

  test('a wrong password gets nowhere, and the page says so in words', async () => {
    const code = await startDeviceFlow(issuer);
    await expect(walkForms(code.completeAddress, { person: 'executive', password: 'wrong' })).rejects.toThrow(
      'There is nobody with this name and password.',
    );
    const { intervalSeconds: _, ...rest } = code;
    await expect(awaitTokens({ ...rest, intervalSeconds: 0.05, expiresInSeconds: 0.2 })).rejects.toMatchObject({ code: 'NOT_LOGGED_IN' });
  });

  test('a device that the person refuses gets nothing', async () => {
    const code = await startDeviceFlow(issuer);
    const visit = visitor();
    const page = await visit(code.completeAddress);
    const refused = await visit(`${issuer}/device`, { xsrf: hidden(page.text, 'xsrf'), user_code: code.userCode, abort: 'yes' });
    expect(refused.text).toContain('You refused the device');
    await expect(awaitTokens(code)).rejects.toMatchObject({ code: 'REFUSED' });
  });

  test('codes cannot be guessed at leisure', async () => {
    const visit = visitor();
    const statuses: number[] = [];
    for (let guess = 0; guess < 25; guess++) {
      const page = await visit(`${issuer}/device`);
      statuses.push((await visit(`${issuer}/device`, { xsrf: hidden(page.text, 'xsrf'), user_code: 'BBBB-BBBB' })).status);
    }
    expect(statuses).toContain(429);
    expect(statuses.slice(0, 3)).not.toContain(429);
  });
});

describe('the console', () => {
  const verifier = randomBytes(32).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const authorize = (change: Record<string, string | undefined> = {}) => {
    const query = {
      client_id: 'desp-console',
      response_type: 'code',
      redirect_uri: `${walk.server}/login/callback`,
      scope: 'openid desp',
      state: 's1',
      nonce: 'n1',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...change,
    };
    return `${issuer}/auth?${new URLSearchParams(Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined))}`;
  };
  const token = async (form: Record<string, string>) => {
    const response = await fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams({ client_id: 'desp-console', ...form }) });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  };
  const exchange = (code: string, change: Record<string, string> = {}) =>
    token({ grant_type: 'authorization_code', code, redirect_uri: `${walk.server}/login/callback`, code_verifier: verifier, ...change });
  /** Goes from the authorization address to the console's callback; its code. */
  const enter = async (visit: ReturnType<typeof visitor>, person: string): Promise<string> => {
    let answer = await visit(authorize());
    if (answer.location.includes('/interaction/')) {
      const page = await visit(answer.location);
      answer = await visit(answer.location, { proof: hidden(page.text, 'proof'), ...login(person) });
      answer = await visit(answer.location);
    }
    const callback = new URL(answer.location);
    expect(`${callback.origin}${callback.pathname}`).toBe(`${walk.server}/login/callback`);
    expect(callback.searchParams.get('state')).toBe('s1');
    expect(callback.searchParams.get('iss')).toBe(issuer);
    return callback.searchParams.get('code') ?? '';
  };

  test('code and PKCE: tokens of the person; the code is good once', async () => {
    const code = await enter(visitor(), 'operator');
    const { status, body } = await exchange(code);
    expect(status).toBe(200);
    expect(await me(body['access_token'] ?? '')).toMatchObject({ status: 200, name: 'operator', roles: ['operator'] });
    expect(claimsOf(body['id_token'] ?? '')).toMatchObject({ iss: issuer, sub: 'operator', aud: 'desp-console', nonce: 'n1' });
    expect((await me(body['id_token'] ?? '')).status).toBe(401);
    expect((await exchange(code)).body['error']).toBe('invalid_grant');
  });

  test('no token without the verifier of the challenge, nor for another address', async () => {
    expect(
      (await exchange(await enter(visitor(), 'provider'), { code_verifier: randomBytes(32).toString('base64url') })).body['error'],
    ).toBe('invalid_grant');
    expect((await exchange(await enter(visitor(), 'provider'), { redirect_uri: `${walk.server}/other` })).body['error']).toBe(
      'invalid_grant',
    );
  });

  test.each([
    ['without a challenge', { code_challenge: undefined, code_challenge_method: undefined }],
    ['with a plain challenge', { code_challenge_method: 'plain' }],
    ['for an implicit token', { response_type: 'id_token' }],
    ['to another address', { redirect_uri: 'https://evil.example.com/' }],
    ['of an unknown client', { client_id: 'other' }],
  ])('an authorization %s does not reach the login page', async (_, change) => {
    const answer = await visitor()(authorize(change));
    expect(answer.location).not.toMatch(/interaction|evil/);
    expect(`${answer.location}${answer.status >= 400 ? 'error=' : ''}`).toContain('error=');
  });

  test('a session and a refresh token survive a restart; a second login then needs no password', async () => {
    const visit = visitor();
    const { body } = await exchange(await enter(visit, 'provider'));
    await walk.restart();
    const renewed = await token({ grant_type: 'refresh_token', refresh_token: body['refresh_token'] ?? '' });
    expect(renewed.status).toBe(200);
    expect(await me(renewed.body['access_token'] ?? '')).toMatchObject({ status: 200, name: 'provider' });
    const answer = await visit(authorize());
    expect(answer.location).toContain('/login/callback?code=');
  });

  test('a logout ends the session and the tokens of the browser', async () => {
    const visit = visitor();
    const { body } = await exchange(await enter(visit, 'provider'));
    const page = await visit(`${issuer}/session/end`);
    expect(page.text).toContain('Log out?');
    await visit(`${issuer}/session/end/confirm`, { xsrf: hidden(page.text, 'xsrf'), logout: 'yes' });
    expect((await visit(authorize())).location).toContain('/interaction/');
    expect((await token({ grant_type: 'refresh_token', refresh_token: body['refresh_token'] ?? '' })).body['error']).toBe('invalid_grant');
  });

  describe('the login page', () => {
    const open = async () => {
      const visit = visitor();
      const { location } = await visit(authorize());
      return { visit, location, page: await visit(location) };
    };

    test('runs no script, stands in no frame, and is kept nowhere', async () => {
      const { page } = await open();
      const policy = page.headers.get('content-security-policy') ?? '';
      expect(policy).toMatch(
        /default-src 'none'; script-src; style-src 'sha256-[^']+'; form-action 'self'.*; frame-ancestors 'none'; base-uri 'none'$/,
      );
      expect(page.headers.get('cache-control')).toBe('no-store');
      expect(page.text).not.toMatch(/<script|\son\w+=/);
      const style = /<style>([\s\S]*?)<\/style>/.exec(page.text)?.[1] ?? '';
      expect(policy).toContain(`'sha256-${createHash('sha256').update(style).digest('base64')}'`);
    });

    test.each([
      ['without the proof', {}, { proof: '' }],
      ['with a made-up proof', {}, { proof: 'A'.repeat(43) }],
      ['from another site', { origin: 'https://evil.example.com' }, {}],
      ['from a page that hides where it is', { origin: 'null' }, {}],
      ['across sites, as the browser says', { 'sec-fetch-site': 'cross-site' }, {}],
      ['as JSON', { 'content-type': 'application/json' }, {}],
    ])('a right password sent %s does not log in', async (_, headers, form) => {
      const { visit, location, page } = await open();
      const answer = await visit(location, { proof: hidden(page.text, 'proof'), ...login('provider'), ...form }, headers);
      expect(answer.status).toBe(403);
    });

    test("one visitor's form is of no use to another", async () => {
      const [first, second] = [await open(), await open()];
      expect((await second.visit(second.location, { proof: hidden(first.page.text, 'proof'), ...login('provider') })).status).toBe(403);
      expect((await second.visit(first.location, { proof: hidden(first.page.text, 'proof'), ...login('provider') })).status).toBe(403);
      expect((await visitor()(first.location)).status).toBe(400);
    });

    test('a form of a megabyte is refused', async () => {
      const { visit, location, page } = await open();
      expect((await visit(location, { proof: hidden(page.text, 'proof'), person: 'x'.repeat(1_000_000), password: 'x' })).status).toBe(403);
    });

    test('what was typed comes back as text, never as HTML', async () => {
      const { visit, location, page } = await open();
      const answer = await visit(location, { proof: hidden(page.text, 'proof'), person: '"><script>alert(1)</script>', password: 'x' });
      expect(answer.status).toBe(401);
      expect(answer.text).not.toContain('<script>');
    });

    test('ten wrong passwords close the name, here as everywhere', async () => {
      const { visit, location, page } = await open();
      const statuses: number[] = [];
      for (let one = 0; one < 12; one++)
        statuses.push(
          (await visit(location, { proof: hidden(page.text, 'proof'), person: 'other-provider', password: `wrong ${one}` })).status,
        );
      expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
    });
  });
});

test('who is removed from the records is nobody at once, whatever tokens are left', async () => {
  const tokens = await deviceLogin('executive');
  const { sql } = walk.platform.database;
  await sql.updateTable('people').set({ subject: 'gone' }).where('name', '=', 'executive').execute();
  expect((await me(tokens.token)).status).toBe(401);
  await expect(refresh(issuer, tokens.refreshToken)).rejects.toMatchObject({ code: 'NOT_LOGGED_IN' });
});

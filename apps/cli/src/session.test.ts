import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Io } from './command.ts';
import { accessToken, type Login, requirePlatform, saveLogin } from './session.ts';

/** An identity provider whose refresh tokens are good once, as RFC 9700, section 4.14.2 asks. */
let home: string;
let server: Server;
let issuer: string;
let refreshes: string[];
let current: string;
let io: Io;

beforeEach(async () => {
  refreshes = [];
  current = 'refresh-0';
  server = createServer(async (request, response) => {
    const answer = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.url?.endsWith('openid-configuration')) return answer(200, { issuer, token_endpoint: `${issuer}/token` });
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    const used = new URLSearchParams(text).get('refresh_token') ?? '';
    refreshes.push(used);
    if (used !== current) return answer(400, { error: 'invalid_grant' });
    current = `refresh-${refreshes.length}`;
    return answer(200, { access_token: `access-${refreshes.length}`, refresh_token: current, expires_in: 600 });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/oidc`;
  home = mkdtempSync(join(tmpdir(), 'desp-session-'));
  mkdirSync(join(home, '.desp'));
  const config = `data: ${home}/.desp\nserver:\n  url: http://127.0.0.1:1\ngit:\n  url: http://127.0.0.1:2\nidentity:\n  issuer: ${issuer}\n`;
  writeFileSync(join(home, '.desp/desp.config.yaml'), config);
  io = { out: () => {}, err: () => {}, env: { HOME: home }, cwd: home, terminal: false };
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(home, { recursive: true });
});

const logins = () => join(home, '.config/desp/logins.json');
const login = (change: Partial<Login> = {}) =>
  saveLogin(io, requirePlatform(io), {
    person: 'provider',
    token: 'access-0',
    refreshToken: 'refresh-0',
    expiresAt: new Date(Date.now() + 600_000).toISOString(),
    ...change,
  });
const over = { expiresAt: new Date(0).toISOString() };
const token = async () => (await accessToken(io, requirePlatform(io)))?.token;

test('nobody is logged in at first; a login is for its owner only', async () => {
  expect(await token()).toBeUndefined();
  login();
  expect(await token()).toBe('access-0');
  expect(statSync(logins()).mode & 0o777).toBe(0o600);
  expect(refreshes).toEqual([]);
});

test('DESP_TOKEN comes before a login', async () => {
  login();
  io = { ...io, env: { ...io.env, DESP_TOKEN: 'given' } };
  expect(await token()).toBe('given');
});

test('a token that ends is renewed and kept, before it is over', async () => {
  login({ expiresAt: new Date(Date.now() + 30_000).toISOString() });
  expect(await token()).toBe('access-1');
  expect(await token()).toBe('access-1');
  expect(refreshes).toEqual(['refresh-0']);
  expect(readFileSync(logins(), 'utf8')).toContain('refresh-1');
});

test('of many that find it over at once, one renews it and all have the new one', async () => {
  login(over);
  expect(await Promise.all(Array.from({ length: 8 }, token))).toEqual(Array.from({ length: 8 }, () => 'access-1'));
  expect(refreshes).toEqual(['refresh-0']);
});

test('a lock that a killed process left is taken over', async () => {
  login(over);
  writeFileSync(`${logins()}.lock`, '');
  const old = new Date(Date.now() - 60_000);
  utimesSync(`${logins()}.lock`, old, old);
  expect(await token()).toBe('access-1');
});

test('a login that the provider ended is gone, and says what to do', async () => {
  login({ ...over, refreshToken: 'stolen' });
  await expect(token()).rejects.toMatchObject({ code: 'NOT_LOGGED_IN', cure: 'desp login' });
  expect(await token()).toBeUndefined();
});

test('a provider that is down does not cost the login', async () => {
  login(over);
  await new Promise((resolve) => server.close(resolve));
  await expect(token()).rejects.toMatchObject({ code: 'NOT_STARTED', retryable: true });
  expect(readFileSync(logins(), 'utf8')).toContain('refresh-0');
});

test('a login of an earlier version, which nothing renews, is none', async () => {
  login();
  writeFileSync(logins(), JSON.stringify({ 'http://127.0.0.1:1': { person: 'provider', token: 'dpat_old' } }));
  expect(await token()).toBeUndefined();
});

import { consoleClientId } from '@desp/identity';
import { Caller, CreateToken, LoginProvider } from '@desp/model';
import { z } from 'zod';
import { PlatformError } from '../platform-error.ts';
import { endpoint } from './endpoint.ts';

const sessionDays = 1;
const Credentials = z.strictObject({ person: z.string().max(64), password: z.string().max(1024) });
const RevokeToken = z.strictObject({ token: z.string().max(128) });
const TokenAnswer = z.object({ token: z.string() });

export const loginEndpoints = [
  endpoint({
    method: 'GET',
    url: '/api/login',
    summary: 'Where people log in',
    access: 'anybody',
    answer: LoginProvider,
    run: async ({ platform: { config } }) => ({
      issuer: config.identity.issuer,
      clientId: consoleClientId,
      redirectUri: `${config.server.url}/login/callback`,
    }),
  }),
  endpoint({
    method: 'POST',
    url: '/api/login',
    summary: "A day's token for a person with a password",
    access: 'anybody',
    body: Credentials,
    answer: TokenAnswer,
    async run({ platform, body }) {
      const principal = await platform.authenticator.basic(body.person, body.password, 'api');
      if (principal?.kind !== 'person')
        throw new PlatformError('NOT_AUTHENTICATED', 'There is nobody with this name and password.', { kind: 'user' });
      return { token: await platform.tokens.createPersonal(principal.name, 'login', sessionDays, ['api']) };
    },
  }),
  endpoint({
    method: 'POST',
    url: '/api/tokens',
    summary: 'A personal token, good at the places that it names',
    access: 'token.create',
    body: CreateToken,
    answer: TokenAnswer,
    async run({ platform, principal, body }) {
      if (principal.kind !== 'person') throw new PlatformError('NOT_ALLOWED', 'Only people have personal tokens.', { kind: 'user' });
      return { token: await platform.tokens.createPersonal(principal.name, body.title, body.days, body.scopes) };
    },
  }),
  endpoint({
    method: 'POST',
    url: '/api/tokens/revoke',
    summary: 'End a personal token, for whoever holds it (RFC 7009)',
    access: 'anybody',
    body: RevokeToken,
    async run({ platform, body }) {
      await platform.tokens.revoke(body.token);
      return {};
    },
  }),
  endpoint({
    method: 'GET',
    url: '/api/me',
    summary: 'Who the caller is',
    access: 'platform.read',
    answer: Caller,
    async run({ principal }): Promise<Caller> {
      if (principal.kind === 'person') return { ...principal, roles: [...principal.roles] };
      return { kind: principal.kind, name: principal.kind, roles: [] };
    },
  }),
];

import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, type Logger, messageOf } from '@desp/runtime';
import type { Sql } from '@desp/storage';
import { errors, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { IdentityError } from '../identity-error.ts';
import { findPersonBySubject } from '../people.ts';
import { createTryLimit } from '../try-limit.ts';
import { cliClientId, type OwnAddresses, ownClients } from './clients.ts';
import type { OidcKeys } from './keys.ts';
import { answerLogin, send } from './login-interaction.ts';
import { deviceCodePage, deviceConfirmPage, escapeHtml, logoutPage, messagePage, renderPage, styleHash } from './pages.ts';
import { createOidcStore, sweepOidc } from './store.ts';

/**
 * The embedded identity provider: OpenID Connect as any other speaks it, on the platform's own people. It says who somebody
 * is and nothing else; roles and companies are never in its tokens.
 */
export interface OidcServer {
  readonly issuer: string;
  /** Answers everything below the issuer's path. Bodies must not have been read. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  close(): void;
}

export interface OidcServerOptions extends OwnAddresses {
  /** The public address, as tokens name it; all addresses that the provider gives begin with it, whatever a caller's headers say. */
  readonly issuer: string;
  /** What access tokens are for: their `aud`. */
  readonly audience: string;
  readonly db: Sql;
  readonly clock: Clock;
  readonly log: Logger;
  readonly keys: OidcKeys;
  /** The subject of the person with this name and password; undefined when there is none. @throws IdentityError TOO_MANY_TRIES */
  readonly checkPassword: (name: string, password: string) => Promise<string | undefined>;
}

/** The one scope of the platform's API: what a person may do is not split by scopes but by the table of rights. */
export const apiScope = 'desp';

const seconds = { minute: 60, hour: 3_600, day: 86_400 };
const ttl = {
  AccessToken: 10 * seconds.minute,
  AuthorizationCode: seconds.minute,
  DeviceCode: 10 * seconds.minute,
  Grant: 14 * seconds.day,
  IdToken: 10 * seconds.minute,
  Interaction: 10 * seconds.minute,
  RefreshToken: 14 * seconds.day,
  Session: 12 * seconds.hour,
};
const sweepMs = 10 * 60_000;
/** RFC 8628, section 5.1: 34 bits of a code, ten minutes, and this many guesses an address and minute. */
const codeGuesses = { count: 20, perMs: 60_000 };

export function createOidcServer(options: OidcServerOptions): OidcServer {
  const { issuer, audience, db, clock, log, keys } = options;
  const { host, origin, pathname: mount, port, protocol } = new URL(issuer);
  const guesses = createTryLimit(codeGuesses, clock);
  /** The code that a visitor's link carried, for the page to show. */
  const linkedCodes = new WeakMap<IncomingMessage, string>();

  const html = (ctx: KoaContextWithOIDC, text: string, status = 200) => {
    ctx.status = status;
    ctx.type = 'html';
    ctx.body = text;
  };
  const xsrfOf = (ctx: KoaContextWithOIDC) => (ctx.oidc.session?.state as { secret?: string } | undefined)?.secret ?? '';
  const actionOf = (ctx: KoaContextWithOIDC, name: string) => ctx.oidc.urlFor(name);
  const nameOf = async (subject: string | undefined) =>
    subject === undefined ? undefined : (await findPersonBySubject(db, issuer, subject))?.title;

  const cookie = { signed: true, httpOnly: true, sameSite: 'lax', secure: protocol === 'https:' } as const;
  // Cookies know no ports: two rehearsals on one machine would overwrite each other's.
  const cookieName = (name: string) => ['desp', port, name].filter(Boolean).join('-');

  const provider = new Provider(issuer, {
    adapter: createOidcStore(db, clock),
    jwks: { keys: keys.jwks.keys as never },
    clients: ownClients(options),
    cookies: {
      keys: [...keys.cookies],
      names: { session: cookieName('session'), interaction: cookieName('interaction'), resume: cookieName('resume') },
      long: cookie,
      short: cookie,
    },
    scopes: ['openid'],
    claims: { openid: ['sub'] },
    ttl,
    responseTypes: ['code'],
    clientAuthMethods: ['none'],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    // A browser's tokens end with its session; a device has none.
    expiresWithSession: (_ctx, token) => token.clientId !== cliClientId,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    // A person who was removed has no account, and so no new token, at once.
    findAccount: async (_ctx, subject) =>
      (await findPersonBySubject(db, issuer, subject)) && { accountId: subject, claims: () => ({ sub: subject }) },
    async loadExistingGrant(ctx) {
      const { client, session } = ctx.oidc;
      const known = client && session?.grantIdFor(client.clientId);
      const grant = known ? await provider.Grant.find(known) : undefined;
      if (grant && grant.accountId === session?.accountId) return grant;
      // The programs are our own: who logs in for one agrees to it. A device is asked about on a page of its own.
      const made = new provider.Grant({ clientId: client?.clientId, accountId: session?.accountId });
      made.addOIDCScope('openid');
      made.addResourceScope(audience, apiScope);
      await made.save();
      return made;
    },
    interactions: { url: (_ctx, interaction) => `${mount}/interaction/${interaction.uid}` },
    renderError(ctx, out) {
      html(
        ctx,
        messagePage('This did not work', `${out.error_description ?? out.error}. Go back to where you came from and start again.`, true),
        ctx.status,
      );
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      dPoP: { enabled: false },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo(_ctx, resource) {
          if (resource !== audience) throw new errors.InvalidTarget();
          return { scope: apiScope, audience, accessTokenFormat: 'jwt', accessTokenTTL: ttl.AccessToken, jwt: { sign: { alg: 'RS256' } } };
        },
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx) => html(ctx, logoutPage({ action: actionOf(ctx, 'end_session_confirm'), xsrf: xsrfOf(ctx) })),
        postLogoutSuccessSource: (ctx) => html(ctx, messagePage('You are logged out', 'You can close this page.')),
      },
      deviceFlow: {
        enabled: true,
        charset: 'base-20',
        mask: '****-****',
        deviceInfo: () => ({}),
        userCodeInputSource(ctx, _form, out, error) {
          const code = (error as { userCode?: string } | undefined)?.userCode ?? linkedCodes.get(ctx.req) ?? '';
          const wrong = error && (codeProblems[error.name] ?? out?.error_description ?? 'This did not work. Start again in your program.');
          html(
            ctx,
            deviceCodePage({ action: actionOf(ctx, 'code_verification'), xsrf: xsrfOf(ctx), code, wrong }),
            error ? Math.max(ctx.status, 400) : 200,
          );
        },
        async userCodeConfirmSource(ctx, _form, client, _deviceInfo, userCode) {
          const person = await nameOf(ctx.oidc.session?.accountId);
          const page = {
            action: actionOf(ctx, 'code_verification'),
            xsrf: xsrfOf(ctx),
            code: userCode,
            client: client.clientName ?? client.clientId,
            person,
          };
          html(ctx, deviceConfirmPage(page));
        },
        async successSource(ctx) {
          const person = await nameOf(ctx.oidc.session?.accountId);
          html(
            ctx,
            renderPage({
              title: 'Connected',
              body: `<p>Your program acts as <strong>${escapeHtml(person ?? 'you')}</strong> now. You can close this page.</p>`,
            }),
          );
        },
      },
    },
    enabledJWA: { idTokenSigningAlgValues: ['RS256'] },
  });
  // Addresses and the scheme come from the issuer, which `handle` puts in place of what a caller sent.
  provider.proxy = true;
  provider.on('server_error', (_ctx, error) =>
    log.error({ error: messageOf(error), stack: (error as Error).stack }, 'The identity provider met a fault.'),
  );
  (provider as EventEmitter).on('error', (error) => log.error({ error: messageOf(error) }, 'The identity provider met a fault.'));
  const answer = provider.callback();
  const formTargets = [...new Set(["'self'", ...options.redirectUris.map((uri) => new URL(uri).origin)])].join(' ');
  const policy = `default-src 'none'; script-src; style-src ${styleHash}; form-action ${formTargets}; frame-ancestors 'none'; base-uri 'none'`;

  const sweep = () => sweepOidc(db, clock).catch((error) => log.warn({ error: messageOf(error) }, 'Expired logins were not removed.'));
  const sweeper = setInterval(sweep, sweepMs).unref();

  return {
    issuer,
    close: () => clearInterval(sweeper),
    async handle(request, response) {
      response.setHeader('content-security-policy', policy);
      response.setHeader('x-content-type-options', 'nosniff');
      response.setHeader('x-frame-options', 'DENY');
      // A browser that may send no referrer sends `Origin: null` with a form.
      response.setHeader('referrer-policy', 'same-origin');
      const url = new URL(request.url ?? '/', origin);
      const path = url.pathname.slice(mount.length) || '/';
      try {
        if (/^\/interaction\/[\w-]{1,64}$/.test(path)) {
          return await answerLogin(
            { provider, origin, proofKey: keys.cookies[0] as string, checkPassword: options.checkPassword },
            request,
            response,
          );
        }
        if (path === '/device' && request.method === 'POST') guesses.take(request.socket.remoteAddress ?? '');
      } catch (error) {
        if (error instanceof IdentityError && error.code === 'TOO_MANY_TRIES') {
          return send(response, 429, messagePage('Too many tries', `${messageOf(error)} ${error.cure ?? ''}`, true));
        }
        log.error({ error: messageOf(error), stack: (error as Error).stack }, 'A login page failed.');
        return send(response, 500, messagePage('This did not work', 'The platform met a fault of its own; its log has the cause.', true));
      }
      // The provider would send a linked code on by a script; here the page shows it, and the person sends it.
      const linked = path === '/device' && request.method === 'GET' ? url.searchParams.get('user_code') : null;
      if (linked !== null) {
        linkedCodes.set(request, linked.slice(0, 20));
        url.searchParams.delete('user_code');
      }
      Object.assign(request, { originalUrl: `${mount}${path}${url.search}` });
      request.url = `${path}${url.search}`;
      request.headers.host = host;
      request.headers['x-forwarded-proto'] = protocol.slice(0, -1);
      delete request.headers['x-forwarded-host'];
      await answer(request, response);
    },
  };
}

/** What a wrong code means, by the provider's name of the error. */
const codeProblems: Readonly<Record<string, string>> = {
  NoCodeError: 'Type the code that your program shows.',
  NotFoundError: 'There is no such code. Compare it with what your program shows.',
  ExpiredError: 'This code is over. Start again in your program.',
  AlreadyUsedError: 'This code was used already. Start again in your program.',
  AbortedError: 'You refused the device: it gets nothing.',
};

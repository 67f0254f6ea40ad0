import type { LoginProvider } from '@desp/model';
import { ApiError, unreachablePlatform } from '../api/api-error.ts';
import { localPath } from './local-path.ts';
import { challengeOf, idTokenProblem, randomText } from './pkce.ts';
import { beginSession, currentSession, endSession, renewSession, type Session } from './session.ts';

/**
 * Logging in at an OpenID Connect provider, the embedded one or another by URL: authorization code with PKCE, state and nonce.
 * The console never sees a password.
 */
interface Metadata {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly end_session_endpoint?: string;
}

interface Answer {
  readonly access_token: string;
  readonly expires_in?: number;
  readonly refresh_token?: string;
  readonly id_token?: string;
}

/** What a login that is under way remembers, in this tab. */
interface Pending {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly to: string;
  readonly provider: LoginProvider;
  readonly metadata: Metadata;
}

const pendingKey = 'desp.login';
const renewBeforeMs = 30_000;

const refused = (message: string): ApiError =>
  new ApiError(0, { code: 'LOGIN_REFUSED', message, kind: 'user', retryable: true, cure: 'Sign in again.' });

async function ask<Answered>(address: string, init: RequestInit = {}): Promise<Answered> {
  let response: Response;
  try {
    response = await fetch(address, init);
  } catch (cause) {
    throw unreachablePlatform(cause);
  }
  const body = (await response.json().catch(() => ({}))) as { error_description?: string; error?: string };
  if (!response.ok) throw refused(`The identity provider says no: ${body.error_description ?? body.error ?? response.status}.`);
  return body as Answered;
}

/** Leads to the provider's login page, and from there back to `to`. */
export async function beginLogin(to: string): Promise<void> {
  const provider = await ask<LoginProvider>('/api/login');
  const { origin } = new URL(provider.redirectUri);
  // What a login remembers lies with the origin to which the provider leads back.
  if (origin !== location.origin) return location.assign(`${origin}/login?to=${encodeURIComponent(to)}`);
  const metadata = await ask<Metadata>(`${provider.issuer}/.well-known/openid-configuration`);
  if (metadata.issuer !== provider.issuer) throw refused(`The identity provider at ${provider.issuer} calls itself ${metadata.issuer}.`);
  const pending: Pending = { state: randomText(), nonce: randomText(), verifier: randomText(), to, provider, metadata };
  sessionStorage.setItem(pendingKey, JSON.stringify(pending));
  const address = new URL(metadata.authorization_endpoint);
  const query = {
    response_type: 'code',
    client_id: provider.clientId,
    redirect_uri: provider.redirectUri,
    scope: 'openid',
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await challengeOf(pending.verifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
  location.assign(address);
}

/**
 * Takes the provider's answer, from the address that it led back to. @returns where to go on
 * @throws ApiError when the answer is not to a login that this tab began, or says no
 */
export async function finishLogin(answer: URLSearchParams): Promise<string> {
  const stored = sessionStorage.getItem(pendingKey);
  // Once, whatever comes of it.
  sessionStorage.removeItem(pendingKey);
  const pending = stored === null ? undefined : (JSON.parse(stored) as Pending);
  if (!pending || answer.get('state') !== pending.state) throw refused('This answer is not to a login that was begun in this tab.');
  const error = answer.get('error');
  if (error) throw refused(`The identity provider says no: ${(answer.get('error_description') ?? error).slice(0, 300)}.`);
  const { provider, metadata, verifier, nonce } = pending;
  // RFC 9207: who answers says who it is, where it can.
  const from = answer.get('iss');
  if (from !== null && from !== metadata.issuer) throw refused('This answer is from another identity provider.');
  const tokens = await askForTokens(metadata.token_endpoint, {
    grant_type: 'authorization_code',
    code: answer.get('code') ?? '',
    redirect_uri: provider.redirectUri,
    client_id: provider.clientId,
    code_verifier: verifier,
  });
  const expected = { issuer: provider.issuer, clientId: provider.clientId, nonce, now: Date.now() };
  const problem = idTokenProblem(tokens.id_token ?? '', expected);
  if (problem) throw refused(`The identity provider's ID token was refused: ${problem}.`);
  beginSession({
    ...sessionOf(tokens),
    tokenEndpoint: metadata.token_endpoint,
    ...(metadata.end_session_endpoint ? { endSessionEndpoint: metadata.end_session_endpoint } : {}),
    clientId: provider.clientId,
    idToken: tokens.id_token ?? '',
  });
  return localPath(pending.to) ?? '/';
}

const askForTokens = (endpoint: string, form: Record<string, string>): Promise<Answer> =>
  ask<Answer>(endpoint, { method: 'POST', body: new URLSearchParams(form) });

const sessionOf = ({ access_token, expires_in = 300, refresh_token }: Answer): Pick<Session, 'token' | 'expiresAt' | 'refreshToken'> => ({
  token: access_token,
  expiresAt: Date.now() + expires_in * 1000,
  ...(refresh_token ? { refreshToken: refresh_token } : {}),
});

let renewing: Promise<void> | undefined;

/** The token to send now, renewed when it is about to end; undefined when nobody is logged in. One renewal at a time: a refresh token is good once. */
export async function freshToken(): Promise<string | undefined> {
  const session = currentSession();
  if (!session || session.expiresAt - Date.now() > renewBeforeMs || !session.refreshToken) return session?.token;
  renewing ??= renew(session, session.refreshToken).finally(() => {
    renewing = undefined;
  });
  await renewing;
  return currentSession()?.token;
}

async function renew(session: Session, refreshToken: string): Promise<void> {
  try {
    const tokens = await askForTokens(session.tokenEndpoint, {
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      client_id: session.clientId,
    });
    renewSession({ ...session, ...sessionOf(tokens) });
  } catch (error) {
    // Unreachable is no answer: the old token is good until its end.
    if (error instanceof ApiError && error.code === 'LOGIN_REFUSED') endSession('expired');
  }
}

/** Forgets the login here, and leads to where the provider forgets it too: else the next person would be this one. */
export function signOut(): void {
  const session = currentSession();
  endSession('signed out');
  if (!session?.endSessionEndpoint) return;
  const address = new URL(session.endSessionEndpoint);
  const query = { id_token_hint: session.idToken, client_id: session.clientId, post_logout_redirect_uri: `${location.origin}/` };
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
  location.assign(address);
}

import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from '../cli-error.ts';

/** The device flow (RFC 8628) and the renewal of its tokens, against any OpenID Connect provider. */
const clientId = 'desp-cli';
const scope = 'openid desp';
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
const timeoutMs = 15_000;
/** RFC 8628, section 3.5: when the provider names no interval, and what `slow_down` adds. */
const pollSeconds = { first: 5, slower: 5 };

export interface DeviceCode {
  readonly tokenEndpoint: string;
  readonly deviceCode: string;
  readonly userCode: string;
  readonly address: string;
  /** The address with the code in it, where the provider gives one. */
  readonly completeAddress: string;
  readonly expiresInSeconds: number;
  readonly intervalSeconds: number;
}

export interface TokenSet {
  readonly token: string;
  readonly expiresAt: string;
  readonly refreshToken: string;
}

/** Asks for a code. @throws CliError API, NOT_STARTED */
export async function startDeviceFlow(issuer: string): Promise<DeviceCode> {
  const { device_authorization_endpoint: endpoint, token_endpoint: tokenEndpoint } = await discover(issuer);
  if (!endpoint)
    throw new CliError('API', `The identity provider ${issuer} has no device flow.`, {
      kind: 'upstream',
      cure: 'Set DESP_TOKEN to a token instead.',
    });
  const { status, body } = await send(endpoint, { client_id: clientId, scope });
  if (status !== 200) throw refused(issuer, body);
  const text = (name: string) => String(body[name] ?? '');
  return {
    tokenEndpoint,
    deviceCode: text('device_code'),
    userCode: text('user_code'),
    address: text('verification_uri'),
    completeAddress: text('verification_uri_complete') || text('verification_uri'),
    expiresInSeconds: Number(body['expires_in'] ?? 600),
    intervalSeconds: Number(body['interval'] ?? pollSeconds.first),
  };
}

/** Waits until the person has said yes or no. @throws CliError REFUSED, NOT_LOGGED_IN (the code is over), API, NOT_STARTED */
export async function awaitTokens(code: DeviceCode): Promise<TokenSet> {
  const until = Date.now() + code.expiresInSeconds * 1000;
  for (let interval = code.intervalSeconds; Date.now() < until; await sleep(interval * 1000)) {
    const { status, body } = await send(code.tokenEndpoint, { grant_type: deviceGrant, device_code: code.deviceCode, client_id: clientId });
    if (status === 200) return tokenSet(body);
    switch (body['error']) {
      case 'authorization_pending':
        break;
      case 'slow_down':
        interval += pollSeconds.slower;
        break;
      case 'access_denied':
        throw new CliError('REFUSED', 'The login was refused.', { kind: 'user', cure: 'desp login' });
      case 'expired_token':
        throw codeOver();
      default:
        throw refused(code.tokenEndpoint, body);
    }
  }
  throw codeOver();
}

/** New tokens for a refresh token, which is used up by this. @throws CliError NOT_LOGGED_IN, NOT_STARTED */
export async function refresh(issuer: string, refreshToken: string): Promise<TokenSet> {
  const { token_endpoint: endpoint } = await discover(issuer);
  const { status, body } = await send(endpoint, { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: clientId });
  if (status === 200) return tokenSet(body);
  if (status >= 500) throw refused(issuer, body);
  throw new CliError('NOT_LOGGED_IN', 'The login is over.', { kind: 'user', cure: 'desp login' });
}

const codeOver = () => new CliError('NOT_LOGGED_IN', 'Nobody confirmed the code in time.', { kind: 'user', cure: 'desp login' });
const refused = (who: string, body: Record<string, unknown>) =>
  new CliError(
    'API',
    `${who} refused the login: ${String(body['error_description'] ?? body['error'] ?? 'it did not say why').slice(0, 300)}`,
    { kind: 'upstream' },
  );

function tokenSet(body: Record<string, unknown>): TokenSet {
  const { access_token: token, refresh_token: refreshToken, expires_in: seconds } = body;
  if (typeof token !== 'string' || typeof refreshToken !== 'string' || typeof seconds !== 'number') {
    throw new CliError('API', 'The identity provider gave no tokens that renew themselves.', {
      kind: 'upstream',
      cure: 'Its client desp-cli must be allowed refresh tokens.',
    });
  }
  return { token, refreshToken, expiresAt: new Date(Date.now() + seconds * 1000).toISOString() };
}

interface Discovery {
  readonly issuer: string;
  readonly token_endpoint: string;
  readonly device_authorization_endpoint?: string;
}

async function discover(issuer: string): Promise<Discovery> {
  const { status, body } = await send(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const document = body as Partial<Discovery>;
  if (status !== 200 || document.issuer !== issuer || typeof document.token_endpoint !== 'string') {
    throw new CliError('API', `${issuer} is no identity provider of this name.`, {
      kind: 'upstream',
      cure: 'See identity.issuer in desp.config.yaml.',
    });
  }
  return document as Discovery;
}

async function send(address: string, form?: Record<string, string>): Promise<{ status: number; body: Record<string, unknown> }> {
  try {
    const response = await fetch(address, {
      ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body: unknown = await response.json().catch(() => ({}));
    return { status: response.status, body: typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {} };
  } catch (cause) {
    throw new CliError('NOT_STARTED', `The identity provider at ${new URL(address).origin} does not answer.`, {
      kind: 'upstream',
      retryable: true,
      cure: 'Start the rehearsal with desp up, or look at it with desp status.',
      cause,
    });
  }
}

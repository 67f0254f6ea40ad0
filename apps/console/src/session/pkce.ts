/** What a login proves itself with (RFC 7636, OpenID Connect Core 3.1). Pure but for the browser's own cryptography. */

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

/** 256 random bits, as text for an address. */
export const randomText = (): string => base64url(crypto.getRandomValues(new Uint8Array(32)));

/** The challenge of a verifier, method S256. */
export async function challengeOf(verifier: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))));
}

/** What an ID token must say to be the answer to our own question. */
export interface Expected {
  readonly issuer: string;
  readonly clientId: string;
  readonly nonce: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Why an ID token is not the answer to our own question; undefined when it is. Its signature is not looked at: it comes from the
 * provider's token endpoint itself (OpenID Connect Core 3.1.3.7, point 6), and the platform checks every access token.
 */
export function idTokenProblem(token: string, { issuer, clientId, nonce, now }: Expected): string | undefined {
  let claims: Record<string, unknown>;
  try {
    const bytes = Uint8Array.from(atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')), (char) =>
      char.charCodeAt(0),
    );
    claims = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  } catch {
    return 'it cannot be read';
  }
  const audience = [claims['aud']].flat();
  if (claims['iss'] !== issuer) return 'it is from another provider';
  if (!audience.includes(clientId) || (audience.length > 1 && claims['azp'] !== clientId)) return 'it is for another program';
  if (claims['nonce'] !== nonce) return 'it answers another login';
  if (typeof claims['exp'] !== 'number' || claims['exp'] * 1000 < now - 60_000) return 'it is over';
  return undefined;
}

import type { ClientMetadata } from 'oidc-provider';

/**
 * The platform's own programs. Both are public clients: what lies in a browser or on somebody's machine keeps no secret, so
 * the console proves itself with PKCE (RFC 7636) and the command line with a device code (RFC 8628).
 */
export const consoleClientId = 'desp-console';
export const cliClientId = 'desp-cli';

export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

export interface OwnAddresses {
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris: readonly string[];
}

export const ownClients = (addresses: OwnAddresses): ClientMetadata[] => [
  {
    client_id: consoleClientId,
    client_name: 'the console',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: [...addresses.redirectUris],
    post_logout_redirect_uris: [...addresses.postLogoutRedirectUris],
  },
  {
    client_id: cliClientId,
    client_name: 'the command line (desp)',
    token_endpoint_auth_method: 'none',
    grant_types: [deviceGrant, 'refresh_token'],
    response_types: [],
    redirect_uris: [],
  },
];

import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * A double of an identity provider for the console: authorization code with PKCE S256, as any provider speaks it, for one person.
 * A code is good once, for the verifier of its challenge and the address that it was asked for.
 */
export interface IdentityDouble {
  answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void>;
}

export function createIdentityDouble(accessToken: string, password: string): IdentityDouble {
  const codes = new Map<string, { challenge: string; redirectUri: string; nonce: string }>();
  return {
    async answer(request, response, url) {
      const origin = `http://${request.headers.host}`;
      const issuer = `${origin}/oidc`;
      const json = (value: unknown, status = 200) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
      const wanted = (name: string) => url.searchParams.get(name) ?? '';
      switch (url.pathname) {
        case '/oidc/.well-known/openid-configuration':
          json({
            issuer,
            authorization_endpoint: `${issuer}/auth`,
            token_endpoint: `${issuer}/token`,
            end_session_endpoint: `${issuer}/logout`,
          });
          return;
        case '/oidc/auth': {
          const complete =
            wanted('response_type') === 'code' && wanted('code_challenge_method') === 'S256' && wanted('state') && wanted('nonce');
          if (!complete || wanted('redirect_uri') !== `${origin}/login/callback`) {
            response.writeHead(400).end('not a request of the console');
            return;
          }
          const form = request.method === 'POST' ? await formOf(request) : undefined;
          if (form?.get('password') !== password) {
            response.writeHead(form ? 401 : 200, { 'content-type': 'text/html' }).end(loginPage(form !== undefined));
            return;
          }
          const code = randomUUID();
          codes.set(code, { challenge: wanted('code_challenge'), redirectUri: wanted('redirect_uri'), nonce: wanted('nonce') });
          const back = new URLSearchParams({ code, state: wanted('state'), iss: issuer });
          response.writeHead(303, { location: `${wanted('redirect_uri')}?${back}` }).end();
          return;
        }
        case '/oidc/token': {
          const form = await formOf(request);
          const known = codes.get(form.get('code') ?? '');
          codes.delete(form.get('code') ?? '');
          const challenge = createHash('sha256')
            .update(form.get('code_verifier') ?? '')
            .digest('base64url');
          if (known?.challenge !== challenge || known.redirectUri !== form.get('redirect_uri')) {
            json({ error: 'invalid_grant' }, 400);
            return;
          }
          const claims = { iss: issuer, aud: 'desp-console', nonce: known.nonce, exp: Math.floor(Date.now() / 1000) + 600 };
          json({
            access_token: accessToken,
            expires_in: 600,
            id_token: `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`,
          });
          return;
        }
        case '/oidc/logout':
          response.writeHead(303, { location: wanted('post_logout_redirect_uri') }).end();
          return;
        default:
          response.writeHead(404).end();
      }
    },
  };
}

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return new URLSearchParams(text);
}

const loginPage = (wrong: boolean) => `<!doctype html><html lang="en"><title>Log in</title><main><h1>Log in</h1>
${wrong ? '<p role="alert">There is nobody with this name and password.</p>' : ''}
<form method="post"><label>Name <input name="person" autofocus></label><label>Password <input name="password" type="password"></label>
<button>Log in</button></form></main></html>`;

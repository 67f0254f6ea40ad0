import { OciError } from '../errors.ts';
import type { RegistryContext } from './context.ts';
import { artifactRoutes } from './harbor/artifacts.ts';
import type { HarborCall, HarborRoute } from './harbor/call.ts';
import { memberRoutes } from './harbor/members.ts';
import { projectRoutes } from './harbor/projects.ts';
import { robotRoutes } from './harbor/robots.ts';
import { type Exchange, sendJson } from './wire.ts';

/**
 * The part of Harbor's API (`/api/v2.0`, its swagger.yaml) that people and tools of the platform use. What is not here
 * answers 404 with Harbor's error body. A project without a right for the caller answers as one that does not exist.
 */

/** Every endpoint. To add a resource: a file of the same shape in `harbor/`, and a line here. */
const served: readonly HarborRoute[] = [
  ...projectRoutes,
  ...memberRoutes,
  ...artifactRoutes,
  ...robotRoutes,
  ['GET', '/users/current', currentUser],
];
const routes = served.map(([method, path, handler]) => ({
  method,
  pattern: new RegExp(`^${path.replace(/:[a-z]+/g, '([^/]+)')}/?$`),
  handler,
}));

/** Serves everything under `/api/`. */
export async function serveHarbor(context: RegistryContext, exchange: Exchange): Promise<void> {
  const path = exchange.path.replace(/^\/api\/v2\.0/, '');
  if (exchange.method === 'GET') {
    if (path === '/ping') {
      exchange.response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
      exchange.response.end('Pong');
      return;
    }
    if (path === '/health')
      return sendJson(exchange, 200, {
        status: 'healthy',
        components: [
          { name: 'core', status: 'healthy' },
          { name: 'registry', status: 'healthy' },
          { name: 'database', status: 'healthy' },
        ],
      });
    if (path === '/systeminfo') return sendJson(exchange, 200, systemInformation(context));
  }
  const caller = await context.gate.identify(exchange.request);
  if (!caller || caller.access !== undefined)
    throw new OciError('UNAUTHORIZED', 'unauthorized', { headers: { 'www-authenticate': 'Basic realm="harbor"' } });
  for (const { method, pattern, handler } of routes) {
    const match = method === exchange.method && pattern.exec(path);
    if (match) return handler({ context, exchange, caller }, ...match.slice(1));
  }
  throw new OciError('NOT_FOUND', `${exchange.method} ${exchange.path.slice(0, 200)} is not part of this registry's API`, {
    cure: 'The documentation lists the part of the Harbor API that is served.',
  });
}

const systemInformation = (context: RegistryContext) => ({
  auth_mode: 'oidc_auth',
  harbor_version: 'v2.0-desp+rehearsal',
  registry_url: context.options.url?.replace(/^https?:\/\//, '') ?? '',
  external_url: context.options.url ?? '',
  project_creation_restriction: 'adminonly',
  self_registration: false,
  read_only: false,
  with_notary: false,
});

function currentUser(call: HarborCall): void {
  const { name, kind } = call.caller.principal;
  sendJson(call.exchange, 200, { username: name, sysadmin_flag: kind === 'platform' });
}

import { existsSync } from 'node:fs';
import type { OidcServer } from '@desp/identity';
import { messageOf } from '@desp/runtime';
import fastifyStatic from '@fastify/static';
import fastifySwagger from '@fastify/swagger';
import fastify, { type FastifyInstance } from 'fastify';
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { Platform } from '../platform.ts';
import { register, schemaOf, standardBodyLimit } from './endpoint.ts';
import { problemOf } from './problem.ts';
import { endpoints } from './routes.ts';

/** How long a request may take to come; nobody holds a connection by sending slowly. Answers may take as long as they need. */
export interface HttpTimes {
  readonly headersMs: number;
  /** From the first byte to the last of the body. */
  readonly requestMs: number;
  /** How often the times are looked at. */
  readonly checkMs: number;
}

const standardTimes: HttpTimes = { headersMs: 15_000, requestMs: 60_000, checkMs: 5_000 };

/** The HTTP API, its OpenAPI document at `/api/openapi.json`, the identity provider's pages, and the console's files. */
export async function createApi(platform: Platform, consoleFolder: string, times: HttpTimes = standardTimes): Promise<FastifyInstance> {
  const app = await createDescribedServer(times);
  app.setErrorHandler((error, request, reply) => {
    const { status, body } = problemOf(error);
    if (status >= 500)
      platform.log.error({ error: messageOf(error), stack: (error as Error).stack, url: request.url }, 'A request failed.');
    // RFC 9110, section 15.5.2: a 401 names what would be accepted.
    if (status === 401) reply.header('www-authenticate', 'Bearer realm="DESP"');
    void reply.status(status).type('application/json').send(JSON.stringify(body));
  });
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff').header('referrer-policy', 'no-referrer');
    reply.header(
      'content-security-policy',
      // The console asks the identity provider itself, wherever that is.
      `default-src 'self'; connect-src 'self' ${new URL(platform.config.identity.issuer).origin}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'`,
    );
  });
  await app.register(async (scope) => {
    for (const definition of endpoints) register(scope, platform, definition);
  });
  app.get('/api/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  if (platform.oidc) await mountOidc(app, platform.oidc);
  if (existsSync(consoleFolder)) {
    await app.register(fastifyStatic, { root: consoleFolder, wildcard: false });
    // Addresses inside the console are the console's to route.
    app.setNotFoundHandler((request, reply) => {
      if (request.method === 'GET' && !request.url.startsWith('/api/')) return reply.sendFile('index.html');
      return reply.status(404).send({
        error: { code: 'NOT_FOUND', message: `There is nothing at ${request.url.slice(0, 200)}.`, kind: 'user', retryable: false },
      });
    });
  }
  await app.ready();
  return app;
}

/** The OpenAPI document of all endpoints, without a platform behind them: the same whenever the endpoints are. */
export async function describeApi(): Promise<object> {
  const app = await createDescribedServer();
  await app.register(async (scope) => {
    for (const definition of endpoints) {
      const { method, url } = definition;
      scope.route({ method, url, schema: schemaOf(definition), handler: (_request, reply) => reply.status(501).send() });
    }
  });
  await app.ready();
  const document = app.swagger();
  await app.close();
  return document;
}

async function createDescribedServer({ headersMs, requestMs, checkMs }: HttpTimes = standardTimes): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    bodyLimit: standardBodyLimit,
    forceCloseConnections: true,
    requestTimeout: requestMs,
    http: { headersTimeout: headersMs, requestTimeout: requestMs, connectionsCheckingInterval: checkMs },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'DESP runtime', version: '0.1.0', description: 'The control plane of the DESP runtime.' },
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description: "A personal token, or an access token of the platform's identity provider.",
          },
          gitlabToken: { type: 'apiKey', in: 'header', name: 'X-Gitlab-Token', description: 'The token of the webhook at the Git host.' },
          basic: { type: 'http', scheme: 'basic', description: "A person's name and password, or any name and a token." },
        },
      },
      security: [{ bearer: [] }, { basic: [] }],
    },
    transform: jsonSchemaTransform,
  });
  return app;
}

/** Hands the requests below the issuer's path to the provider as they came: it reads their bodies itself. */
async function mountOidc(app: FastifyInstance, oidc: OidcServer): Promise<void> {
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    scope.all(`${new URL(oidc.issuer).pathname}/*`, { schema: { hide: true } }, async (request, reply) => {
      reply.hijack();
      await oidc.handle(request.raw, reply.raw);
    });
  });
}

import { existsSync } from 'node:fs';
import fastifyStatic from '@fastify/static';
import fastifySwagger from '@fastify/swagger';
import { messageOf } from '@desp/runtime';
import fastify, { type FastifyInstance } from 'fastify';
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { register } from './endpoint.ts';
import { problemOf } from './problem.ts';
import { endpoints } from './routes.ts';
import type { Platform } from '../platform.ts';

const bodyLimit = 32 * 1024 * 1024;

/** The HTTP API, its OpenAPI document at `/api/openapi.json`, and the console's files. */
export async function createApi(platform: Platform, consoleFolder: string): Promise<FastifyInstance> {
  const app = fastify({ logger: false, bodyLimit, forceCloseConnections: true });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, request, reply) => {
    const { status, body } = problemOf(error);
    if (status >= 500) platform.log.error({ error: messageOf(error), stack: (error as Error).stack, url: request.url }, 'A request failed.');
    void reply.status(status).type('application/json').send(JSON.stringify(body));
  });
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff').header('referrer-policy', 'no-referrer');
    reply.header('content-security-policy', "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'");
  });
  await app.register(fastifySwagger, {
    openapi: { openapi: '3.1.0', info: { title: 'DESP runtime', version: '0.1.0', description: 'The control plane of the DESP runtime.' } },
    transform: jsonSchemaTransform,
  });
  await app.register(async (scope) => {
    for (const definition of endpoints) register(scope, platform, definition);
  });
  app.get('/api/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  if (existsSync(consoleFolder)) {
    await app.register(fastifyStatic, { root: consoleFolder, wildcard: false });
    // Addresses inside the console are the console's to route.
    app.setNotFoundHandler((request, reply) => {
      if (request.method === 'GET' && !request.url.startsWith('/api/')) return reply.sendFile('index.html');
      return reply.status(404).send({ error: { code: 'NOT_FOUND', message: `There is nothing at ${request.url.slice(0, 200)}.`, kind: 'user', retryable: false } });
    });
  }
  await app.ready();
  return app;
}

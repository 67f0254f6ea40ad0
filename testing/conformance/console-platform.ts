import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import {
  ApiProblem,
  Delivery,
  DeliveryList,
  GateReport,
  JobLog,
  LoginProvider,
  PlatformStatus,
  ReleaseDetail,
  ServiceView,
} from '@desp/model';
import { type ZodType, z } from 'zod';
import { gateReports, releaseDetail, releaseRecord, serviceView } from './console-answers.ts';
import { createIdentityDouble } from './console-identity.ts';

/**
 * A double of the platform for the console: it speaks the API over real HTTP, with the platform's own content policy, and holds
 * every answer against the schema by which the platform validates its own. It shows states that a real run reaches too slowly.
 */
export interface ConsolePlatform {
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly asked: string[];
  /** The delivery from now on; told to everybody who follows it. */
  tell(delivery: Delivery): void;
  log(job: string, text: string): void;
  /** Breaks every open stream, as a lost line does; while `refuse` is set, none can be opened anew. */
  breakStreams(refuse: boolean): void;
  /** The next action is answered with this refusal. */
  refuseNext(status: number, problem: ApiProblem['error']): void;
  close(): Promise<void>;
}

const contentPolicy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";
const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
};
const token = 'desp_token_of_the_double';
export const password = 'right horse';

export async function startConsolePlatform(files: string, first: Delivery | undefined): Promise<ConsolePlatform> {
  let delivery = first;
  let refuseStreams = false;
  let refusal: { status: number; problem: ApiProblem['error'] } | undefined;
  const asked: string[] = [];
  const identity = createIdentityDouble(token, password);
  const logs = new Map<string, string[]>();
  const streams = new Set<ServerResponse>();
  const event = () => `event: delivery\ndata: ${JSON.stringify(delivery)}\n\n`;

  async function api(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const answer = <T>(schema: ZodType<T>, value: unknown, status = 200): void => {
      response
        .writeHead(status, { 'content-type': 'application/json', 'content-security-policy': contentPolicy })
        .end(JSON.stringify(schema.parse(value)));
    };
    const problem = (status: number, error: ApiProblem['error']) => answer(ApiProblem, { error }, status);
    const [, , resource = '', id = '', verb = '', job = ''] = url.pathname.split('/').map(decodeURIComponent);
    if (resource === 'status') {
      return answer(PlatformStatus, {
        version: '0.1.0',
        profile: 'procedure-2023',
        rehearsal: true,
        data: '/srv/desp',
        parts: [],
        environments: ['e2e', 'prod'],
      });
    }
    if (resource === 'login') {
      const origin = `http://${request.headers.host}`;
      return answer(LoginProvider, { issuer: `${origin}/oidc`, clientId: 'desp-console', redirectUri: `${origin}/login/callback` });
    }
    if (request.headers.authorization !== `Bearer ${token}`)
      return problem(401, { code: 'NOT_AUTHENTICATED', message: 'Nobody is logged in.', kind: 'user', retryable: false });
    if (resource === 'me') return answer(z.unknown(), { kind: 'person', name: 'provider', company: 'acme', roles: ['provider'] });
    if (resource === 'services')
      return id
        ? answer(ServiceView, serviceView())
        : answer(z.object({ services: z.array(ServiceView) }), { services: delivery ? [serviceView()] : [] });
    if (resource === 'gate') return answer(GateReport, gateReports.get(url.searchParams.get('digest') ?? ''));
    if (resource === 'releases') return job === 'record' ? void response.end(releaseRecord) : answer(ReleaseDetail, releaseDetail());
    if (resource !== 'deliveries')
      return problem(404, { code: 'NOT_FOUND', message: 'There is nothing here.', kind: 'user', retryable: false });
    if (!id) return answer(DeliveryList, { deliveries: delivery ? [delivery] : [] });
    if (id !== delivery?.id)
      return problem(404, {
        code: 'NOT_FOUND',
        message: `There is no delivery ${id}.`,
        kind: 'user',
        retryable: false,
        cure: 'desp delivery list shows them.',
      });
    if (verb === 'events') {
      if (refuseStreams)
        return problem(503, { code: 'UNAVAILABLE', message: 'The platform is starting.', kind: 'upstream', retryable: true });
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(event());
      streams.add(response);
      response.once('close', () => streams.delete(response));
      return;
    }
    if (verb === 'jobs') {
      const pieces = logs.get(job) ?? [];
      const from = Number(url.searchParams.get('from'));
      const ended = delivery.jobs.find(({ name }) => name === job)?.endedAt !== undefined;
      return answer(JobLog, { delivery: id, job, text: pieces.slice(from).join(''), next: pieces.length, ended });
    }
    if (refusal) {
      const { status, problem: said } = refusal;
      refusal = undefined;
      return problem(status, said);
    }
    return answer(Delivery, delivery);
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://double');
    if (url.pathname.startsWith('/api/')) {
      asked.push(`${request.method} ${url.pathname}`);
      void api(request, response, url).catch((error: unknown) => response.writeHead(500).end(String(error)));
      return;
    }
    if (url.pathname.startsWith('/oidc/')) {
      void identity.answer(request, response, url).catch((error: unknown) => response.writeHead(500).end(String(error)));
      return;
    }
    const named = join(files, url.pathname);
    const file = extname(url.pathname) && existsSync(named) ? named : join(files, 'index.html');
    response
      .writeHead(200, { 'content-type': mediaTypes[extname(file)] ?? 'text/plain', 'content-security-policy': contentPolicy })
      .end(readFileSync(file));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    tell(next) {
      delivery = Delivery.parse(next);
      for (const stream of streams) stream.write(event());
    },
    log(job, text) {
      logs.set(job, [...(logs.get(job) ?? []), text]);
    },
    breakStreams(refuse) {
      refuseStreams = refuse;
      for (const stream of streams) stream.destroy();
    },
    refuseNext(status, problem) {
      refusal = { status, problem };
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

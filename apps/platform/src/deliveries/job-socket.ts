import { createHash, timingSafeEqual } from 'node:crypto';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { PlannedJob } from '@desp/pipeline';
import { messageOf } from '@desp/runtime';
import { z } from 'zod';
import type { Platform } from '../platform.ts';
import { PlatformError } from '../platform-error.ts';
import { buildJobImage } from './build-image.ts';
import { environmentOf, purposeOf } from './job-purpose.ts';
import { releaseJobImages } from './release-images.ts';

/**
 * The one way out of a job: a socket of its own, which answers that job's token only and knows two verbs. What a verb does is
 * read from the stored plan; the job says no more than "now", so that a script cannot build or release something else.
 */
export interface JobSocket {
  readonly path: string;
  /** Why a verb said no, for the job's reason. */
  refusal(): string | undefined;
  close(): Promise<void>;
}

export interface JobIdentity {
  readonly id: number;
  readonly name: string;
  readonly plan: PlannedJob;
  readonly service: string;
  readonly commit: string;
  readonly repository: string;
  readonly token: string;
}

const VerbBody = z.object({ environment: z.string().max(53).default('') });
const verbs = { build: buildJobImage, release: releaseJobImages } as const;

export async function openJobSocket(platform: Platform, job: JobIdentity): Promise<JobSocket> {
  // A socket's path has at most 107 bytes: a short name of the job's identity.
  const name = createHash('sha256').update(`${job.id}/${job.name}`).digest('hex').slice(0, 16);
  const folder = platform.data.file('run', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const path = join(folder, 'api.sock');
  let refused: string | undefined;
  const ended = new AbortController();
  const server = createServer((request, response) => {
    answer(platform, job, request, response, ended.signal, (reason) => {
      refused = reason;
    }).catch((error) => {
      platform.log.error({ error: messageOf(error), job: job.name }, 'A job verb failed.');
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  // The job runs as a user of its own name space; the token guards the socket.
  chmodSync(path, 0o666);
  return {
    path,
    refusal: () => refused,
    async close() {
      ended.abort(new Error('The job has ended.'));
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A job does what it was planned for: a script that says another verb or environment when it runs gets nothing. */
function demandPlanned({ name, plan }: JobIdentity, verb: keyof typeof verbs, environment: string): void {
  const planned = { purpose: purposeOf(plan), environment: environmentOf(plan) ?? '' };
  if (planned.purpose === verb && (verb === 'build' || planned.environment === environment)) return;
  throw new PlatformError(
    'NOT_ALLOWED',
    `${name} was not planned to ${verb}${verb === 'release' ? ` to ${environment.slice(0, 60) || 'nowhere'}` : ''}.`,
    {
      kind: 'user',
      cure: `Write the verb as a command of its own in the job's script: desp job ${verb} --env ENVIRONMENT.`,
    },
  );
}

const hash = (text: string) => createHash('sha256').update(text).digest();

async function answer(
  platform: Platform,
  job: JobIdentity,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
  onRefusal: (reason: string) => void,
): Promise<void> {
  const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
  const verb = /^\/job\/(build|release)$/.exec(request.url ?? '')?.[1] as keyof typeof verbs | undefined;
  if (!timingSafeEqual(hash(token), hash(job.token))) return void response.writeHead(401).end();
  if (!verb || request.method !== 'POST') return void response.writeHead(404).end();
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > 4096) return void response.writeHead(413).end();
  }
  const body = VerbBody.parse(JSON.parse(text || '{}'));
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  const log = (line: string) => response.write(`${JSON.stringify({ log: line })}\n`);
  let done = false;
  try {
    demandPlanned(job, verb, body.environment);
    await verbs[verb](platform, job, body.environment, log, signal);
    done = true;
  } catch (error) {
    const cure = (error as { cure?: string }).cure;
    onRefusal(messageOf(error));
    log(`${messageOf(error)}\n${cure ? `${cure}\n` : ''}`);
  }
  response.end(`${JSON.stringify({ done })}\n`);
}

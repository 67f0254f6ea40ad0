import { CommitId, parseImageReference, type Verdict } from '@desp/model';
import { judgeImage } from '../gate/judge-image.ts';
import type { Platform } from '../platform.ts';
import { PlatformError } from '../platform-error.ts';
import type { JobIdentity } from './job-socket.ts';
import { changeJob } from './records.ts';

/** `desp job build`: builds DOCKER_BUILDPATH into TEST_IMAGE, pushes it to quarantine and has the digest judged. */
export async function buildJobImage(
  platform: Platform,
  job: JobIdentity,
  _environment: string,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { builder } = platform;
  if ('missing' in builder) throw new PlatformError('NO_ENGINE', builder.missing, { kind: 'user' });
  const target = imageOf(job, job.plan.variables['TEST_IMAGE'] ?? '', 'TEST_IMAGE');
  const path = (job.plan.variables['DOCKER_BUILDPATH'] ?? '').replace(/^\.?\/+|\/+$/g, '');
  const reader = await platform.source.at(job.repository, job.commit);
  const commit = CommitId.parse(job.commit);
  const file = path ? `${path}/Dockerfile` : 'Dockerfile';
  const dockerfile = (await reader.readFile(commit, file, 1024 * 1024)).toString('utf8');
  const context = await reader.archive(commit, path);
  log(`Building ${path || 'the repository'} as ${target.repository}:${target.tag}\n`);
  const { digest } = await builder.build({
    id: `d${job.id}-${job.name}`
      .toLowerCase()
      .replace(/[^a-z0-9-]/g, '-')
      .slice(0, 50),
    context,
    folder: path,
    dockerfile,
    buildArgs: parseBuildArgs(job.plan.variables['BUILD_ARGS'] ?? ''),
    target,
    onLog: log,
    signal,
  });
  log(`Pushed to quarantine: ${target.repository}@${digest}\n`);
  const verdicts = await judgeImage(platform, { service: job.service, ...target, digest, delivery: job.id, job: job.name });
  await changeJob(platform.database.sql, job.id, job.name, { images: [{ reference: `${target.repository}:${target.tag}`, digest }] });
  platform.announcer.announce(job.id);
  for (const verdict of verdicts) log(describeVerdict(verdict));
}

/** A service's images lie below its own name (section 3.3: `<service-name>/image/path:version`). */
export function imageOf(job: { service: string }, text: string, variable: string): { repository: string; tag: string } {
  const reference = parseImageReference(text.trim());
  const wrong = (why: string) =>
    new PlatformError('INVALID', `${variable} is ${JSON.stringify(text.slice(0, 200))}: ${why}`, {
      kind: 'user',
      cure: `Name it as ${job.service}/my-image:1.0.0.`,
    });
  if (!reference) throw wrong('this is no image name.');
  const { repository } = reference;
  if (!repository.startsWith(`${job.service}/`)) throw wrong(`images of this service lie below ${job.service}/.`);
  if (!reference.tag || reference.tag === 'latest') throw wrong('it needs a version, and "latest" is none.');
  return { repository, tag: reference.tag };
}

/** The words of a `docker build`, over several lines: `--build-arg NAME=VALUE`, or `NAME=VALUE` alone. */
export function parseBuildArgs(text: string): Record<string, string> {
  const words = text.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? [];
  const args: Record<string, string> = {};
  for (const word of words) {
    const plain = word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2').replace(/^--build-arg=/, '');
    if (plain === '--build-arg') continue;
    const equals = plain.indexOf('=');
    if (plain.startsWith('-') || equals < 1 || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(plain.slice(0, equals))) {
      throw new PlatformError('INVALID', `BUILD_ARGS holds ${JSON.stringify(plain.slice(0, 80))}, which is no --build-arg NAME=VALUE.`, {
        kind: 'user',
        cure: 'Other options of docker build are not taken.',
      });
    }
    args[plain.slice(0, equals)] = plain.slice(equals + 1);
  }
  return args;
}

function describeVerdict(verdict: Verdict): string {
  const lines = [`Gate, ${verdict.policy.environment}: ${verdict.outcome}`, ...verdict.reasons.map((reason) => `  ${reason}`)];
  return `${lines.join('\n')}\n`;
}

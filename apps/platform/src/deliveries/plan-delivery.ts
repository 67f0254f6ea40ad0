import type { RepositoryReader } from '@desp/git';
import { CommitId, type JobState } from '@desp/model';
import { type PipelineContext, type PlannedJob, planPipeline, resolveIncludes } from '@desp/pipeline';
import { formatPlace, messageOf } from '@desp/runtime';
import type { Platform } from '../platform.ts';
import { environmentOf, purposeOf } from './job-purpose.ts';
import { type LoadedDelivery, savePlan } from './records.ts';

export const ciFile = '.gitlab-ci.yml';

/** Plans a delivery's pipeline and writes its jobs, once. Returns why there is none, when the file does not plan. */
export async function planDelivery(platform: Platform, delivery: LoadedDelivery): Promise<string | undefined> {
  const { view } = delivery;
  const { repository } = await platform.database.sql
    .selectFrom('services')
    .select('repository')
    .where('name', '=', view.service)
    .executeTakeFirstOrThrow();
  const reader = await platform.source.at(repository, view.commit);
  const commit = CommitId.parse(view.commit);
  let text: string;
  try {
    text = (await reader.readFile(commit, ciFile, 1024 * 1024)).toString('utf8');
  } catch (error) {
    return `${ciFile} cannot be read: ${messageOf(error)}`;
  }
  const context = await contextOf(platform, delivery, repository, reader);
  const file = { path: ciFile, text };
  const { templates } = platform.profile;
  const includes = await resolveIncludes(file, context, async (request) => {
    if (request.project !== undefined && request.project !== templates.project) return undefined;
    const from = request.project === undefined ? reader : await platform.source.fresh(templates.project);
    try {
      const at = request.project === undefined ? commit : await from.resolve(request.ref ?? templates.ref);
      return { text: (await from.readFile(CommitId.parse(at), request.file, 1024 * 1024)).toString('utf8'), commit: at };
    } catch {
      return undefined;
    }
  });
  if (!includes.ok) return describe(includes.errors);
  const result = planPipeline({ file, includes: includes.includes, ...context });
  if (!result.ok) return describe(result.errors);
  const { plan } = result;
  // YAML can write one as an escape; neither the database nor a shell takes it.
  if (/(?<!\\)(?:\\\\)*\\u0000/.test(JSON.stringify(plan))) return `${ciFile} holds a NUL character, and no job can have one.`;
  const jobs = plan.jobs.map((job) => ({ plan: job, ...firstState(platform, job) }));
  await platform.database.sql.transaction().execute(async (transaction) => {
    const planned = await transaction
      .selectFrom('delivery_jobs')
      .select('name')
      .where('delivery', '=', delivery.id)
      .limit(1)
      .executeTakeFirst();
    if (!planned) await savePlan(transaction, delivery.id, plan, jobs);
  });
  return jobs.length ? undefined : 'The pipeline has no job for this push.';
}

const describe = (errors: readonly { message: string; where?: { file: string } | undefined }[]): string =>
  errors.map((error) => `${error.where ? `${formatPlace(error.where)}: ` : ''}${error.message}`).join(' ');

/** A release to an environment that is entered by promotion stands blocked from the start. */
function firstState(platform: Platform, job: PlannedJob): { state: JobState; reason: string; environment?: string } {
  const target = purposeOf(job) === 'release' ? environmentOf(job) : undefined;
  if (target === undefined) return { state: 'created', reason: '' };
  const environment = platform.config.environments.find(({ name }) => name === target);
  if (environment?.entry === 'promotion')
    return { state: 'blocked', reason: `Waits for a promotion to ${environment.name}.`, environment: target };
  return { state: 'created', reason: '', environment: target };
}

async function contextOf(
  platform: Platform,
  { id, view }: LoadedDelivery,
  repository: string,
  reader: RepositoryReader,
): Promise<PipelineContext> {
  const [, kind, name = ''] = /^refs\/(heads|tags)\/(.+)$/.exec(view.ref) ?? [];
  const refs = await reader.listRefs();
  const branches = refs.flatMap((ref) => (ref.name.startsWith('refs/heads/') ? [ref.name.slice('refs/heads/'.length)] : []));
  const own = kind === 'heads' ? name : 'main';
  return {
    project: { path: repository, url: `${platform.config.git.url}/${repository}` },
    commit: view.commit,
    commitTitle: view.title,
    ...(kind === 'tags' ? { tag: name } : { branch: name }),
    defaultBranch: ['main', 'master'].find((candidate) => branches.includes(candidate)) ?? own,
    source: 'push',
    pipelineId: String(id),
    serverUrl: platform.config.server.url,
    variables: {
      DEVSECOPS_TEMPLATES_REPOSITORY: platform.profile.templates.project,
      DEVSECOPS_TEMPLATES_REF: platform.profile.templates.ref,
      DESP_DOMAIN: platform.config.environments[0]?.domain ?? '',
    },
  };
}

/** The plan as it was stored, for the state machine. */
export function storedPlan(delivery: LoadedDelivery) {
  const jobs = [...delivery.plans.values()];
  return { stages: [...new Set(jobs.map((job) => job.stage))], jobs, includes: [], warnings: [] };
}

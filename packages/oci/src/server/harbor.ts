import { z } from 'zod';
import { OciError } from '../errors.ts';
import { parseManifest } from '../manifest.ts';
import { isRepositoryName } from '../names.ts';
import type { Repository, StoredManifest } from '../store/metadata.ts';
import type { Caller } from './access.ts';
import type { RegistryContext } from './context.ts';
import { removeReference } from './manifests.ts';
import { createRobot } from './robots.ts';
import type { Project, RegistryAction, Robot } from './types.ts';
import { type Exchange, readBody, sendEmpty, sendJson } from './wire.ts';

/**
 * The part of Harbor's API (`/api/v2.0`, its swagger.yaml) that people and tools of the platform use. What is not here
 * answers 404 with Harbor's error body. A project without a right for the caller answers as one that does not exist.
 */

type Handler = (call: HarborCall, ...parts: string[]) => void | Promise<void>;

interface HarborCall {
  readonly context: RegistryContext;
  readonly exchange: Exchange;
  readonly caller: Caller;
}

const segment = '([^/]+)';
const routes: readonly (readonly [string, RegExp, Handler])[] = (
  [
    ['GET', '/projects', listProjects],
    ['HEAD', '/projects', headProject],
    ['POST', '/projects', createProject],
    ['GET', `/projects/${segment}`, getProject],
    ['GET', `/projects/${segment}/repositories`, listRepositories],
    ['GET', `/projects/${segment}/repositories/${segment}`, getRepository],
    ['GET', `/projects/${segment}/repositories/${segment}/artifacts`, listArtifacts],
    ['GET', `/projects/${segment}/repositories/${segment}/artifacts/${segment}`, getArtifact],
    ['DELETE', `/projects/${segment}/repositories/${segment}/artifacts/${segment}`, deleteArtifact],
    ['GET', `/projects/${segment}/repositories/${segment}/artifacts/${segment}/tags`, listArtifactTags],
    ['GET', `/projects/${segment}/repositories/${segment}/artifacts/${segment}/accessories`, listAccessories],
    ['GET', `/projects/${segment}/repositories/${segment}/artifacts/${segment}/additions/vulnerabilities`, getVulnerabilities],
    ['GET', '/robots', listRobots],
    ['POST', '/robots', postRobot],
    ['GET', `/robots/${segment}`, getRobot],
    ['DELETE', `/robots/${segment}`, deleteRobot],
    ['GET', '/users/current', currentUser],
  ] as const
).map(([method, path, handler]) => [method, new RegExp(`^${path}/?$`), handler as Handler]);

const notFound = (what: string) => new OciError('NOT_FOUND', `${what} not found`);

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
  for (const [method, pattern, handler] of routes) {
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

// Projects

const may = ({ context, caller }: HarborCall, project: string, action: RegistryAction) =>
  context.gate.mayDo(caller.principal, project, action);

function visibleProject(call: HarborCall, name: string): Project {
  const project = call.context.metadata.project(call.context.options.name, name);
  if (!project || !may(call, name, 'pull')) throw notFound(`project ${name}`);
  return project;
}

const projectView = (call: HarborCall, project: Project) => ({
  project_id: call.context.metadata.projects(call.context.options.name).findIndex(({ name }) => name === project.name) + 1,
  name: project.name,
  creation_time: project.createdAt,
  repo_count: call.context.metadata.repositories(call.context.options.name).filter((repository) => repository.project === project.name)
    .length,
  metadata: {
    public: 'false',
    prevent_vul: String(call.context.options.beforePull !== undefined),
    immutable_tags: String(project.tags === 'immutable'),
  },
});

function listProjects(call: HarborCall): void {
  const wanted = call.exchange.query.get('name') ?? '';
  const visible = call.context.metadata
    .projects(call.context.options.name)
    .filter(({ name }) => name.includes(wanted) && may(call, name, 'pull'));
  sendPage(call.exchange, visible, (project) => projectView(call, project));
}

function headProject(call: HarborCall): void {
  visibleProject(call, call.exchange.query.get('project_name') ?? '');
  sendEmpty(call.exchange, 200);
}

function getProject(call: HarborCall, name: string): void {
  sendJson(call.exchange, 200, projectView(call, visibleProject(call, name)));
}

const NewProject = z.object({ project_name: z.string(), metadata: z.record(z.string(), z.string()).optional() });

async function createProject(call: HarborCall): Promise<void> {
  const { context, exchange } = call;
  const { project_name: name, metadata } = await readJson(exchange, NewProject);
  demandAdministrator(call, name);
  if (metadata?.['public'] === 'true')
    throw new OciError('BAD_REQUEST', 'Projects of this registry are private.', { cure: 'Leave public out.' });
  if (!isRepositoryName(name) || name.includes('/'))
    throw new OciError('BAD_REQUEST', `${JSON.stringify(name.slice(0, 100))} is no project name.`);
  if (context.metadata.project(context.options.name, name)) throw new OciError('CONFLICT', `The project named ${name} already exists`);
  const tags = metadata?.['immutable_tags'] === 'true' ? 'immutable' : 'mutable';
  await context.metadata.ensureProject(context.options.name, name, tags, context.clock.now().toISOString());
  sendEmpty(exchange, 201, { location: `/api/v2.0/projects/${name}` });
}

function demandAdministrator(call: HarborCall, project: string): void {
  if (!call.context.gate.mayAdminister(call.caller.principal, project)) throw new OciError('DENIED', 'forbidden');
}

// Repositories and artifacts

function visibleRepository(call: HarborCall, project: string, encoded: string): Repository {
  visibleProject(call, project);
  // Harbor wants the name encoded twice, since it holds slashes.
  const name = `${project}/${decode(encoded)}`;
  const repository = call.context.metadata.repository(call.context.options.name, name);
  if (!repository) throw notFound(`repository ${name}`);
  return repository;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new OciError('BAD_REQUEST', 'The name is not well encoded.', { cause });
  }
}

const repositoryView = (call: HarborCall, repository: Repository) => ({
  id: repository.id,
  name: repository.name,
  creation_time: repository.created_at,
  artifact_count: call.context.metadata.manifests(repository.id).filter(({ subject }) => subject === undefined).length,
});

function listRepositories(call: HarborCall, project: string): void {
  visibleProject(call, project);
  const repositories = call.context.metadata.repositories(call.context.options.name).filter((repository) => repository.project === project);
  sendPage(call.exchange, repositories, (repository) => repositoryView(call, repository));
}

function getRepository(call: HarborCall, project: string, encoded: string): void {
  sendJson(call.exchange, 200, repositoryView(call, visibleRepository(call, project, encoded)));
}

function visibleArtifact(call: HarborCall, project: string, encoded: string, reference: string) {
  const repository = visibleRepository(call, project, encoded);
  const { metadata } = call.context;
  const digest = metadata.tag(repository.id, reference) ?? reference;
  const manifest = metadata.manifests(repository.id).find((one) => one.digest === digest);
  if (!manifest) throw notFound(`artifact ${repository.name}@${reference.slice(0, 150)}`);
  return { repository, manifest };
}

function artifactView(call: HarborCall, repository: Repository, manifest: StoredManifest) {
  const { metadata } = call.context;
  const parsed = parseManifest(metadata.manifestBytes(manifest.id), manifest.mediaType);
  const content = parsed.kind === 'image' ? parsed.config.size + parsed.layers.reduce((sum, { size }) => sum + size, 0) : 0;
  return {
    id: manifest.id,
    type: manifest.artifactType?.includes('.image.') || manifest.artifactType?.includes('docker.container') ? 'IMAGE' : 'UNKNOWN',
    digest: manifest.digest,
    size: manifest.size + content,
    media_type: parsed.kind === 'image' ? parsed.config.mediaType : manifest.mediaType,
    manifest_media_type: manifest.mediaType,
    artifact_type: manifest.artifactType,
    push_time: manifest.pushedAt,
    project_id: projectView(call, metadata.project(call.context.options.name, repository.project)!).project_id,
    repository_id: repository.id,
    repository_name: repository.name,
    references:
      parsed.kind === 'index' ? parsed.manifests.map((child) => ({ child_digest: child.digest, platform: child.platform })) : null,
    tags: tagViews(call, repository, manifest),
    accessories: accessoryViews(call, repository, manifest),
  };
}

const tagViews = ({ context }: HarborCall, repository: Repository, manifest: StoredManifest) => {
  const immutable = context.metadata.project(context.options.name, repository.project)?.tags === 'immutable';
  return context.metadata
    .tagsOf(repository.id, manifest.digest)
    .map(({ name, pushedAt }) => ({ name, push_time: pushedAt, repository_id: repository.id, artifact_id: manifest.id, immutable }));
};

const accessoryViews = ({ context }: HarborCall, repository: Repository, subject: StoredManifest) =>
  context.metadata.referrers(repository.id, subject.digest, undefined, 0, 100).map((manifest) => ({
    id: manifest.id,
    artifact_id: manifest.id,
    subject_artifact_id: subject.id,
    subject_artifact_digest: subject.digest,
    subject_artifact_repo: repository.name,
    digest: manifest.digest,
    size: manifest.size,
    type: manifest.artifactType ?? 'subject.accessory',
    creation_time: manifest.pushedAt,
  }));

function listArtifacts(call: HarborCall, project: string, encoded: string): void {
  const repository = visibleRepository(call, project, encoded);
  const artifacts = call.context.metadata.manifests(repository.id).filter(({ subject }) => subject === undefined);
  sendPage(call.exchange, artifacts, (manifest) => artifactView(call, repository, manifest));
}

function getArtifact(call: HarborCall, ...parts: [string, string, string]): void {
  const { repository, manifest } = visibleArtifact(call, ...parts);
  sendJson(call.exchange, 200, artifactView(call, repository, manifest));
}

async function deleteArtifact(call: HarborCall, ...parts: [string, string, string]): Promise<void> {
  const { repository, manifest } = visibleArtifact(call, ...parts);
  if (!may(call, repository.project, 'delete')) throw new OciError('DENIED', 'forbidden');
  await removeReference(call.context, repository, manifest.digest);
  sendEmpty(call.exchange, 200);
}

function listArtifactTags(call: HarborCall, ...parts: [string, string, string]): void {
  const { repository, manifest } = visibleArtifact(call, ...parts);
  sendPage(call.exchange, tagViews(call, repository, manifest), (tag) => tag);
}

function listAccessories(call: HarborCall, ...parts: [string, string, string]): void {
  const { repository, manifest } = visibleArtifact(call, ...parts);
  sendPage(call.exchange, accessoryViews(call, repository, manifest), (accessory) => accessory);
}

async function getVulnerabilities(call: HarborCall, ...parts: [string, string, string]): Promise<void> {
  const { repository, manifest } = visibleArtifact(call, ...parts);
  const { options } = call.context;
  const report = await options.vulnerabilities?.read({ registry: options.name, repository: repository.name, digest: manifest.digest });
  // Harbor answers an unscanned artifact with an empty object, not with 404.
  sendJson(call.exchange, 200, report ? { 'application/vnd.security.vulnerability.report; version=1.1': report } : {});
}

// Robots

const NewRobot = z.object({
  name: z.string(),
  level: z.literal('project', 'robots of this registry belong to one project: level must be "project"'),
  duration: z.number().int().min(-1).max(36_500).default(-1),
  permissions: z
    .array(
      z.object({
        kind: z.literal('project').default('project'),
        namespace: z.string(),
        access: z.array(z.object({ resource: z.string(), action: z.string(), effect: z.literal('allow').optional() })).min(1),
      }),
    )
    .length(1, 'exactly one project'),
});

const robotActions = new Map<string, RegistryAction>([
  ['repository:pull', 'pull'],
  ['repository:push', 'push'],
  ['repository:delete', 'delete'],
  ['artifact:delete', 'delete'],
]);

const robotView = (robot: Robot) => ({
  id: robot.id,
  name: robot.name,
  level: 'project',
  disable: false,
  editable: true,
  duration: -1,
  expires_at: robot.expiresAt === undefined ? -1 : Math.floor(Date.parse(robot.expiresAt) / 1000),
  permissions: [
    {
      kind: 'project',
      namespace: robot.project,
      access: robot.actions.map((action) => ({ resource: 'repository', action, effect: 'allow' })),
    },
  ],
});

const administered = (call: HarborCall) =>
  call.context.metadata
    .robots(call.context.options.name)
    .filter((robot) => call.context.gate.mayAdminister(call.caller.principal, robot.project));

function listRobots(call: HarborCall): void {
  sendPage(call.exchange, administered(call), robotView);
}

async function postRobot(call: HarborCall): Promise<void> {
  const { context, exchange } = call;
  const wanted = await readJson(exchange, NewRobot);
  const [{ namespace, access }] = wanted.permissions as [(typeof wanted.permissions)[number]];
  demandAdministrator(call, namespace);
  const actions = access.map(({ resource, action }) => {
    const known = robotActions.get(`${resource}:${action}`);
    if (!known) throw new OciError('BAD_REQUEST', `A robot cannot be given ${resource.slice(0, 60)}:${action.slice(0, 60)} here.`);
    return known;
  });
  if (context.metadata.robot(context.options.name, `robot$${namespace}+${wanted.name}`))
    throw new OciError('CONFLICT', `robot ${wanted.name} already exists`);
  const expiresAt = wanted.duration < 0 ? undefined : new Date(context.clock.now().getTime() + wanted.duration * 24 * 3600 * 1000);
  const robot = await createRobot(context, { project: namespace, name: wanted.name, actions: [...new Set(actions)], expiresAt });
  sendJson(
    exchange,
    201,
    {
      id: robot.id,
      name: robot.name,
      secret: robot.secret,
      creation_time: context.clock.now().toISOString(),
      expires_at: robotView(robot).expires_at,
    },
    { location: `/api/v2.0/robots/${robot.id}` },
  );
}

function findRobot(call: HarborCall, id: string): Robot {
  const robot = administered(call).find((one) => String(one.id) === id);
  if (!robot) throw notFound(`robot ${id.slice(0, 40)}`);
  return robot;
}

function getRobot(call: HarborCall, id: string): void {
  sendJson(call.exchange, 200, robotView(findRobot(call, id)));
}

async function deleteRobot(call: HarborCall, id: string): Promise<void> {
  await call.context.metadata.deleteRobot(call.context.options.name, findRobot(call, id).name);
  sendEmpty(call.exchange, 200);
}

function currentUser(call: HarborCall): void {
  const { name, kind } = call.caller.principal;
  sendJson(call.exchange, 200, { username: name, sysadmin_flag: kind === 'platform' });
}

// Shared by the endpoints above

async function readJson<T extends z.ZodType>(exchange: Exchange, schema: T): Promise<z.infer<T>> {
  const text = (await readBody(exchange.request, 64 * 1024)).toString('utf8');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new OciError('BAD_REQUEST', 'The body is no JSON text.', { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new OciError('BAD_REQUEST', `${issue?.path.join('.') || 'The body'}: ${issue?.message}`);
}

/** Harbor's paging: `page` from 1, `page_size` 10 to at most 100, `X-Total-Count`. */
function sendPage<T>(exchange: Exchange, all: readonly T[], view: (one: T) => unknown): void {
  const number = (key: string, fallback: number, most: number) => {
    const text = exchange.query.get(key);
    if (text === null) return fallback;
    if (!/^[1-9]\d{0,8}$/.test(text) || Number(text) > most) throw new OciError('BAD_REQUEST', `${key} must be a number from 1 to ${most}`);
    return Number(text);
  };
  const page = number('page', 1, 1e9);
  const size = number('page_size', 10, 100);
  const shown = all.slice((page - 1) * size, page * size).map(view);
  sendJson(exchange, 200, shown, { 'x-total-count': all.length });
}

import { z } from 'zod';
import { isRepositoryPath, type RepositoryPath } from '../repository-path.ts';
import { accessLevels } from './access-level.ts';
import { type ApiCall, count, demandOnProject, findProject, now, pathSegment, type Route, title, visibility } from './call.ts';
import type { GroupRow, ProjectRow } from './directory.ts';
import { ApiRefusal, type ApiReply, badParameter, created, notFound, ok, page, parse } from './wire.ts';

/** Projects (GitLab's API documentation, "Projects"). */
export const projectRoutes: readonly Route[] = [
  ['GET', '/projects', listProjects],
  ['POST', '/projects', createProject],
  ['GET', '/projects/:id', getProject],
  ['PUT', '/projects/:id', changeProject],
];

export async function projectView({ context, account }: ApiCall, project: ProjectRow) {
  const namespace = context.directory.group(project.namespace) as GroupRow;
  const branch = await context.reader(project.fullPath as RepositoryPath).defaultBranch();
  return {
    id: project.id,
    description: null,
    name: project.name,
    name_with_namespace: [...context.directory.lineage(namespace.id).map(({ name }) => name)].reverse().concat(project.name).join(' / '),
    path: project.path,
    path_with_namespace: project.fullPath,
    created_at: project.createdAt,
    default_branch: branch ?? 'main',
    empty_repo: branch === undefined,
    http_url_to_repo: `${context.url}/${project.fullPath}.git`,
    web_url: `${context.url}/${project.fullPath}`,
    namespace: {
      id: namespace.id,
      name: namespace.name,
      path: namespace.path,
      kind: 'group',
      full_path: namespace.fullPath,
      parent_id: namespace.parent,
    },
    archived: false,
    visibility: project.visibility,
    permissions: { project_access: permission(context.access.onProject(account, project)), group_access: null },
  };
}

const permission = (level: number) => (level > 0 ? { access_level: Math.min(level, accessLevels.owner) } : null);

async function listProjects(call: ApiCall): Promise<ApiReply> {
  const { context, account, query } = call;
  const wanted = (query.get('search') ?? '').toLowerCase();
  const membership = query.get('membership') === 'true';
  const found = context.directory.projects().filter((project) => {
    if (!project.path.toLowerCase().includes(wanted) || !context.access.seesProject(account, project)) return false;
    return !membership || context.access.onProject(account, project) > 0;
  });
  const shown = page(found, query, (project) => project);
  return { ...shown, body: await Promise.all((shown.body as ProjectRow[]).map((project) => projectView(call, project))) };
}

async function getProject(call: ApiCall, id: string): Promise<ApiReply> {
  return ok(await projectView(call, findProject(call, id)));
}

const NewProject = z.object({
  name: title.optional(),
  path: pathSegment.optional(),
  namespace_id: count,
  visibility: visibility.optional(),
  initialize_with_readme: z.unknown().optional(),
});

/** A developer of a group may make projects in it, as GitLab's default is for maintainers; here: maintainers and above. */
async function createProject(call: ApiCall): Promise<ApiReply> {
  const { context, account } = call;
  const wanted = parse(NewProject, call.parameters);
  const path = wanted.path ?? pathSegment.safeParse(wanted.name).data;
  const name = wanted.name ?? wanted.path;
  if (!path || !name) throw badParameter('name, path are missing, at least one parameter must be provided');
  if (wanted.initialize_with_readme === true || wanted.initialize_with_readme === 'true')
    throw badParameter('initialize_with_readme is not served here: push the first commit');
  const namespace = context.directory.group(wanted.namespace_id);
  if (!namespace || !context.access.seesGroup(account, namespace)) throw notFound('Namespace');
  if (context.access.onGroup(account, namespace) < accessLevels.maintainer)
    throw new ApiRefusal(400, { message: { namespace: ['is not valid'] } });
  const full = `${namespace.fullPath}/${path}`;
  if (!isRepositoryPath(full)) throw new ApiRefusal(400, { message: { path: ['is too long or too deep'] } });
  if (context.directory.projectAt(full)) throw taken();
  // The repository first: a project is whole from the moment that it can be seen.
  await context.createRepository(full);
  const project = context.directory.addProject(namespace, { path, name, visibility: internal(wanted.visibility) }, now(call));
  if (!project) throw taken();
  return created(await projectView(call, project));
}

const taken = () => {
  const words = ['has already been taken'];
  return new ApiRefusal(400, { message: { 'project_namespace.name': words, name: words, path: words } });
};

const internal = (text: string | undefined): ProjectRow['visibility'] => (text === 'internal' ? 'internal' : 'private');

const Change = z.object({ visibility: visibility.optional() });

/** Only the visibility can be changed here; the default branch is the first one pushed. */
async function changeProject(call: ApiCall, id: string): Promise<ApiReply> {
  const project = findProject(call, id);
  demandOnProject(call, project, accessLevels.maintainer);
  const wanted = parse(Change, call.parameters);
  if (wanted.visibility === undefined) throw badParameter('visibility is missing');
  call.context.directory.setVisibility(project.id, internal(wanted.visibility));
  return ok(await projectView(call, call.context.directory.project(project.id) as ProjectRow));
}

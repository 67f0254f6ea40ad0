import { z } from 'zod';
import { OciError } from '../../errors.ts';
import { isRepositoryName } from '../../names.ts';
import type { Project } from '../types.ts';
import { sendEmpty, sendJson } from '../wire.ts';
import {
  administeredProject,
  demandAdministrator,
  type HarborCall,
  type HarborRoute,
  may,
  notFound,
  readJson,
  sendPage,
  visibleProject,
} from './call.ts';

/** Projects and their tag immutability (Harbor's swagger.yaml, tags "project" and "immutable"). */
export const projectRoutes: readonly HarborRoute[] = [
  ['GET', '/projects', listProjects],
  ['HEAD', '/projects', headProject],
  ['POST', '/projects', createProject],
  ['GET', '/projects/:project', getProject],
  ['PUT', '/projects/:project', changeProject],
  ['GET', '/projects/:project/immutabletagrules', listRules],
  ['POST', '/projects/:project/immutabletagrules', addRule],
  ['DELETE', '/projects/:project/immutabletagrules/:rule', removeRule],
];

function projectView({ context, caller }: HarborCall, project: Project) {
  const { metadata, options, gate } = context;
  const role = metadata.member(options.name, project.name, caller.principal.name)?.role;
  return {
    project_id: metadata.projectNumber(options.name, project.name),
    name: project.name,
    creation_time: project.createdAt,
    repo_count: metadata.repositories(options.name).filter((repository) => repository.project === project.name).length,
    current_user_role_id: role ?? (gate.mayAdminister(caller.principal, project.name) ? 1 : 0),
    metadata: { ...project.metadata, public: 'false' },
  };
}

function listProjects(call: HarborCall): void {
  const { metadata, options } = call.context;
  const wanted = call.exchange.query.get('name') ?? '';
  const visible = metadata.projects(options.name).filter(({ name }) => name.includes(wanted) && may(call, name, 'pull'));
  sendPage(call.exchange, visible, (project) => projectView(call, project));
}

function headProject(call: HarborCall): void {
  visibleProject(call, call.exchange.query.get('project_name') ?? '');
  sendEmpty(call.exchange, 200);
}

function getProject(call: HarborCall, name = ''): void {
  sendJson(call.exchange, 200, projectView(call, visibleProject(call, name)));
}

/** Harbor's metadata are strings. What would open a project, or ask for what is not here, is refused. */
const truth = z.enum(['true', 'false']);
const ProjectMetadata = z.strictObject({
  public: z.literal('false', 'projects of this registry are private').optional(),
  prevent_vul: truth.optional(),
  auto_scan: truth.optional(),
  reuse_sys_cve_allowlist: truth.optional(),
  severity: z.enum(['none', 'low', 'medium', 'high', 'critical']).optional(),
});
const NewProject = z.object({
  project_name: z.string(),
  public: z.literal(false, 'projects of this registry are private').nullish(),
  metadata: ProjectMetadata.optional(),
});
const ChangedProject = z.object({ metadata: ProjectMetadata });

async function createProject(call: HarborCall): Promise<void> {
  const { context, exchange } = call;
  const { project_name: name, metadata = {} } = await readJson(exchange, NewProject);
  demandAdministrator(call, name);
  if (!isRepositoryName(name) || name.includes('/'))
    throw new OciError('BAD_REQUEST', `${JSON.stringify(name.slice(0, 100))} is no project name.`);
  const added = await context.metadata.addProject(context.options.name, name, given(metadata), context.clock.now().toISOString());
  if (!added) throw new OciError('CONFLICT', `The project named ${name} already exists`);
  sendEmpty(exchange, 201, { location: `/api/v2.0/projects/${context.metadata.projectNumber(context.options.name, name)}` });
}

async function changeProject(call: HarborCall, key = ''): Promise<void> {
  const project = administeredProject(call, key);
  const { metadata } = await readJson(call.exchange, ChangedProject);
  await call.context.metadata.setProjectMetadata(call.context.options.name, project.name, { ...project.metadata, ...given(metadata) });
  sendEmpty(call.exchange, 200);
}

const given = (metadata: z.infer<typeof ProjectMetadata>): Record<string, string> =>
  Object.fromEntries(Object.entries(metadata).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

// Tag immutability: one rule that covers every tag of the project, or none.

const everything = (kind: string, decoration: string) =>
  z.array(z.object({ kind: z.literal(kind), decoration: z.literal(decoration), pattern: z.literal('**') })).length(1);
const NewRule = z.object({
  disabled: z.literal(false).default(false),
  action: z.literal('immutable').default('immutable'),
  template: z.literal('immutable_template').default('immutable_template'),
  tag_selectors: everything('doublestar', 'matches'),
  scope_selectors: z.object({ repository: everything('doublestar', 'repoMatches') }),
});

/** The rule's number is its project's. */
const ruleView = (number: number) => ({
  id: number,
  priority: 0,
  disabled: false,
  action: 'immutable',
  template: 'immutable_template',
  tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: '**' }],
  scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
});

const rulesOf = ({ context }: HarborCall, project: Project): number[] =>
  project.tags === 'immutable' ? [context.metadata.projectNumber(context.options.name, project.name)] : [];

function listRules(call: HarborCall, key = ''): void {
  sendPage(call.exchange, rulesOf(call, administeredProject(call, key)), ruleView);
}

async function addRule(call: HarborCall, key = ''): Promise<void> {
  const project = administeredProject(call, key);
  await readJson(call.exchange, NewRule);
  if (project.tags === 'immutable') throw new OciError('CONFLICT', 'an immutable tag rule of the same content already exists');
  const { metadata, options } = call.context;
  await metadata.setTags(options.name, project.name, 'immutable');
  const number = metadata.projectNumber(options.name, project.name);
  sendEmpty(call.exchange, 201, { location: `/api/v2.0/projects/${number}/immutabletagrules/${number}` });
}

async function removeRule(call: HarborCall, key = '', rule = ''): Promise<void> {
  const project = administeredProject(call, key);
  if (!rulesOf(call, project).map(String).includes(rule)) throw notFound(`immutable tag rule ${rule.slice(0, 40)}`);
  await call.context.metadata.setTags(call.context.options.name, project.name, 'mutable');
  sendEmpty(call.exchange, 200);
}

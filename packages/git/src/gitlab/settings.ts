import { z } from 'zod';
import { accessLevels, describeTagLevel, type TagLevel, tagLevels } from './access-level.ts';
import { type ApiCall, count, demandOnProject, findProject, flag, idOf, now, type Route } from './call.ts';
import type { HookRow, ProjectRow, TagRuleRow } from './directory.ts';
import { ApiRefusal, type ApiReply, created, noContent, notFound, ok, page, parse } from './wire.ts';

/** A project's protected tags and webhooks: its maintainers' (GitLab's API documentation, "Protected tags", "Project webhooks"). */
export const settingRoutes: readonly Route[] = [
  ['GET', '/projects/:id/protected_tags', listTagRules],
  ['POST', '/projects/:id/protected_tags', addTagRule],
  ['GET', '/projects/:id/protected_tags/:name', getTagRule],
  ['DELETE', '/projects/:id/protected_tags/:name', removeTagRule],
  ['GET', '/projects/:id/hooks', listHooks],
  ['POST', '/projects/:id/hooks', addHook],
  ['GET', '/projects/:id/hooks/:hook', getHook],
  ['PUT', '/projects/:id/hooks/:hook', changeHook],
  ['DELETE', '/projects/:id/hooks/:hook', removeHook],
];

function administered(call: ApiCall, id: string): ProjectRow {
  const project = findProject(call, id);
  demandOnProject(call, project, accessLevels.maintainer);
  return project;
}

// Protected tags. What they protect from, moving and deleting, no tag of this host is ever open to: see push-rules.ts.

const tagRuleView = (rule: TagRuleRow) => ({
  name: rule.name,
  create_access_levels: [{ id: rule.id, access_level: rule.level, access_level_description: describeTagLevel[rule.level] }],
});

function listTagRules(call: ApiCall, id: string): ApiReply {
  return page(call.context.directory.tagRules(administered(call, id).id), call.query, tagRuleView);
}

const NewTagRule = z.object({
  name: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[\w./+*-]+$/),
  create_access_level: count
    .default(accessLevels.maintainer)
    .refine((value) => (tagLevels as readonly number[]).includes(value), 'does not have a valid value'),
  allowed_to_create: z.undefined('is not served here: use create_access_level').optional(),
});

function addTagRule(call: ApiCall, id: string): ApiReply {
  const project = administered(call, id);
  const wanted = parse(NewTagRule, call.parameters);
  const rule = call.context.directory.addTagRule(project.id, wanted.name, wanted.create_access_level as TagLevel);
  if (!rule) throw new ApiRefusal(422, { message: ['Name has already been taken'] });
  return created(tagRuleView(rule));
}

function tagRule(call: ApiCall, project: ProjectRow, name: string): TagRuleRow {
  const rule = call.context.directory.tagRules(project.id).find((one) => one.name === name);
  if (!rule) throw notFound('');
  return rule;
}

function getTagRule(call: ApiCall, id: string, name: string): ApiReply {
  return ok(tagRuleView(tagRule(call, administered(call, id), name)));
}

function removeTagRule(call: ApiCall, id: string, name: string): ApiReply {
  const project = administered(call, id);
  call.context.directory.removeTagRule(project.id, tagRule(call, project, name).name);
  return noContent;
}

// Webhooks. The token is written and never read.

const maxHooks = 100;

const hookView = (hook: HookRow) => ({
  id: hook.id,
  url: hook.url,
  created_at: hook.createdAt,
  push_events: hook.pushEvents,
  tag_push_events: hook.tagPushEvents,
  enable_ssl_verification: hook.verifyTls,
  project_id: hook.project,
  alert_status: 'executable',
});

/** Printable, so that it can stand in a header. */
const token = z
  .string()
  .max(255)
  .regex(/^[\x21-\x7e]*$/);
const hookUrl = z.string().max(2048);
const unserved = z.union([z.literal(false), z.literal('false'), z.null()], 'is not served here').optional();
const others = Object.fromEntries(
  ['issues_events', 'merge_requests_events', 'note_events', 'job_events', 'pipeline_events', 'wiki_page_events', 'releases_events'].map(
    (name) => [name, unserved],
  ),
);
const NewHook = z.object({
  url: hookUrl,
  token: token.default(''),
  push_events: flag.default(true),
  tag_push_events: flag.default(false),
  enable_ssl_verification: flag.default(true),
  ...others,
});
const HookChange = z.object({
  url: hookUrl.optional(),
  token: token.optional(),
  push_events: flag.optional(),
  tag_push_events: flag.optional(),
  enable_ssl_verification: flag.optional(),
  ...others,
});

/** @throws ApiRefusal 422 for what is no HTTP address, or carries credentials */
function checkUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !['http:', 'https:'].includes(parsed.protocol) || parsed.username || parsed.password)
    throw new ApiRefusal(422, { error: 'Invalid url given' });
  return url;
}

function listHooks(call: ApiCall, id: string): ApiReply {
  return page(call.context.directory.hooks(administered(call, id).id), call.query, hookView);
}

function addHook(call: ApiCall, id: string): ApiReply {
  const project = administered(call, id);
  const wanted = parse(NewHook, call.parameters);
  if (call.context.directory.hooks(project.id).length >= maxHooks)
    throw new ApiRefusal(422, { error: `Maximum number of project hooks (${maxHooks}) exceeded` });
  const hook = call.context.directory.addHook({
    project: project.id,
    url: checkUrl(wanted.url),
    token: wanted.token,
    pushEvents: wanted.push_events,
    tagPushEvents: wanted.tag_push_events,
    verifyTls: wanted.enable_ssl_verification,
    createdAt: now(call),
  });
  return created(hookView(hook));
}

function hookOf(call: ApiCall, id: string, hook: string): HookRow {
  const project = administered(call, id);
  const found = call.context.directory.hook(idOf(hook, 'hook_id'));
  if (found?.project !== project.id) throw notFound('');
  return found;
}

function getHook(call: ApiCall, id: string, hook: string): ApiReply {
  return ok(hookView(hookOf(call, id, hook)));
}

function changeHook(call: ApiCall, id: string, hook: string): ApiReply {
  const found = hookOf(call, id, hook);
  const wanted = parse(HookChange, call.parameters);
  const changed: HookRow = {
    ...found,
    ...(wanted.url === undefined ? {} : { url: checkUrl(wanted.url) }),
    ...(wanted.token === undefined ? {} : { token: wanted.token }),
    ...(wanted.push_events === undefined ? {} : { pushEvents: wanted.push_events }),
    ...(wanted.tag_push_events === undefined ? {} : { tagPushEvents: wanted.tag_push_events }),
    ...(wanted.enable_ssl_verification === undefined ? {} : { verifyTls: wanted.enable_ssl_verification }),
  };
  call.context.directory.changeHook(changed);
  return ok(hookView(changed));
}

function removeHook(call: ApiCall, id: string, hook: string): ApiReply {
  call.context.directory.removeHook(hookOf(call, id, hook).id);
  return noContent;
}

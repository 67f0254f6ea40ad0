import { compareInstallOrder } from '@desp/chart';
import { isKubeError, type Job, type KubeClient, type KubeObject, type Pod, type ResourceType } from '@desp/kube';
import type { Clock } from '@desp/runtime';
import { locate } from './downstream.ts';
import { hookRunAnnotation } from './marks.ts';
import { type HookRun, hookKey, type Release, type ReleaseHook } from './release.ts';

/**
 * Runs the hooks of one event, in order, each to its end before the next begins (procedure 3.6.4.1; Helm `pkg/action/hooks.go`).
 *
 * Nothing here waits: each call does what can be done now and says what it waits for. What has run stands in the release's
 * `hookRuns`, and a hook's object carries the run that it belongs to, so that after a kill at any point the next call neither
 * skips a hook nor runs one twice.
 */
export interface HookContext {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** For each hook to end. */
  readonly timeoutMs: number;
  /** Makes the release's new state durable before anything is done on the strength of it. */
  save(release: Release): Promise<Release>;
}

export type HookOutcome =
  | { readonly kind: 'done'; readonly release: Release }
  | { readonly kind: 'waiting'; readonly release: Release; readonly reason: string }
  | { readonly kind: 'failed'; readonly release: Release; readonly message: string };

export async function runHooks(release: Release, event: string, context: HookContext): Promise<HookOutcome> {
  const hooks = orderHooks(release.hooks, event);
  let current = release;
  for (const [index, hook] of hooks.entries()) {
    const outcome = await runHook(current, event, hook, context);
    current = outcome.release;
    if (outcome.kind === 'waiting') return outcome;
    if (outcome.kind === 'failed') {
      await deleteBy('hook-failed', current, event, [hook], context);
      await deleteBy('hook-succeeded', current, event, hooks.slice(0, index), context);
      return outcome;
    }
  }
  // Helm deletes what succeeded when all have, so that a later hook may use what an earlier one made.
  await deleteBy('hook-succeeded', current, event, hooks, context);
  return { kind: 'done', release: current };
}

/** By weight, then name, then kind in install order (Helm sorts by kind first, stably, and then by weight and name). */
export function orderHooks(hooks: readonly ReleaseHook[], event: string): ReleaseHook[] {
  return hooks
    .filter((hook) => hook.events.includes(event))
    .sort((a, b) => a.weight - b.weight || (a.name < b.name ? -1 : a.name > b.name ? 1 : compareInstallOrder(a.kind, b.kind)));
}

const runIdOf = (release: Release, event: string): string => `${release.namespace}/${release.name}.v${release.version}/${event}`;
const policiesOf = (hook: ReleaseHook): readonly string[] =>
  hook.deletePolicies.length > 0 ? hook.deletePolicies : ['before-hook-creation'];

async function runHook(release: Release, event: string, hook: ReleaseHook, context: HookContext): Promise<HookOutcome> {
  const { client, clock } = context;
  const key = hookKey(event, hook);
  const run = release.hookRuns[key];
  if (run?.phase === 'Succeeded') return { kind: 'done', release };
  const [located] = await locate(client, [hook.object]);
  const { type } = located!;
  const { name, namespace } = hook.object.metadata;
  const live = await client.get(type, name, namespace);
  const runId = runIdOf(release, event);
  const isOurs = live?.metadata.annotations?.[hookRunAnnotation] === runId;
  if (live && (!isOurs || live.metadata.deletionTimestamp)) {
    if (!isOurs && !policiesOf(hook).includes('before-hook-creation')) {
      return fail(release, event, hook, `${type.plural}${type.group ? `.${type.group}` : ''} "${name}" already exists`, context);
    }
    if (!live.metadata.deletionTimestamp) await remove(client, type, live);
    if ((await client.get(type, name, namespace))?.metadata.uid === live.metadata.uid) {
      return { kind: 'waiting', release, reason: `waits until the former ${hook.kind} ${name} is gone` };
    }
  }
  const now = clock.now();
  const current = run ? release : await setRun(release, key, { startedAt: now.toISOString(), phase: 'Running' }, context);
  const startedAt = Date.parse(current.hookRuns[key]!.startedAt);
  let object = isOurs && !live.metadata.deletionTimestamp ? live : undefined;
  if (!object) {
    try {
      object = await client.patch(type, name, namespace, withRunId(hook.object, runId), {
        kind: 'apply',
        fieldManager: 'fleet',
        force: true,
      });
    } catch (error) {
      if (!isKubeError(error) || error.retryable) throw error;
      return fail(current, event, hook, error.message, context);
    }
  }
  const state = stateOf(object);
  if (state.kind === 'succeeded') {
    return {
      kind: 'done',
      release: await setRun(
        current,
        key,
        { startedAt: current.hookRuns[key]!.startedAt, completedAt: now.toISOString(), phase: 'Succeeded' },
        context,
      ),
    };
  }
  const resource = `resource ${hook.kind}/${namespace ?? ''}/${name} not ready.`;
  if (state.kind === 'failed') return fail(current, event, hook, `${resource} status: Failed, message: ${state.message}`, context);
  if (now.getTime() - startedAt > context.timeoutMs) {
    return fail(current, event, hook, `${resource} status: InProgress, message: ${state.message}\ncontext deadline exceeded`, context);
  }
  return { kind: 'waiting', release: current, reason: `${event} hook ${hook.kind} ${name}: ${state.message}` };
}

async function fail(release: Release, event: string, hook: ReleaseHook, why: string, context: HookContext): Promise<HookOutcome> {
  const key = hookKey(event, hook);
  const at = context.clock.now().toISOString();
  const failed = await setRun(
    release,
    key,
    { startedAt: release.hookRuns[key]?.startedAt ?? at, completedAt: at, phase: 'Failed' },
    context,
  );
  return { kind: 'failed', release: failed, message: `failed ${event}: ${why}` };
}

function setRun(release: Release, key: string, run: HookRun, context: HookContext): Promise<Release> {
  return context.save({ ...release, hookRuns: { ...release.hookRuns, [key]: run } });
}

const withRunId = (object: KubeObject, runId: string): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [hookRunAnnotation]: runId } },
});

/** Deletes the objects of these hooks that carry the policy; of this run only, for another run's is not ours to judge. */
async function deleteBy(
  policy: string,
  release: Release,
  event: string,
  hooks: readonly ReleaseHook[],
  { client }: HookContext,
): Promise<void> {
  for (const hook of hooks.filter((each) => policiesOf(each).includes(policy))) {
    const [located] = await locate(client, [hook.object]);
    const { name, namespace } = hook.object.metadata;
    const live = await client.get(located!.type, name, namespace);
    if (live?.metadata.annotations?.[hookRunAnnotation] !== runIdOf(release, event) || live.metadata.deletionTimestamp) continue;
    await remove(client, located!.type, live);
  }
}

async function remove(client: KubeClient, type: ResourceType, { metadata }: KubeObject): Promise<void> {
  await client.delete(type, metadata.name, metadata.namespace, metadata.uid === undefined ? {} : { uid: metadata.uid });
}

type HookState = { readonly kind: 'succeeded' } | { readonly kind: 'running' | 'failed'; readonly message: string };

/** Jobs and Pods run to an end; anything else is done when it is there. Messages are kstatus's. */
function stateOf(object: KubeObject): HookState {
  if (object.kind === 'Job') {
    const { spec, status } = object as Job;
    const isTrue = (type: string): boolean =>
      status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
    if (isTrue('Complete')) return { kind: 'succeeded' };
    if (isTrue('Failed')) return { kind: 'failed', message: `Job Failed. failed: ${status?.failed ?? 0}/${spec.completions ?? 1}` };
    return { kind: 'running', message: 'Job in progress' };
  }
  if (object.kind === 'Pod') {
    const { status } = object as Pod;
    if (status?.phase === 'Succeeded') return { kind: 'succeeded' };
    if (status?.phase === 'Failed') return { kind: 'failed', message: `Pod ${object.metadata.name} failed` };
    return { kind: 'running', message: `Pod is ${(status?.phase ?? 'Pending').toLowerCase()}` };
  }
  return { kind: 'succeeded' };
}

import { type Container, type Handler, isKubeError, type Pod, type PodStatus, podType } from '@desp/kube';
import { type Clock, messageOf } from '@desp/runtime';
import { canonicalJson } from '../workloads/parts.ts';
import type { EngineContainer } from './engine.ts';
import { NodeError } from './errors.ts';
import { type HandlerTarget, handle } from './handler.ts';
import { attemptOf, attemptsOf, containerLabel, sandboxName, uidLabel } from './labels.ts';
import { type NodeContext, sourcesOf, startContainer, startSandbox, terminationMessage } from './pod-parts.ts';
import { type ContainerView, isInitDone, isSidecar, type PodView, podStatus, type Waiting } from './pod-status.ts';
import { refusalOf } from './refusals.ts';
import type { ReadyVolume } from './volumes.ts';

/** Waits between the starts of a container that keeps ending: 10 s, doubling, at most 5 min; forgotten after 10 min of running. */
export const restartBackOff = { baseMs: 10_000, mostMs: 300_000, forgetMs: 600_000 };
/** A hook after the start may take so long. */
export const hookMs = 30_000;
/** How often files made from objects are looked at again when no change was seen. */
const refreshMs = 60_000;

/** What the node remembers of pods between two looks; all of it may be lost without harm. */
export interface SyncMemory {
  /** Containers that the node ended. */
  readonly killed: Set<string>;
}

/** Brings one pod's containers to what its spec wants and writes its status. Returns when to look again, in milliseconds. */
export async function syncPod(
  context: NodeContext,
  memory: SyncMemory,
  pod: Pod,
  containers: readonly EngineContainer[],
): Promise<number | undefined> {
  if (pod.metadata.deletionTimestamp !== undefined) return terminate(context, memory, pod, containers);
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') {
    await finish(context, pod, containers);
    return undefined;
  }
  const deadline = await enforceDeadline(context, memory, pod, containers);
  if (deadline === 'over') return undefined;
  const look = new PodRun(context, memory, pod, containers);
  const refusal = refusalOf(pod);
  if (refusal === undefined) await look.advance();
  else look.refuse(refusal);
  await look.writeStatus();
  return Math.min(look.recheckMs, deadline ?? Number.POSITIVE_INFINITY, refreshMs);
}

/** One look at one pod: decides and acts container by container, and keeps why each is not running. */
class PodRun {
  recheckMs = Number.POSITIVE_INFINITY;
  readonly #context: NodeContext;
  readonly #memory: SyncMemory;
  readonly #pod: Pod;
  readonly #waiting = new Map<string, Waiting>();
  readonly #attempts = new Map<string, EngineContainer[]>();
  #sandbox: EngineContainer | undefined;
  #podIp: string | undefined;
  #volumes: ReadonlyMap<string, ReadyVolume> = new Map();

  constructor(context: NodeContext, memory: SyncMemory, pod: Pod, containers: readonly EngineContainer[]) {
    this.#context = context;
    this.#memory = memory;
    this.#pod = pod;
    for (const { name } of this.#all()) this.#attempts.set(name, attemptsOf(containers, name));
    this.#sandbox = attemptsOf(containers, sandboxName)[0];
    this.#podIp = this.#sandbox?.state === 'running' ? this.#sandbox.addresses[context.network] : undefined;
  }

  #all(): Container[] {
    return [...(this.#pod.spec.initContainers ?? []), ...this.#pod.spec.containers];
  }

  refuse(reason: string): void {
    for (const { name } of this.#pod.spec.containers) this.#waiting.set(name, { reason: 'CreateContainerConfigError', message: reason });
    this.#context.recorder.event(this.#pod, 'Warning', 'Failed', `Error: ${reason}`);
  }

  async advance(): Promise<void> {
    try {
      this.#volumes = await this.#context.volumes.prepare(sourcesOf(this.#context, this.#pod, this.#podIp));
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      this.#context.recorder.event(this.#pod, 'Warning', 'FailedMount', error.message);
      this.recheckMs = 2000;
      // What runs goes on with the files that it has.
      if (![...this.#attempts.values()].some(([latest]) => latest?.state === 'running')) return;
    }
    await this.#ensureSandbox();
    for (const container of this.#pod.spec.initContainers ?? []) {
      await this.#advanceContainer(
        container,
        isSidecar(container) ? 'Always' : this.#pod.spec.restartPolicy === 'Never' ? 'Never' : 'OnFailure',
      );
      if (!isInitDone(this.#view(container))) {
        for (const { name } of this.#pod.spec.containers) this.#waiting.set(name, { reason: 'PodInitializing' });
        this.#syncProbes();
        return;
      }
    }
    // Independent containers start side by side.
    await Promise.all(
      this.#pod.spec.containers.map((container) => this.#advanceContainer(container, this.#pod.spec.restartPolicy ?? 'Always')),
    );
    this.#syncProbes();
  }

  async #ensureSandbox(): Promise<void> {
    if (this.#sandbox?.state === 'running' && this.#podIp !== undefined) return;
    const { engine } = this.#context;
    const attempt = this.#sandbox === undefined ? 0 : attemptOf(this.#sandbox) + 1;
    // Without its sandbox a container has no network of its own to come back to: all begin anew.
    for (const [name, attempts] of this.#attempts) {
      for (const container of attempts) {
        this.#memory.killed.add(container.id);
        await engine.remove(container.id);
      }
      this.#attempts.set(name, []);
    }
    if (this.#sandbox !== undefined) {
      this.#context.recorder.event(this.#pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
      await engine.remove(this.#sandbox.id);
    }
    try {
      await startSandbox(this.#context, this.#pod, attempt);
    } catch (error) {
      this.#context.recorder.event(this.#pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${messageOf(error)}`);
      throw error;
    }
    const found = await engine.list({ [uidLabel]: this.#pod.metadata.uid! });
    this.#sandbox = attemptsOf(found, sandboxName)[0];
    this.#podIp = this.#sandbox?.addresses[this.#context.network];
    if (this.#podIp === undefined) throw new NodeError('ENGINE_REFUSED', 'the sandbox got no address in the network of the pods');
  }

  async #advanceContainer(container: Container, policy: 'Always' | 'OnFailure' | 'Never'): Promise<void> {
    const [latest] = this.#attempts.get(container.name) ?? [];
    if (latest === undefined || latest.state === 'created') {
      if (latest !== undefined) await this.#context.engine.remove(latest.id);
      return this.#start(container, latest === undefined ? 0 : attemptOf(latest));
    }
    if (latest.state === 'running') {
      const killed = this.#context.probes.verdict(latest.id)?.killed;
      if (killed !== undefined) await this.#restart(container, latest, killed);
      return;
    }
    if (policy === 'Never' || (policy === 'OnFailure' && latest.exitCode === 0)) return;
    const wait = restartDelay(latest) - (this.#context.clock.now().getTime() - (latest.finishedAt?.getTime() ?? 0));
    if (wait <= 0) return this.#start(container, attemptOf(latest) + 1);
    const { name, namespace, uid } = this.#pod.metadata;
    const delay = Math.round(restartDelay(latest) / 1000);
    const shown = delay >= 60 ? `${Math.floor(delay / 60)}m${delay % 60}s` : `${delay}s`;
    this.#waiting.set(container.name, {
      reason: 'CrashLoopBackOff',
      message: `back-off ${shown} restarting failed container=${container.name} pod=${name}_${namespace}(${uid})`,
    });
    const message = `Back-off restarting failed container ${container.name} in pod ${name}_${namespace}(${uid})`;
    this.#context.recorder.event(this.#pod, 'Warning', 'BackOff', message, `spec.containers{${container.name}}`);
    this.recheckMs = Math.min(this.recheckMs, wait);
  }

  async #restart(container: Container, latest: EngineContainer, cause: string): Promise<void> {
    const message = `Container ${container.name} failed ${cause}, will be restarted`;
    this.#context.recorder.event(this.#pod, 'Normal', 'Killing', message, `spec.containers{${container.name}}`);
    this.#memory.killed.add(latest.id);
    const probe = cause === 'startup probe' ? container.startupProbe : container.livenessProbe;
    const grace = probe?.terminationGracePeriodSeconds ?? this.#pod.spec.terminationGracePeriodSeconds ?? 30;
    await this.#context.engine.stop(latest.id, grace);
    this.recheckMs = 0;
  }

  async #start(container: Container, attempt: number): Promise<void> {
    const { engine, images, recorder } = this.#context;
    const path = `spec.containers{${container.name}}`;
    const attempts = this.#attempts.get(container.name) ?? [];
    try {
      // A container that starts again keeps the image that was admitted for this pod.
      const image =
        attempts[0] === undefined ? await images.ensure(this.#pod, container) : { kind: 'ready' as const, imageId: attempts[0].image };
      if (image.kind === 'waiting') {
        this.#waiting.set(container.name, { reason: image.reason, message: image.message });
        this.recheckMs = Math.min(this.recheckMs, image.retryMs);
        return;
      }
      const parts = { sandbox: this.#sandbox!, podIp: this.#podIp!, imageId: image.imageId, volumes: this.#volumes };
      const id = await startContainer(this.#context, this.#pod, container, attempt, parts);
      const started = await engine.inspect(id);
      if (started !== undefined) attempts.unshift(started);
      // One before is kept for `logs --previous`; more would fill the disk.
      for (const old of attempts.splice(2)) await engine.remove(old.id);
      this.#attempts.set(container.name, attempts);
      const failed = await this.#afterStart(container, id);
      if (failed !== undefined) recorder.event(this.#pod, 'Warning', 'FailedPostStartHook', failed, path);
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      const reason = error.code === 'CONFIG' ? 'CreateContainerConfigError' : 'RunContainerError';
      this.#waiting.set(container.name, { reason, message: error.message });
      recorder.event(this.#pod, 'Warning', 'Failed', `Error: ${error.message}`, path);
      this.recheckMs = Math.min(this.recheckMs, 2000);
    }
  }

  async #afterStart(container: Container, id: string): Promise<string | undefined> {
    const hook = container.lifecycle?.postStart;
    if (hook === undefined) return undefined;
    const failure = await runHook(this.#context.clock, hook, { container, containerId: id, podIp: this.#podIp! }, hookMs);
    if (failure === undefined) return undefined;
    this.#memory.killed.add(id);
    await this.#context.engine.stop(id, 0);
    return `PostStartHook failed: ${failure}`;
  }

  #syncProbes(): void {
    const key = `${this.#pod.metadata.namespace}/${this.#pod.metadata.name}`;
    const targets = this.#all()
      .filter((container) => isSidecar(container) || this.#pod.spec.containers.includes(container))
      .flatMap((container) => {
        const [latest] = this.#attempts.get(container.name) ?? [];
        return latest?.state === 'running' && this.#podIp !== undefined
          ? [{ podKey: key, container, containerId: latest.id, podIp: this.#podIp }]
          : [];
      });
    this.#context.probes.sync(key, targets);
  }

  #view(container: Container): ContainerView {
    const attempts = this.#attempts.get(container.name) ?? [];
    const verdict = attempts[0] === undefined ? undefined : this.#context.probes.verdict(attempts[0].id);
    const started = verdict?.started ?? container.startupProbe === undefined;
    const ready = verdict?.ready ?? (started && container.readinessProbe === undefined);
    return { spec: container, attempts, waiting: this.#waiting.get(container.name), started, ready };
  }

  async writeStatus(): Promise<void> {
    const view = async (container: Container): Promise<ContainerView> => {
      const base = this.#view(container);
      const [latest] = base.attempts;
      if (latest?.state !== 'exited') return base;
      const message = await terminationMessage(this.#context, this.#pod, container.name, attemptOf(latest));
      return { ...base, message };
    };
    const pod: PodView = {
      init: await Promise.all((this.#pod.spec.initContainers ?? []).map(view)),
      main: await Promise.all(this.#pod.spec.containers.map(view)),
      podIp: this.#podIp,
      hostIp: this.#context.hostIp,
      sandboxReady: this.#sandbox?.state === 'running',
    };
    const status = podStatus(this.#pod, pod, (id) => this.#memory.killed.has(id), this.#context.clock.now());
    await putStatus(this.#context, this.#pod, status);
    if (status.phase === 'Succeeded' || status.phase === 'Failed') this.recheckMs = 0;
  }
}

/** The wait before the next start: none before the first restart. */
function restartDelay(latest: EngineContainer): number {
  const attempt = attemptOf(latest);
  const ran = (latest.finishedAt?.getTime() ?? 0) - (latest.startedAt?.getTime() ?? 0);
  if (attempt === 0 || ran > restartBackOff.forgetMs) return 0;
  return Math.min(restartBackOff.mostMs, restartBackOff.baseMs * 2 ** Math.min(attempt - 1, 10));
}

async function putStatus({ client }: NodeContext, pod: Pod, status: PodStatus): Promise<void> {
  if (canonicalJson(status) === canonicalJson(pod.status ?? {})) return;
  try {
    await client.replace(podType, { ...pod, status }, { subresource: 'status' });
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
  }
}

/** An ended pod keeps its containers for their logs; its sandbox and probes go. */
async function finish(context: NodeContext, pod: Pod, containers: readonly EngineContainer[]): Promise<void> {
  context.probes.sync(`${pod.metadata.namespace}/${pod.metadata.name}`, []);
  for (const container of containers) if (container.state === 'running') await context.engine.stop(container.id, 0);
}

async function enforceDeadline(
  context: NodeContext,
  memory: SyncMemory,
  pod: Pod,
  containers: readonly EngineContainer[],
): Promise<number | undefined | 'over'> {
  const { activeDeadlineSeconds } = pod.spec;
  if (activeDeadlineSeconds === undefined || pod.status?.startTime === undefined) return undefined;
  const left = new Date(pod.status.startTime).getTime() + activeDeadlineSeconds * 1000 - context.clock.now().getTime();
  if (left > 0) return left;
  for (const { id } of containers) memory.killed.add(id);
  await finish(context, pod, containers);
  const message = 'Pod was active on the node longer than the specified deadline';
  context.recorder.event(pod, 'Normal', 'DeadlineExceeded', message);
  await putStatus(context, pod, { ...pod.status, phase: 'Failed', reason: 'DeadlineExceeded', message });
  return 'over';
}

/** Ends a pod that is being deleted: preStop, SIGTERM, its grace, SIGKILL; then the object goes. */
async function terminate(context: NodeContext, memory: SyncMemory, pod: Pod, containers: readonly EngineContainer[]): Promise<undefined> {
  const { client, engine, recorder } = context;
  const { name, namespace, uid } = pod.metadata;
  const key = `${namespace}/${name}`;
  const grace = pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
  context.probes.sync(key, []);
  const running = containers.filter((container) => container.state === 'running');
  await Promise.all(
    [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(async (spec) => {
      const container = attemptsOf(running, spec.name)[0];
      if (container === undefined) return;
      recorder.event(pod, 'Normal', 'Killing', `Stopping container ${spec.name}`, `spec.containers{${spec.name}}`);
      memory.killed.add(container.id);
      const podIp = attemptsOf(containers, sandboxName)[0]?.addresses[context.network] ?? '';
      const spent = await beforeStop(context, pod, { container: spec, containerId: container.id, podIp }, grace);
      await engine.stop(container.id, Math.max(grace === 0 ? 0 : 1, grace - spent));
    }),
  );
  await removeAll(context, containers, uid!);
  const gone = await client.delete(podType, name, namespace, { gracePeriodSeconds: 0, uid }).catch((error) => {
    if (isKubeError(error, 'Conflict', 'NotFound')) return true;
    throw error;
  });
  context.log.debug({ pod: key, gone }, 'the pod ended');
  return undefined;
}

/** Runs preStop and says how many seconds of the grace it took. */
async function beforeStop(context: NodeContext, pod: Pod, target: HandlerTarget, grace: number): Promise<number> {
  const { container } = target;
  const hook = container.lifecycle?.preStop;
  if (hook === undefined || grace === 0) return 0;
  const started = context.clock.monotonic();
  const failure = await runHook(context.clock, hook, target, grace * 1000);
  if (failure !== undefined)
    context.recorder.event(pod, 'Warning', 'FailedPreStopHook', `PreStopHook failed: ${failure}`, `spec.containers{${container.name}}`);
  return (context.clock.monotonic() - started) / 1000;
}

/** Runs a lifecycle hook to its end. @returns what went wrong */
async function runHook(clock: Clock, hook: Handler, target: HandlerTarget, timeoutMs: number): Promise<string | undefined> {
  if (hook.sleep !== undefined) {
    await clock.sleep(Math.min(timeoutMs, hook.sleep.seconds * 1000));
    return undefined;
  }
  // Kubernetes knows the TCP hook, and does nothing for it.
  return hook.tcpSocket === undefined ? await handle(hook, target, timeoutMs, undefined) : undefined;
}

/** Removes a pod's containers (its sandbox last, for the others live in it) and folders. */
export async function removeAll(context: NodeContext, containers: readonly EngineContainer[], uid: string): Promise<void> {
  const [sandboxes, others] = [
    attemptsOf(containers, sandboxName),
    containers.filter(({ labels }) => labels[containerLabel] !== sandboxName),
  ];
  await Promise.all(others.map(({ id }) => context.engine.remove(id)));
  for (const { id } of sandboxes) await context.engine.remove(id);
  await context.volumes.remove(uid);
}

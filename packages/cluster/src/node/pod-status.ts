import type { Condition, Container, ContainerState, ContainerStatus, Pod, PodStatus } from '@desp/kube';
import { formatTime, withCondition } from '../workloads/parts.ts';
import type { EngineContainer } from './engine.ts';

/** Why a container is not running yet, in the kubelet's words. */
export interface Waiting {
  readonly reason: string;
  readonly message?: string;
}

/** What the node knows of one container of a pod. */
export interface ContainerView {
  readonly spec: Container;
  /** Its attempts, newest first. */
  readonly attempts: readonly EngineContainer[];
  readonly waiting?: Waiting;
  readonly started: boolean;
  readonly ready: boolean;
  /** What it left in its termination message file. */
  readonly message?: string;
}

export interface PodView {
  readonly init: readonly ContainerView[];
  readonly main: readonly ContainerView[];
  readonly podIp: string | undefined;
  readonly hostIp: string;
  readonly sandboxReady: boolean;
}

export const attemptLabel = 'space.desp.attempt';
/** Set on containers that the node itself ended, so that their 137 is not taken for a lack of memory. */
export type KilledByUs = (containerId: string) => boolean;

/** The status that follows from what the node sees; pure. */
export function podStatus(pod: Pod, view: PodView, killed: KilledByUs, at: Date): PodStatus {
  const now = formatTime(at);
  const before = pod.status ?? {};
  const initContainerStatuses = view.init.map((container) => containerStatus(container, killed, true));
  const containerStatuses = view.main.map((container) => containerStatus(container, killed, false));
  const initialized = view.init.every((container) => isInitDone(container));
  const phase = phaseOf(pod, view, initialized);
  const finished = phase === 'Succeeded' || phase === 'Failed';
  const unready = containerStatuses.filter(({ ready }) => !ready).map(({ name }) => name);
  const allReady = unready.length === 0 && !finished;
  const closedGates = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const status = (before.conditions ?? []).find(({ type }) => type === conditionType)?.status;
    if (status === 'True') return [];
    return [
      status === undefined
        ? `corresponding condition of pod readiness gate "${conditionType}" does not exist.`
        : `the status of pod readiness gate "${conditionType}" is not "True", but ${status}`,
    ];
  });
  const unreadyCondition = finished
    ? { reason: phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed' }
    : { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` };
  const incomplete = view.init.filter((container) => !isInitDone(container)).map(({ spec }) => spec.name);
  const wanted: Condition[] = [
    { type: 'PodReadyToStartContainers', status: view.sandboxReady && !finished ? 'True' : 'False' },
    initialized
      ? { type: 'Initialized', status: 'True', ...(phase === 'Succeeded' ? { reason: 'PodCompleted' } : {}) }
      : {
          type: 'Initialized',
          status: 'False',
          reason: 'ContainersNotInitialized',
          message: `containers with incomplete status: [${incomplete.join(' ')}]`,
        },
    !allReady
      ? { type: 'Ready', status: 'False', ...unreadyCondition }
      : closedGates.length > 0
        ? { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message: closedGates.join(', ') }
        : { type: 'Ready', status: 'True' },
    allReady ? { type: 'ContainersReady', status: 'True' } : { type: 'ContainersReady', status: 'False', ...unreadyCondition },
    { type: 'PodScheduled', status: 'True' },
  ];
  let conditions = (before.conditions ?? []).map((condition) => ({ ...condition }));
  for (const condition of wanted) conditions = withCondition(conditions, { lastProbeTime: null, ...condition }, now);
  return {
    ...before,
    phase,
    conditions,
    hostIP: view.hostIp,
    hostIPs: [{ ip: view.hostIp }],
    ...(view.podIp === undefined ? {} : { podIP: view.podIp, podIPs: [{ ip: view.podIp }] }),
    startTime: before.startTime ?? now,
    qosClass: before.qosClass ?? qosOf(pod),
    ...(initContainerStatuses.length > 0 ? { initContainerStatuses } : {}),
    containerStatuses,
  };
}

export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

export function isInitDone(view: ContainerView): boolean {
  const [latest] = view.attempts;
  if (isSidecar(view.spec)) return latest?.state === 'running' && view.started;
  return latest?.state === 'exited' && latest.exitCode === 0;
}

export function phaseOf(pod: Pod, view: PodView, initialized: boolean): PodStatus['phase'] {
  const policy = pod.spec.restartPolicy ?? 'Always';
  const failedInit = view.init.some(
    (each) => !isSidecar(each.spec) && policy === 'Never' && each.attempts[0]?.state === 'exited' && each.attempts[0].exitCode !== 0,
  );
  if (failedInit) return 'Failed';
  if (!initialized) return 'Pending';
  const latest = view.main.map(({ attempts }) => attempts[0]);
  if (latest.some((container) => container === undefined || container.state === 'created')) {
    return latest.some((container) => container?.state === 'running') ? 'Running' : 'Pending';
  }
  const ended = latest.filter((container) => container?.state === 'exited');
  if (ended.length < latest.length || policy === 'Always') return 'Running';
  if (ended.every((container) => container?.exitCode === 0)) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}

function containerStatus(view: ContainerView, killed: KilledByUs, init: boolean): ContainerStatus {
  const [latest, previous] = view.attempts;
  const terminated = (container: EngineContainer | undefined, message?: string) =>
    container?.state === 'exited' ? terminatedState(container, view.spec, killed, message) : undefined;
  const latestEnd = terminated(latest, view.message);
  const state: ContainerState =
    view.waiting !== undefined
      ? { waiting: { ...view.waiting } }
      : latest?.state === 'running'
        ? { running: { startedAt: formatTime(latest.startedAt ?? new Date(0)) } }
        : (latestEnd ?? { waiting: { reason: init ? 'PodInitializing' : 'ContainerCreating' } });
  const last = view.waiting !== undefined || latest?.state === 'running' ? (latestEnd ?? terminated(previous)) : undefined;
  const running = latest?.state === 'running' && view.waiting === undefined;
  return {
    name: view.spec.name,
    state,
    lastState: last ?? {},
    ready: init && !isSidecar(view.spec) ? latestEnd?.terminated?.exitCode === 0 : running && view.ready,
    started: running && view.started,
    restartCount: Number(latest?.labels[attemptLabel] ?? 0),
    image: view.spec.image,
    imageID: latest === undefined ? '' : `sha256:${latest.image.replace(/^sha256:/, '')}`,
    containerID: latest === undefined ? undefined : `podman://${latest.id}`,
  };
}

function terminatedState(container: EngineContainer, spec: Container, killed: KilledByUs, message: string | undefined): ContainerState {
  const { exitCode } = container;
  // The engine does not say that memory ran out; with a limit, a SIGKILL that was not ours means it.
  const outOfMemory = exitCode === 137 && spec.resources?.limits?.['memory'] !== undefined && !killed(container.id);
  return {
    terminated: {
      exitCode,
      reason: exitCode === 0 ? 'Completed' : outOfMemory ? 'OOMKilled' : 'Error',
      ...(message ? { message } : {}),
      startedAt: formatTime(container.startedAt ?? new Date(0)),
      finishedAt: formatTime(container.finishedAt ?? new Date(0)),
      containerID: `podman://${container.id}`,
    },
  };
}

/** Source: Kubernetes documentation "Pod Quality of Service Classes". */
function qosOf(pod: Pod): string {
  const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ resources }) => resources ?? {});
  const named = all.some(({ requests, limits }) =>
    Object.keys({ ...requests, ...limits }).some((name) => name === 'cpu' || name === 'memory'),
  );
  if (!named) return 'BestEffort';
  const guaranteed = all.every(({ requests = {}, limits = {} }) =>
    ['cpu', 'memory'].every((name) => limits[name] !== undefined && String(requests[name] ?? limits[name]) === String(limits[name])),
  );
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

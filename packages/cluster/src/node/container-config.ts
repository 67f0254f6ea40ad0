import type { Container, Pod } from '@desp/kube';
import type { ContainerCreateOptions } from 'dockerode';
import { parseQuantity } from '../quantity.ts';
import { expand } from './environment.ts';
import { NodeError } from './errors.ts';
import { droppedCapabilities } from './refusals.ts';

export interface ContainerConfigInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly imageId: string;
  /** The image's own user, for what the pod leaves open: a number, a name, `1000:1000`, or empty for root. */
  readonly imageUser: string;
  readonly sandboxId: string;
  readonly environment: ReadonlyMap<string, string>;
  readonly labels: Readonly<Record<string, string>>;
  /** `path on the machine`, `path in the container`, read-only. */
  readonly mounts: readonly { readonly source: string; readonly target: string; readonly readOnly: boolean }[];
}

/** Processes that one container may have: a fork without end ends here. The engine's configuration bounds open files. */
export const maxProcesses = 512;
/** Of one container; what is older goes. */
export const logBytes = 10 * 1024 * 1024;

/** The engine's configuration of a container; pure. */
export function containerConfig(input: ContainerConfigInput): ContainerCreateOptions {
  const { pod, container, environment } = input;
  const security = container.securityContext;
  const podSecurity = pod.spec.securityContext;
  const user = userOf(input);
  const limits = container.resources?.limits ?? {};
  const memory = Math.floor(parseQuantity(limits['memory'] ?? 0));
  const groups = [...(podSecurity?.supplementalGroups ?? []), ...(podSecurity?.fsGroup === undefined ? [] : [podSecurity.fsGroup])];
  const expandAll = (words: readonly string[] | undefined) => words?.map((word) => expand(word, environment));
  return {
    Image: input.imageId,
    Labels: { ...input.labels },
    Env: [...environment].map(([name, value]) => `${name}=${value}`),
    ...(container.command === undefined ? {} : { Entrypoint: expandAll(container.command) }),
    ...(container.args === undefined ? {} : { Cmd: expandAll(container.args) }),
    ...(container.workingDir === undefined ? {} : { WorkingDir: container.workingDir }),
    ...(user === undefined ? {} : { User: user }),
    ...(container.lifecycle?.stopSignal === undefined ? {} : { StopSignal: container.lifecycle.stopSignal }),
    OpenStdin: container.stdin ?? false,
    StdinOnce: container.stdinOnce ?? false,
    Tty: container.tty ?? false,
    HostConfig: {
      NetworkMode: `container:${input.sandboxId}`,
      UTSMode: `container:${input.sandboxId}`,
      IpcMode: `container:${input.sandboxId}`,
      Binds: input.mounts.map(({ source, target, readOnly }) => `${source}:${target}:${readOnly ? 'ro' : 'rw'},rprivate`),
      ...(memory > 0 ? { Memory: memory, MemorySwap: memory } : {}),
      ...(limits['cpu'] === undefined ? {} : { NanoCpus: Math.round(parseQuantity(limits['cpu']) * 1e9) }),
      PidsLimit: maxProcesses,
      SecurityOpt: ['no-new-privileges'],
      CapDrop: droppedCapabilities(security),
      ReadonlyRootfs: security?.readOnlyRootFilesystem ?? false,
      ...(groups.length > 0 ? { GroupAdd: groups.map(String) } : {}),
      LogConfig: { Type: 'k8s-file', Config: { 'max-size': String(logBytes) } },
      RestartPolicy: { Name: 'no' },
    },
  };
}

/**
 * Who the processes are, as `user` or `user:group`; undefined leaves it to the image.
 *
 * @throws NodeError CONFIG in the kubelet's words when runAsNonRoot does not hold, or cannot be shown to hold
 */
function userOf({ pod, container, imageUser }: ContainerConfigInput): string | undefined {
  const security = { ...pod.spec.securityContext, ...container.securityContext };
  const { runAsUser, runAsGroup, runAsNonRoot } = security;
  const user = runAsUser === undefined ? (imageUser.split(':')[0] ?? '') : String(runAsUser);
  if (runAsNonRoot) {
    const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`;
    if (user === '' || user === '0' || user === 'root')
      throw new NodeError('CONFIG', `container has runAsNonRoot and image will run as root ${where}`);
    if (!/^\d+$/.test(user))
      throw new NodeError(
        'CONFIG',
        `container has runAsNonRoot and image has non-numeric user (${user}), cannot verify user is non-root ${where}`,
      );
  }
  if (runAsUser === undefined && runAsGroup === undefined) return undefined;
  return runAsGroup === undefined ? user : `${user || '0'}:${runAsGroup}`;
}

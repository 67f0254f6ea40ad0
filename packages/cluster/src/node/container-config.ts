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
  readonly sandboxId: string;
  readonly environment: ReadonlyMap<string, string>;
  readonly labels: Readonly<Record<string, string>>;
  /** `path on the machine`, `path in the container`, read-only. */
  readonly mounts: readonly { readonly source: string; readonly target: string; readonly readOnly: boolean }[];
}

/** Processes that one container may have: a fork without end ends here. The engine's configuration bounds open files. */
const maxProcesses = 512;

/** The engine's configuration of a container; pure. */
export function containerConfig(input: ContainerConfigInput): ContainerCreateOptions {
  const { pod, container, environment } = input;
  const security = container.securityContext;
  const podSecurity = pod.spec.securityContext;
  const user = security?.runAsUser ?? podSecurity?.runAsUser;
  const group = security?.runAsGroup ?? podSecurity?.runAsGroup;
  if ((security?.runAsNonRoot ?? podSecurity?.runAsNonRoot) && user === 0) {
    throw new NodeError(
      'CONFIG',
      `container has runAsNonRoot and image will run as root (pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`,
    );
  }
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
    ...(user === undefined ? {} : { User: group === undefined ? String(user) : `${user}:${group}` }),
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
      LogConfig: { Type: 'k8s-file', Config: { 'max-size': '10485760' } },
      RestartPolicy: { Name: 'no' },
    },
  };
}

import type { Container, Pod, SecurityContext } from '@desp/kube';

/** What a container may have at most; the engine's default set without raw sockets and device nodes. */
export const allowedCapabilities = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
] as const;

/**
 * Why the rehearsal does not run this pod; undefined when it does. Pods share the machine's kernel with the platform:
 * whatever opens the host to them is refused, as the restricted half of the Pod Security Standards does.
 */
export function refusalOf(pod: Pod): string | undefined {
  const { spec } = pod;
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC'] as const)
    if (spec[field]) return `spec.${field} is not allowed in the rehearsal`;
  if (spec.shareProcessNamespace) return 'spec.shareProcessNamespace is not supported by the rehearsal';
  if (spec.runtimeClassName) return 'spec.runtimeClassName is not supported by the rehearsal';
  if ((spec.securityContext?.sysctls ?? []).length > 0) return 'spec.securityContext.sysctls is not allowed in the rehearsal';
  for (const volume of spec.volumes ?? []) {
    if (volume.hostPath !== undefined) return `volume "${volume.name}": hostPath volumes are not allowed in the rehearsal`;
    const known = ['emptyDir', 'configMap', 'secret', 'downwardAPI', 'projected', 'persistentVolumeClaim'] as const;
    if (!known.some((kind) => volume[kind] !== undefined))
      return `volume "${volume.name}" is of a kind that the rehearsal does not support`;
    const projections = ['configMap', 'secret', 'downwardAPI', 'serviceAccountToken'] as const;
    if ((volume.projected?.sources ?? []).some((source) => !projections.some((kind) => source[kind] !== undefined)))
      return `volume "${volume.name}" has a projected source of a kind that the rehearsal does not support`;
  }
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    const refusal = refuseContainer(container, container.securityContext ?? {});
    if (refusal !== undefined) return `container "${container.name}": ${refusal}`;
  }
  return undefined;
}

function refuseContainer(container: Container, security: SecurityContext): string | undefined {
  if (security.privileged) return 'securityContext.privileged is not allowed in the rehearsal';
  if (security.procMount !== undefined && security.procMount !== 'Default')
    return 'securityContext.procMount is not allowed in the rehearsal';
  const beyond = (security.capabilities?.add ?? []).find((name) => !isAllowed(name));
  if (beyond !== undefined) return `the capability ${beyond} is not allowed in the rehearsal`;
  if ((container.ports ?? []).some(({ hostPort }) => hostPort)) return 'hostPort is not allowed in the rehearsal';
  if ((container.volumeDevices ?? []).length > 0) return 'volumeDevices are not supported by the rehearsal';
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (probe?.grpc !== undefined) return 'gRPC probes are not supported by the rehearsal';
    // A probe runs in the platform's own network: it may look at its pod and nowhere else.
    if (probe?.httpGet?.host || probe?.tcpSocket?.host) return 'a probe of another host than the pod is not allowed in the rehearsal';
  }
  for (const hook of [container.lifecycle?.postStart, container.lifecycle?.preStop]) {
    if (hook?.httpGet?.host || hook?.tcpSocket?.host) return 'a hook that asks another host than the pod is not allowed in the rehearsal';
  }
  return undefined;
}

/** What engines give by default beyond what the rehearsal allows. */
const alwaysDropped = ['AUDIT_WRITE', 'MKNOD', 'NET_RAW'];

/**
 * The capabilities to take from the engine's default set. None is ever added by name: an engine makes added ones ambient,
 * and a process that is not root would then hold them.
 */
export function droppedCapabilities(security: SecurityContext | undefined): string[] {
  const drop = new Set((security?.capabilities?.drop ?? []).map(plain));
  const add = new Set((security?.capabilities?.add ?? []).map(plain));
  const dropped = allowedCapabilities.filter((name) => !add.has(name) && (drop.has(name) || drop.has('ALL')));
  return dropped.length === allowedCapabilities.length ? ['ALL'] : [...alwaysDropped, ...dropped];
}

function isAllowed(name: string): boolean {
  return (allowedCapabilities as readonly string[]).includes(plain(name));
}

function plain(name: string): string {
  return name.toUpperCase().replace(/^CAP_/, '');
}

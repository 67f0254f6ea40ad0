import type { Json } from '../schema/index.ts';
import { fields, type Refused, type StructTable } from './treatment.ts';

const oneNode = 'there is one node, and every pod that fits runs on it';
const noDevices = 'there are no devices to claim';
const refusedByNode = (reason: string, example: Json = true): Refused => ({ reason, example, by: 'node' });
const foreignVolumes = fields(`awsElasticBlockStore azureDisk azureFile cephfs cinder csi ephemeral fc flexVolume flocker
  gcePersistentDisk gitRepo glusterfs image iscsi nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume`);

/** Pods and pod templates: what the node, the scheduler and the server's own admission read. */
export const podTable: StructTable = {
  Pod: { acts: fields('spec'), inert: fields('apiVersion kind metadata status') },
  PodTemplateSpec: { acts: fields('metadata spec') },
  PodSpec: {
    acts: fields(`activeDeadlineSeconds automountServiceAccountToken containers dnsConfig enableServiceLinks hostAliases hostname
      imagePullSecrets initContainers nodeName nodeSelector os readinessGates restartPolicy schedulerName schedulingGates securityContext
      serviceAccount serviceAccountName subdomain terminationGracePeriodSeconds tolerations volumes`),
    ignored: {
      affinity: oneNode,
      dnsPolicy: { only: ['Default', 'ClusterFirstWithHostNet'], reason: 'pods ask the DNS of the cluster, as with ClusterFirst' },
      hostnameOverride: 'the host name is the one of `hostname`, else the name of the pod',
      hostUsers: { only: [false], reason: 'pods share the user namespace of the machine' },
      overhead: 'nothing is added to what the containers ask for',
      preemptionPolicy: { except: ['PreemptLowerPriority'], reason: 'no pod is ever preempted' },
      priority: 'pods have no priority: what does not fit waits',
      priorityClassName: 'pods have no priority: what does not fit waits',
      resourceClaims: noDevices,
      resources: 'amounts count container by container',
      schedulingGroup: 'pods are scheduled one by one',
      setHostnameAsFQDN: 'the host name stays the short one',
      topologySpreadConstraints: oneNode,
    },
    refused: {
      ephemeralContainers: { reason: 'they cannot be set on create', example: [{ name: 'e', image: 'i' }], by: 'server' },
      hostIPC: refusedByNode('pods do not see the machine’s processes'),
      hostNetwork: refusedByNode('pods have a network of their own'),
      hostPID: refusedByNode('pods do not see the machine’s processes'),
      runtimeClassName: refusedByNode('there is one container engine', 'gvisor'),
      shareProcessNamespace: refusedByNode('each container has processes of its own'),
    },
  },
  PodSecurityContext: {
    acts: fields('fsGroup runAsGroup runAsNonRoot runAsUser seccompProfile appArmorProfile supplementalGroups'),
    ignored: {
      fsGroupChangePolicy: { only: ['Always'], reason: 'a volume whose root has the group already is left as it is' },
      seLinuxChangePolicy: 'nothing is labelled',
      seLinuxOptions: 'the engine’s own confinement applies',
      supplementalGroupsPolicy: { except: ['Merge'], reason: 'groups of the image are kept, as with Merge' },
      windowsOptions: 'the node runs Linux containers',
    },
    refused: { sysctls: refusedByNode('pods share the kernel of the machine', [{ name: 'net.core.somaxconn', value: '1' }]) },
  },
  SeccompProfile: {
    ignored: { type: { except: ['RuntimeDefault'], reason: 'the engine’s default profile applies' } },
    inert: fields('localhostProfile'),
  },
  AppArmorProfile: {
    ignored: { type: { except: ['RuntimeDefault'], reason: 'the engine’s own confinement applies' } },
    inert: fields('localhostProfile'),
  },
  PodDNSConfig: { acts: fields('nameservers options searches') },
  PodDNSConfigOption: { acts: fields('name value') },
  HostAlias: { acts: fields('hostnames ip') },
  LocalObjectReference: { acts: fields('name') },
  PodOS: { ignored: { name: { except: ['linux'], reason: 'the node runs Linux containers' } } },
  PodReadinessGate: { acts: fields('conditionType') },
  PodSchedulingGate: { acts: fields('name') },
  Toleration: {
    acts: fields('effect key operator value'),
    ignored: {
      tolerationSeconds: {
        reason: 'a pod that runs is not evicted for a taint',
        when: {
          words: 'but for keys that the server itself tolerates',
          is: ({ key }) => key !== 'node.kubernetes.io/not-ready' && key !== 'node.kubernetes.io/unreachable',
          example: { key: 'mine', tolerationSeconds: 5 },
        },
      },
    },
  },

  Container: {
    acts: fields(`args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports readinessProbe resources
      securityContext startupProbe stdin stdinOnce terminationMessagePath tty volumeMounts workingDir`),
    ignored: {
      resizePolicy: 'resources of a running container are not changed',
      restartPolicy: { except: ['Always'], reason: 'the pod’s own restartPolicy holds' },
      restartPolicyRules: 'the pod’s own restartPolicy holds',
      terminationMessagePolicy: { except: ['File'], reason: 'only the message file is read; `kubectl logs --previous` shows the log' },
    },
    refused: { volumeDevices: refusedByNode('there are no block devices', [{ name: 'v', devicePath: '/dev/x' }]) },
  },
  ContainerPort: {
    acts: fields('containerPort name protocol'),
    ignored: { hostIP: 'no port of the machine is opened' },
    refused: { hostPort: refusedByNode('no port of the machine is opened', 8080) },
  },
  EnvVar: { acts: fields('name value valueFrom') },
  EnvVarSource: {
    acts: fields('configMapKeyRef fieldRef resourceFieldRef secretKeyRef'),
    ignored: { fileKeyRef: 'the variable is left out' },
  },
  ConfigMapKeySelector: { acts: fields('key name optional') },
  SecretKeySelector: { acts: fields('key name optional') },
  ObjectFieldSelector: { acts: fields('fieldPath'), inert: fields('apiVersion') },
  ResourceFieldSelector: { acts: fields('containerName divisor resource') },
  EnvFromSource: { acts: fields('configMapRef prefix secretRef') },
  ConfigMapEnvSource: { acts: fields('name optional') },
  SecretEnvSource: { acts: fields('name optional') },
  Lifecycle: { acts: fields('postStart preStop stopSignal') },
  LifecycleHandler: {
    acts: fields('exec httpGet sleep'),
    ignored: { tcpSocket: 'no connection is made' },
  },
  ExecAction: { acts: fields('command') },
  HTTPGetAction: {
    acts: fields('httpHeaders path port scheme'),
    refused: { host: refusedByNode('a probe or hook looks at its own pod and nowhere else', 'elsewhere') },
  },
  HTTPHeader: { acts: fields('name value') },
  TCPSocketAction: {
    acts: fields('port'),
    refused: { host: refusedByNode('a probe looks at its own pod and nowhere else', 'elsewhere') },
  },
  SleepAction: { acts: fields('seconds') },
  Probe: {
    acts: fields(`exec failureThreshold httpGet initialDelaySeconds periodSeconds successThreshold tcpSocket
      terminationGracePeriodSeconds timeoutSeconds`),
    refused: { grpc: refusedByNode('gRPC probes are not spoken; use exec, httpGet or tcpSocket', { port: 1 }) },
  },
  ResourceRequirements: {
    acts: fields('requests'),
    ignored: {
      claims: noDevices,
      limits: { keys: ['cpu', 'memory'], reason: 'only memory and processor time are limited' },
    },
  },
  SecurityContext: {
    acts: fields('appArmorProfile capabilities readOnlyRootFilesystem runAsGroup runAsNonRoot runAsUser seccompProfile'),
    ignored: {
      allowPrivilegeEscalation: { only: [true], reason: 'no process ever gains privileges' },
      seLinuxOptions: 'the engine’s own confinement applies',
      windowsOptions: 'the node runs Linux containers',
    },
    refused: {
      privileged: refusedByNode('containers do not own the machine'),
      procMount: refusedByNode('/proc stays masked', 'Unmasked'),
    },
  },
  Capabilities: {
    acts: fields('drop'),
    refused: { add: refusedByNode('beyond the engine’s default set, less raw sockets and device nodes', ['SYS_ADMIN']) },
  },
  VolumeMount: {
    acts: fields('mountPath name readOnly subPath subPathExpr'),
    ignored: {
      mountPropagation: { except: ['None'], reason: 'mounts stay private to the container' },
      recursiveReadOnly: { except: ['Disabled'], reason: 'a volume has no further mounts below it' },
    },
  },

  Volume: {
    acts: fields('configMap downwardAPI emptyDir name persistentVolumeClaim projected secret'),
    refused: {
      ...Object.fromEntries(foreignVolumes.map((kind) => [kind, refusedByNode('volumes of this kind cannot be mounted here', {})])),
      hostPath: refusedByNode('no folder of the machine is mounted', { path: '/etc' }),
    },
  },
  ConfigMapVolumeSource: { acts: fields('defaultMode items name optional') },
  SecretVolumeSource: { acts: fields('defaultMode items optional secretName') },
  DownwardAPIVolumeSource: { acts: fields('defaultMode items') },
  DownwardAPIVolumeFile: { acts: fields('fieldRef mode path resourceFieldRef') },
  KeyToPath: { acts: fields('key mode path') },
  EmptyDirVolumeSource: {
    ignored: {
      medium: { except: ['Memory'], reason: 'the volume lies on disk' },
      sizeLimit: {
        reason: 'only a volume in memory is limited',
        when: { words: 'unless `medium` is `Memory`', is: ({ medium }) => medium !== 'Memory', example: { sizeLimit: '1Mi' } },
      },
    },
  },
  PersistentVolumeClaimVolumeSource: { acts: fields('claimName readOnly') },
  ProjectedVolumeSource: { acts: fields('defaultMode sources') },
  VolumeProjection: {
    acts: fields('configMap downwardAPI secret serviceAccountToken'),
    refused: {
      clusterTrustBundle: refusedByNode('there are no trust bundles', { name: 'b', path: 'p' }),
      podCertificate: refusedByNode('pods get no certificates', { signerName: 'a/b', keyType: 'ED25519' }),
    },
  },
  ConfigMapProjection: { acts: fields('items name optional') },
  SecretProjection: { acts: fields('items name optional') },
  DownwardAPIProjection: { acts: fields('items') },
  ServiceAccountTokenProjection: { acts: fields('audience expirationSeconds path') },
};

import { fields, type Refused, type StructTable } from './treatment.ts';

const emptyVolume = 'there are no snapshots and clones: the volume begins empty';
const noFolder: Refused = {
  reason: 'a pod that uses the volume is told that it names no folder; volumes are made by the storage classes',
  example: {},
  by: 'node',
};

/** Claims, volumes and classes: what the platform's provisioners and the node read. */
export const storageTable: StructTable = {
  PersistentVolumeClaim: { acts: fields('spec'), inert: fields('apiVersion kind metadata status') },
  PersistentVolumeClaimSpec: {
    acts: fields('accessModes resources storageClassName volumeName'),
    ignored: {
      dataSource: emptyVolume,
      dataSourceRef: emptyVolume,
      volumeAttributesClassName: 'volumes have no attributes to change',
    },
    refused: {
      selector: { reason: 'the provisioner says so in an event', example: { matchLabels: { a: 'b' } }, by: 'controller' },
      volumeMode: { reason: '`Block`: the provisioner says so in an event', example: 'Block', by: 'controller' },
    },
  },
  VolumeResourceRequirements: {
    acts: fields('requests'),
    ignored: { limits: 'the size that is asked for is the size of the volume, and nothing holds a pod to it' },
  },
  PersistentVolume: { acts: fields('spec'), inert: fields('apiVersion kind metadata status') },
  PersistentVolumeSpec: {
    acts: fields('accessModes capacity claimRef csi hostPath persistentVolumeReclaimPolicy storageClassName'),
    ignored: {
      mountOptions: 'folders are mounted as they are',
      nodeAffinity: 'there is one node',
      volumeAttributesClassName: 'volumes have no attributes to change',
      volumeMode: { only: ['Block'], reason: 'volumes are folders' },
    },
    refused: Object.fromEntries(
      fields(`awsElasticBlockStore azureDisk azureFile cephfs cinder fc flexVolume flocker gcePersistentDisk glusterfs iscsi local nfs
        photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume`).map((source) => [source, noFolder]),
    ),
  },
  HostPathVolumeSource: { acts: fields('path'), inert: fields('type') },
  CSIPersistentVolumeSource: {
    acts: fields('volumeAttributes'),
    inert: fields('driver volumeHandle'),
    ignored: Object.fromEntries(
      fields(`controllerExpandSecretRef controllerPublishSecretRef fsType nodeExpandSecretRef nodePublishSecretRef nodeStageSecretRef
        readOnly`).map((field) => [field, 'no driver is asked: the node mounts the folder of the attribute `path`']),
    ),
  },
  ObjectReference: { acts: fields('name namespace uid'), inert: fields('apiVersion fieldPath kind resourceVersion') },
  StorageClass: {
    acts: fields('provisioner volumeBindingMode'),
    inert: fields('apiVersion kind metadata'),
    ignored: {
      allowVolumeExpansion: 'volumes keep their size',
      allowedTopologies: 'there is one node',
      mountOptions: 'folders are mounted as they are',
      parameters: 'the platform’s provisioners have their parameters in the configuration of the class',
      reclaimPolicy: 'the platform’s provisioners keep or delete as the configuration of the class says',
    },
  },
};

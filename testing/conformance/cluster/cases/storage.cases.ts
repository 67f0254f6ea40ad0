import { expect } from 'vitest';
import { type Area, type Bench, patchType } from '../case.ts';
import { outputOf, pod } from './objects.ts';

const claim = (spec: object) => ({
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
});
const classes = '/apis/storage.k8s.io/v1/storageclasses';
const using = (bench: Bench, name: string, script: string, readOnly = false) =>
  pod(
    bench,
    name,
    script,
    { volumeMounts: [{ name: 'v', mountPath: '/v' }] },
    { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data', readOnly } }] },
  );

export const storage: Area = {
  title: 'Volumes that stay',
  cases: [
    {
      name: 'a claim waits for its volume, and what it asked for stays as it is',
      verbs: { persistentvolumeclaims: 'create update' },
      async run(bench) {
        const made = await bench.api('POST', 'persistentvolumeclaims', claim({ storageClassName: '' }));
        expect(made).toMatchObject({ spec: { volumeMode: 'Filesystem', storageClassName: '' }, status: { phase: 'Pending' } });
        const change = { spec: { accessModes: ['ReadWriteMany'] } };
        expect((await bench.refused('PATCH', 'persistentvolumeclaims/data', change, patchType.merge)).message).toContain(
          'spec is immutable after creation',
        );
        expect((await bench.refused('POST', 'persistentvolumeclaims', { metadata: { name: 'x' }, spec: {} })).reason).toBe('Invalid');
      },
    },
    {
      name: 'classes and volumes have no namespace, and are kept as they were written',
      verbs: { 'storage.k8s.io/storageclasses': 'create delete', persistentvolumes: 'create delete' },
      async run(bench) {
        const name = `acceptance-${bench.unique}`;
        await bench.api('POST', classes, { metadata: { name }, provisioner: 'example.com/none' });
        bench.after(() => bench.api('DELETE', `${classes}/${name}`));
        expect(await bench.api('GET', `${classes}/${name}`)).toMatchObject({ reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' });
        expect((await bench.refused('PATCH', `${classes}/${name}`, { provisioner: 'other' }, patchType.merge)).reason).toBe('Invalid');
        const spec = {
          capacity: { storage: '1Gi' },
          accessModes: ['ReadWriteOnce'],
          hostPath: { path: '/nowhere' },
          storageClassName: name,
        };
        const volume = await bench.api('POST', '/api/v1/persistentvolumes', { metadata: { name }, spec });
        bench.after(() => bench.api('DELETE', `/api/v1/persistentvolumes/${name}`));
        expect(volume.spec).toMatchObject({ persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' });
      },
    },
    {
      name: 'a claim of a class is bound to a volume of its size',
      needs: ['controllers', 'pods', 'storage'],
      verbs: { persistentvolumeclaims: 'create get', persistentvolumes: 'get' },
      fields: {
        PersistentVolumeClaimSpec: 'accessModes resources storageClassName volumeName',
        VolumeResourceRequirements: 'requests',
        PersistentVolumeSpec: 'accessModes capacity claimRef storageClassName persistentVolumeReclaimPolicy',
        ObjectReference: 'name namespace uid',
        StorageClass: 'provisioner volumeBindingMode',
        PersistentVolumeClaimVolumeSource: 'claimName readOnly',
        Volume: 'persistentVolumeClaim',
      },
      async run(bench) {
        const made = await bench.api('POST', 'persistentvolumeclaims', claim({ storageClassName: bench.storageClass }));
        // A class may wait for the first pod.
        expect(await outputOf(bench, using(bench, 'first', 'echo kept > /v/file; cat /v/file'))).toBe('kept\n');
        const bound = await bench.api('GET', 'persistentvolumeclaims/data');
        expect(bound.status).toMatchObject({ phase: 'Bound', accessModes: ['ReadWriteOnce'] });
        const volume = await bench.api('GET', `/api/v1/persistentvolumes/${bound.spec.volumeName}`);
        expect(volume.spec.claimRef).toMatchObject({ namespace: bench.namespace, name: 'data', uid: made.metadata.uid });
      },
    },
    {
      name: 'what one pod wrote the next one reads; a claim in use is not deleted',
      needs: ['controllers', 'pods', 'storage'],
      verbs: { persistentvolumeclaims: 'delete' },
      async run(bench) {
        await bench.api('POST', 'persistentvolumeclaims', claim({ storageClassName: bench.storageClass }));
        await outputOf(bench, using(bench, 'first', 'echo kept > /v/file'));
        await bench.api('DELETE', 'pods/first');
        await bench.api(
          'POST',
          'pods',
          using(bench, 'second', 'cat /v/file; (echo x > /v/other) 2>/dev/null || echo read-only; sleep 4', true),
        );
        await bench.ready('second');
        expect((await bench.api('DELETE', 'persistentvolumeclaims/data')).metadata.finalizers).toEqual(['kubernetes.io/pvc-protection']);
        expect((await bench.api('GET', 'persistentvolumeclaims/data')).metadata.deletionTimestamp).toBeTruthy();
        await bench.ended('second');
        expect(await bench.api('GET', 'pods/second/log')).toBe('kept\nread-only\n');
        await bench.until('the claim to go', () =>
          bench.api('GET', 'persistentvolumeclaims/data').then(
            () => false,
            () => true,
          ),
        );
      },
    },
  ],
};

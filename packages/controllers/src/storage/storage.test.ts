import type { PersistentVolumeClaim } from '@desp/kube';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planClaim } from './claim-plan.ts';
import { type StorageClassDefinition, storageClassOf } from './classes.ts';
import { bytesOf, roundToGibibytes } from './quantity.ts';
import { confinePath, overlaps, volumePath } from './volume-path.ts';

const claim = { namespace: 'default', name: 'test-claim', labels: {}, annotations: { 'nfs.io/storage-path': 'custom/directory' } };

describe('the path of a volume', () => {
  test.each([
    ['${.PVC.namespace}-${.PVC.name}', 'default-test-claim'],
    ['${.PVC.annotations.nfs.io/storage-path}', 'custom/directory'],
    ['${.PVC.annotations.missing}', 'default-test-claim-pvc-1'],
    ['${.PVC.annotations.__proto__}', 'default-test-claim-pvc-1'],
  ])('%s is %s', (pattern, path) => {
    expect(volumePath(pattern, claim, 'pvc-1')).toBe(path);
  });

  test('what is accepted stays below its root, whatever is asked for', () => {
    const hostile = fc
      .array(fc.constantFrom('..', '.', '/', 'a', '\u0000', '\\', '~', '%2e%2e', '．．', ' ', '\n', '.x'), { maxLength: 12 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string()), (text) => {
        let path: string;
        try {
          path = confinePath(text);
        } catch {
          return;
        }
        const resolved = new URL(path.split('/').map(encodeURIComponent).join('/'), 'file:///root/');
        expect(resolved.pathname.startsWith('/root/')).toBe(true);
        expect(path.split('/').every((part) => part !== '' && !part.startsWith('.'))).toBe(true);
      }),
    );
  });

  test('overlap counts whole parts', () => {
    expect([overlaps('a/b', 'a'), overlaps('a', 'a/b'), overlaps('a', 'a'), overlaps('ab', 'a'), overlaps('a/b', 'a/c')]).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('sizes', () => {
  test.each([
    ['1Mi', '1Gi'],
    ['1Gi', '1Gi'],
    ['1025Mi', '2Gi'],
    ['1.5Gi', '2Gi'],
    ['1G', '1Gi'],
    ['2e9', '2Gi'],
    ['500m', '1Gi'],
  ])('Cinder makes %s a volume of %s', (asked, made) => {
    expect(roundToGibibytes(bytesOf(asked)!)).toBe(made);
  });
  test.each(['', '0', '-1Gi', '1 Gi', 'Gi', '1gi', '1e999'])('%j is no size', (text) => {
    expect(bytesOf(text)).toBeUndefined();
  });
});

describe('the plan of a claim', () => {
  const block: StorageClassDefinition = { name: 'block', persistent: false, accessModes: ['ReadWriteOnce'] };
  const shared: StorageClassDefinition = { name: 'shared', persistent: true, accessModes: ['ReadWriteOnce', 'ReadWriteMany'] };
  const definitions = [block, shared];
  const pending = (spec: Partial<PersistentVolumeClaim['spec']>): PersistentVolumeClaim => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'c', namespace: 'n', uid: 'u' },
    spec: { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '1Mi' } }, ...spec },
  });
  const plan = (definition: StorageClassDefinition, spec: Partial<PersistentVolumeClaim['spec']> = {}) =>
    planClaim(pending({ storageClassName: definition.name, ...spec }), {
      definitions,
      storageClass: storageClassOf(definition),
      volume: undefined,
    });

  test('block storage rounds up and warns of shared use; a shared folder does neither', () => {
    expect(plan(block)).toMatchObject({ kind: 'provision', capacity: '1Gi', warning: { reason: 'AccessModeNotShared' } });
    expect(plan(shared)).toEqual({ kind: 'provision', capacity: '1Mi', definition: shared });
  });

  test.each([
    ['a selector', { selector: {} }],
    ['a raw block volume', { volumeMode: 'Block' }],
    ['no size', { resources: {} }],
  ])('%s is refused', (_what, spec) => {
    expect(plan(shared, spec)).toMatchObject({ kind: 'wait', event: { reason: 'ProvisioningFailed' } });
  });

  test('a class of somebody else is left to them', () => {
    const foreign = { ...storageClassOf(block), provisioner: 'other' };
    expect(planClaim(pending({ storageClassName: 'block' }), { definitions, storageClass: foreign, volume: undefined })).toMatchObject({
      event: { reason: 'ExternalProvisioning' },
    });
  });

  test('a volume that another claim has is never bound', () => {
    const volume = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v' },
      spec: { claimRef: { name: 'c', namespace: 'n', uid: 'former' } },
    };
    expect(planClaim(pending({ volumeName: 'v' }), { definitions, storageClass: undefined, volume })).toMatchObject({
      event: { message: 'volume "v" already bound to a different claim.' },
    });
  });
});

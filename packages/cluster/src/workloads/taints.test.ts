import type { Node, Pod } from '@desp/kube';
import { expect, test } from 'vitest';
import { untolerated } from './taints.ts';

const node = (...taints: object[]): Node =>
  ({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' }, spec: { taints } }) as unknown as Node;
const pod = (...tolerations: object[]): Pod =>
  ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [], tolerations } }) as unknown as Pod;
const taint = { key: 'gpu', value: 'yes', effect: 'NoSchedule' };

test.each([
  ['no taint, no toleration', [], [], true],
  ['a taint that nothing tolerates', [taint], [], false],
  ['a taint that only prefers others', [{ ...taint, effect: 'PreferNoSchedule' }], [], true],
  ['the same key and value', [taint], [{ key: 'gpu', value: 'yes' }], true],
  ['another value', [taint], [{ key: 'gpu', operator: 'Equal', value: 'no' }], false],
  ['any value', [taint], [{ key: 'gpu', operator: 'Exists' }], true],
  ['another effect', [taint], [{ key: 'gpu', operator: 'Exists', effect: 'NoExecute' }], false],
  ['any taint', [taint, { key: 'b', effect: 'NoExecute' }], [{ operator: 'Exists' }], true],
  ['no key and no operator is no toleration of everything', [taint], [{ value: 'yes' }], false],
  ['one of two', [taint, { key: 'b', effect: 'NoExecute' }], [{ key: 'gpu', operator: 'Exists' }], false],
])('%s', (_, taints, tolerations, fits) => {
  expect(untolerated(pod(...tolerations), node(...taints)) === undefined).toBe(fits);
});

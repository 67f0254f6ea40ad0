import { CommitId, Digest } from '@desp/model';
import { expect, test } from 'vitest';
import { renderBounded } from './render-bounded.ts';
import type { RenderRequest } from './render-release.ts';

const requestOf = (files: Readonly<Record<string, string>>): RenderRequest => ({
  files: Object.entries({
    'deployment/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n',
    'deployment/fleet.yaml': 'defaultNamespace: app\n',
    ...files,
  }).map(([path, text]) => ({ path, data: new TextEncoder().encode(text) })),
  service: 'app',
  commit: CommitId.parse('a'.repeat(40)),
  environment: { name: 'e2e', clusterLabels: { customer: 'e2e' } },
  kubeVersion: '1.31.0',
  images: new Map([['registry.example/app/web:1', Digest.parse(`sha256:${'b'.repeat(64)}`)]]),
});
const settings = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  a: b\n';

test('gives what the renderer gives', async () => {
  const [release] = await renderBounded(requestOf({ 'deployment/templates/a.yaml': settings }));
  expect(release?.objects).toEqual([{ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'app', name: 'settings' }]);
  expect(release?.rendered.objects[0]).toMatchObject({ kind: 'ConfigMap', data: { a: 'b' } });
});

test("keeps the renderer's own refusals, with code, kind and cure", async () => {
  const wide = 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: other\n';
  await expect(renderBounded(requestOf({ 'deployment/templates/a.yaml': wide }))).rejects.toMatchObject({
    code: 'NOT_ALLOWED',
    kind: 'user',
    message: expect.stringContaining('Namespace other'),
    cure: expect.stringContaining('defaultNamespace'),
  });
  const definition = 'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: x.example.org\nspec: {}\n';
  await expect(
    renderBounded(requestOf({ 'deployment/templates/a.yaml': settings, 'deployment/crds/x.yaml': definition })),
  ).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
});

test('ends a chart that takes too long, while this thread goes on', async () => {
  const doubling = '{{ $d := list "a" }}{{ range until 60 }}{{ $d = list $d $d }}{{ end }}{{ $d | toJson | sha256sum }}';
  let ticks = 0;
  const timer = setInterval(() => ticks++, 20);
  try {
    const bounds = { renderMs: 500, startMs: 60_000, heapMiB: 256 };
    await expect(renderBounded(requestOf({ 'deployment/templates/a.yaml': doubling }), bounds)).rejects.toMatchObject({
      code: 'INVALID',
      kind: 'user',
      message: expect.stringContaining('given up'),
    });
  } finally {
    clearInterval(timer);
  }
  expect(ticks).toBeGreaterThan(5);
});

test('ends a chart that takes too much memory', async () => {
  const growing = '{{ $l := list }}{{ range until 1000000 }}{{ $l = append $l (until 100000) }}{{ end }}{{ $l }}';
  const bounds = { renderMs: 20_000, startMs: 60_000, heapMiB: 64 };
  await expect(renderBounded(requestOf({ 'deployment/templates/a.yaml': growing }), bounds)).rejects.toMatchObject({
    code: expect.stringMatching(/INVALID|RENDER_FAILED/),
    kind: 'user',
  });
});

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type RenderInput, renderDeployment } from '@desp/controllers';
import { CommitId, Digest } from '@desp/model';
import { describe, expect, test } from 'vitest';
import { renderDeploymentBounded, renderReleaseBounded } from './render-bounded.ts';
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
  capabilities: { kubeVersion: '1.31.0', apiVersions: ['v1', 'v1/ConfigMap', 'example.org/v1'] },
  revisions: [],
  images: new Map([['registry.example/app/web:1', Digest.parse(`sha256:${'b'.repeat(64)}`)]]),
});
const settings = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  a: b\n';

test('gives what the renderer gives', async () => {
  const [release] = await renderReleaseBounded(requestOf({ 'deployment/templates/a.yaml': settings }));
  expect(release?.objects).toEqual([{ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'app', name: 'settings' }]);
  expect(release?.rendered.objects[0]).toMatchObject({ kind: 'ConfigMap', data: { a: 'b' } });
});

test("keeps the renderer's own refusals, with code, kind and cure", async () => {
  const wide = 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: other\n';
  await expect(renderReleaseBounded(requestOf({ 'deployment/templates/a.yaml': wide }))).rejects.toMatchObject({
    code: 'NOT_ALLOWED',
    kind: 'user',
    message: expect.stringContaining('Namespace other'),
    cure: expect.stringContaining('defaultNamespace'),
  });
  const definition = 'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: x.example.org\nspec: {}\n';
  await expect(
    renderReleaseBounded(requestOf({ 'deployment/templates/a.yaml': settings, 'deployment/crds/x.yaml': definition })),
  ).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
});

/** Within the renderer's own budget, and yet longer than `brief`: only the clock ends it. */
const lengthy = '{{ range $i := until 1000 }}{{ range $j := until 200 }}{{ $k := printf "%d-%d" $i $j }}{{ end }}{{ end }}';
const brief = { renderMs: 25, startMs: 60_000, heapMiB: 256 };
const doubling = '{{ $d := list "a" }}{{ range until 60 }}{{ $d = list $d $d }}{{ end }}{{ $d | toJson | sha256sum }}';

test('ends a chart that takes too long, while this thread goes on', async () => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 20);
  try {
    await expect(renderReleaseBounded(requestOf({ 'deployment/templates/a.yaml': lengthy }), brief)).rejects.toMatchObject({
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
  await expect(renderReleaseBounded(requestOf({ 'deployment/templates/a.yaml': growing }), bounds)).rejects.toMatchObject({
    code: expect.stringMatching(/INVALID|RENDER_FAILED/),
    kind: 'user',
  });
});

test("shows charts the cluster's API versions, as the Fleet agent does", async () => {
  const asking = `${settings}  known: {{ .Capabilities.APIVersions.Has "example.org/v1" | quote }}\n  version: {{ .Capabilities.KubeVersion.Version }}\n`;
  const [release] = await renderReleaseBounded(requestOf({ 'deployment/templates/a.yaml': asking }));
  expect(release?.rendered.objects[0]).toMatchObject({ data: { known: 'true', version: 'v1.31.0' } });
});

test('renders as what the agent will do: the next revision, an upgrade of what is deployed', async () => {
  const files = { 'deployment/templates/a.yaml': `${settings}  how: "{{ .Release.Revision }} {{ .Release.IsUpgrade }}"\n` };
  const revisions = [
    { name: 'app-e2e-deployment', revision: 3, deployed: true },
    { name: 'app-e2e-deployment', revision: 4, deployed: false },
    { name: 'another', revision: 9, deployed: true },
  ];
  const [first] = await renderReleaseBounded(requestOf(files));
  const [next] = await renderReleaseBounded({ ...requestOf(files), revisions });
  expect(first?.inputs).toEqual({ release: 'app-e2e-deployment', operation: 'install', revision: 1, kubeVersion: '1.31.0' });
  expect(next?.inputs).toMatchObject({ operation: 'upgrade', revision: 5 });
  expect([first, next]).toMatchObject([
    { rendered: { objects: [{ data: { how: '1 false' } }] } },
    { rendered: { objects: [{ data: { how: '5 true' } }] } },
  ]);
  expect(next?.digest).not.toBe(first?.digest);
});

describe("the Fleet agent's renderer", () => {
  const deploymentOf = (template: string, isUpgrade: boolean): RenderInput => ({
    bundle: 'app-e2e-deployment',
    resources: Object.entries({
      'Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n',
      'templates/a.yaml': `${settings}{{ if .Release.IsUpgrade }}${template}{{ end }}`,
    }).map(([name, content]) => ({ name, content })),
    options: { defaultNamespace: 'app' },
    kubeVersion: '1.31.0',
    isUpgrade,
  });
  const bounds = { renderMs: 1_000, startMs: 60_000, heapMiB: 256 };
  const endless = [
    ['includes itself', '{{ define "again" }}{{ include "again" . }}{{ include "again" . }}{{ end }}{{ include "again" . }}'],
    ['ranges without end', '{{ range until 1000000 }}{{ range until 1000000 }}{{ range until 1000000 }}x{{ end }}{{ end }}{{ end }}'],
    ['doubles without end', doubling],
  ] as const;

  test('renders the first release of a chart that runs away only as an upgrade', async () => {
    const input = deploymentOf(doubling, false);
    expect(await renderDeploymentBounded(input, bounds)).toEqual(renderDeployment(input));
  });

  test.each(endless)('ends an upgrade that %s, and never holds this thread over 200 ms', async (_what, template) => {
    const delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
    await expect(renderDeploymentBounded(deploymentOf(template, true), bounds)).rejects.toMatchObject({
      code: expect.stringMatching(/INVALID|RENDER_FAILED/),
      kind: 'user',
      retryable: false,
      message: expect.stringContaining('chart of app-e2e-deployment'),
    });
    delay.disable();
    expect(delay.max / 1e6).toBeLessThan(200);
  });

  test('lets a third wait until one of two that run away is given up, and says which', async () => {
    const runaway = () => renderDeploymentBounded(deploymentOf(lengthy, true), brief);
    const order: string[] = [];
    const note = (name: string) => () => order.push(name);
    const [first, second, third] = await Promise.allSettled([
      runaway().finally(note('runaway')),
      runaway().finally(note('runaway')),
      renderDeploymentBounded(deploymentOf('', false)).finally(note('third')),
    ]);
    expect(order[0]).toBe('runaway');
    expect(third).toMatchObject({ status: 'fulfilled', value: { objects: [{ kind: 'ConfigMap' }] } });
    const givenUp = {
      code: 'INVALID',
      message: 'Rendering the chart of app-e2e-deployment for an upgrade was given up: it takes more than 0.025 s.',
      cure: expect.stringContaining('desp chart template --is-upgrade'),
    };
    expect([first, second]).toMatchObject([{ reason: givenUp }, { reason: givenUp }]);
  });
});

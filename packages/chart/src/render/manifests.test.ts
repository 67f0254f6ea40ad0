import { expect, test } from 'vitest';
import { loadChart } from '../loader/load.ts';
import { render } from './render.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function rendered(annotations: string) {
  const chart = loadChart([
    { name: 'Chart.yaml', data: bytes('apiVersion: v2\nname: h\nversion: 1.0.0\n') },
    { name: 'templates/a.yaml', data: bytes(`kind: Job\nmetadata:\n  name: a\n  annotations: ${annotations}\n`) },
  ]);
  return render(chart, { release: { name: 'r', namespace: 'n' }, profile: 'helm3' });
}

test.each([
  ['-3', -3],
  ['+5', 5],
  ['', 0],
  ['1.5', 0],
  ['9223372036854775808', 0],
  ['1'.repeat(400), 0],
])('a weight of "%.30s"', (text, weight) => {
  expect(rendered(`{helm.sh/hook: test, helm.sh/hook-weight: "${text}"}`).hooks.map((hook) => hook.weight)).toEqual([weight]);
});

test('an unknown hook is named as Go quotes it', () => {
  const { hooks, manifests, warnings } = rendered('{helm.sh/hook: "a\\u0001\\u200b\\u00e9<\\t\\\\"}');
  expect([hooks, manifests]).toEqual([[], []]);
  expect(warnings.join('\n')).toContain(String.raw`info: skipping unknown hook: "a\x01\u200bé<\t\\"`);
});

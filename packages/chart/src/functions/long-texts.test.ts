import { expect, test } from 'vitest';
import { lint } from '../lint/lint.ts';
import { loadChart } from '../loader/load.ts';
import { nodeCrypto } from '../node/crypto.ts';
import { render } from '../render/render.ts';

/** Long texts and lists, which must neither take long nor be refused. */

const data = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What quadratic time makes of such texts is minutes. */
const soon = 1500;

function took(run: () => void): number {
  const started = performance.now();
  run();
  return performance.now() - started;
}

const templates: Readonly<Record<string, readonly [template: string, result: string | RegExp]>> = {
  base: ['{{ base (print (repeat 300000 "/") "x") }}{{ osBase (repeat 300000 "/") }}', 'x/'],
  wrapWith: ['{{ wrapWith 10 "-" (repeat 300000 "a") | len }}', '329999'],
  toJson: ['{{ .Files.GetBytes "large" | toJson | len }}', '266670'],
  uniq: ['{{ until 3000 | uniq | len }}', '3000'],
  'an IP address': ['{{ genSelfSignedCert "a" (list (print (repeat 300000 "a") ":")) nil 365 }}', /error parsing ip: a+:$/],
};

test.each(Object.entries(templates))('%s', (_name, [template, result]) => {
  const chart = loadChart([
    { name: 'Chart.yaml', data: data('apiVersion: v2\nname: h\nversion: 1.0.0\n') },
    { name: 'templates/a.yaml', data: data(`a: ${template}`) },
    { name: 'large', data: new Uint8Array(200_000) },
  ]);
  const options = { release: { name: 'r', namespace: 'n' }, crypto: nodeCrypto };
  const time = took(() => {
    if (result instanceof RegExp) expect(() => render(chart, options)).toThrow(result);
    else expect(render(chart, options).manifests[0]?.content.trim()).toBe(`a: ${result}`);
  });
  expect(time).toBeLessThan(soon);
});

test('the name of a chart', () => {
  const files = [{ name: 'Chart.yaml', data: data(`apiVersion: v2\nversion: 1.0.0\nname: "${'/'.repeat(300_000)}x"\n`) }];
  const time = took(() => {
    expect(() => loadChart(files)).toThrow(/is invalid$/);
    expect(lint(files, { profile: 'helm4' }).messages.map(({ text }) => text.slice(0, 20))).toContainEqual(
      expect.stringContaining('chart name'),
    );
  });
  expect(time).toBeLessThan(soon);
});

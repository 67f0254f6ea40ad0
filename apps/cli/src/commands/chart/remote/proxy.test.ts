import { expect, test } from 'vitest';
import { proxySettings } from './proxy.ts';

/** Measured with Helm 3.22.0 and 4.3.1 and a proxy on loopback. */

const proxy = 'http://proxy.example:3128';
const taken = (address: string, environment: Readonly<Record<string, string>>): string | undefined =>
  Object.values(proxySettings(new URL(address), environment).proxyEnv ?? {})[0];

test.each([
  ['http://charts.example.test/a', { HTTP_PROXY: proxy }, proxy],
  ['http://charts.example.test/a', { http_proxy: proxy }, proxy],
  ['https://charts.example.test/a', { https_proxy: proxy }, proxy],
  ['https://charts.example.test/a', { HTTP_PROXY: proxy }, undefined],
  ['http://charts.example.test/a', { HTTP_PROXY: 'proxy.example:3128' }, proxy],
  ['http://127.0.0.1:8080/a', { HTTP_PROXY: proxy }, undefined],
  ['http://localhost:8080/a', { HTTP_PROXY: proxy }, undefined],
  ['http://[::1]:8080/a', { HTTP_PROXY: proxy }, undefined],
  ['http://charts.example.test/a', { HTTP_PROXY: proxy, NO_PROXY: 'example.test' }, undefined],
  ['http://charts.example.test/a', { HTTP_PROXY: proxy, no_proxy: '.example.test' }, undefined],
  ['http://example.test/a', { HTTP_PROXY: proxy, NO_PROXY: '.example.test' }, proxy],
  ['http://charts.example.test/a', { HTTP_PROXY: proxy, NO_PROXY: '*.example.test' }, undefined],
  ['http://charts.example.test/a', { HTTP_PROXY: proxy, NO_PROXY: 'ample.test' }, proxy],
  ['http://charts.example.test/a', { HTTP_PROXY: proxy, NO_PROXY: 'a, charts.example.test:80' }, undefined],
  ['http://charts.example.test/a', { HTTP_PROXY: proxy, NO_PROXY: 'charts.example.test:81' }, proxy],
  ['http://charts.example.test/a', { HTTP_PROXY: proxy, NO_PROXY: '*' }, undefined],
  ['http://10.77.1.1/a', { HTTP_PROXY: proxy, NO_PROXY: '10.77.0.0/16' }, undefined],
  ['http://10.77.1.1/a', { HTTP_PROXY: proxy, NO_PROXY: '10.78.0.0/16' }, proxy],
  ['http://10.77.1.1/a', { HTTP_PROXY: proxy, NO_PROXY: '10.77.1.1' }, undefined],
  ['http://[2001:db8::1]/a', { HTTP_PROXY: proxy, NO_PROXY: '2001:db8::/32' }, undefined],
])('%s with %j takes %s', (address, environment, expected) => {
  expect(taken(address, environment)).toBe(expected);
});

import { createSocket } from 'node:dgram';
import type { Endpoints, InformerSet, Service } from '@desp/kube';
import { silentLogger } from '@desp/runtime';
import { decode, encode } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerQuery, startDnsServer } from './dns-server.ts';
import { createClusterNames } from './names.ts';
import { endpointsFor } from './service-proxy.ts';
import { addressAt, contains, parseSubnet } from './subnet.ts';

const service = (name: string, namespace: string, spec: Service['spec']): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec,
});
const endpoints = (name: string, namespace: string, ips: string[], port = 8080): Endpoints => ({
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { name, namespace },
  subsets: [{ addresses: ips.map((ip, index) => ({ ip, hostname: `${name}-${index}` })), ports: [{ name: 'http', port }] }],
});
const services = [
  service('web', 'a', { clusterIP: '10.9.1.5', ports: [{ name: 'http', port: 80 }] }),
  service('db', 'a', { clusterIP: 'None', ports: [{ name: 'http', port: 5432 }] }),
  service('out', 'a', { type: 'ExternalName', externalName: 'web.b.svc.cluster.local' }),
  service('in', 'a', { type: 'ExternalName', externalName: 'web.a.svc.cluster.local' }),
  service('ring', 'a', { type: 'ExternalName', externalName: 'ring.a.svc.cluster.local' }),
  service('trap', 'a', { clusterIP: '10.9.1.6', ports: [{ port: 80 }] }),
  service('vault', 'vault', { clusterIP: '10.9.1.7', ports: [{ port: 8200 }] }),
];
const known = new Map<string, unknown>();
for (const each of services) known.set(`services/${each.metadata.namespace}/${each.metadata.name}`, each);
for (const each of [
  endpoints('web', 'a', ['10.9.0.2', '10.9.0.3']),
  endpoints('db', 'a', ['10.9.0.4']),
  endpoints('trap', 'a', ['127.0.0.1', '169.254.169.254']),
  endpoints('vault', 'vault', ['127.0.0.1']),
]) {
  known.set(`endpoints/${each.metadata.namespace}/${each.metadata.name}`, each);
}
/** Caches with fixed content. */
const informers = {
  of: ({ plural }: { plural: string }) => ({ get: (key: string) => known.get(`${plural}/${key}`) }),
} as unknown as InformerSet;
const names = createClusterNames({ informers, podSubnet: '10.9.0.0/24', platformNamespaces: ['vault'] });

const ask = (name: string, type: 'A' | 'AAAA' | 'SRV' = 'A') => {
  const reply = decode(answerQuery(encode({ type: 'query', id: 7, flags: 0x100, questions: [{ name, type, class: 'IN' }] }), names, 512)!);
  return { code: (reply.flags ?? 0) & 0xf, answers: reply.answers ?? [], id: reply.id };
};

describe('DNS', () => {
  test.each([
    ['a Service', 'web.a.svc.cluster.local', ['10.9.1.5']],
    ['whatever the case', 'WEB.A.svc.Cluster.Local', ['10.9.1.5']],
    ['a headless Service', 'db.a.svc.cluster.local', ['10.9.0.4']],
    ['one pod of it', 'db-0.db.a.svc.cluster.local', ['10.9.0.4']],
  ])('answers for %s', (_, name, addresses) => {
    expect(ask(name)).toMatchObject({ code: 0, id: 7, answers: addresses.map((data) => ({ type: 'A', data })) });
  });

  test('another type of a name that exists is empty, not missing', () => {
    expect(ask('web.a.svc.cluster.local', 'AAAA')).toMatchObject({ code: 0, answers: [] });
  });

  test('SRV and aliases', () => {
    expect(ask('_http._tcp.web.a.svc.cluster.local', 'SRV').answers).toMatchObject([
      { type: 'SRV', data: { port: 80, target: 'web.a.svc.cluster.local' } },
    ]);
    expect(ask('out.a.svc.cluster.local').answers).toMatchObject([{ type: 'CNAME', data: 'web.b.svc.cluster.local' }]);
    // A pod's resolver asks once: what the alias leads to comes along.
    expect(ask('in.a.svc.cluster.local').answers).toMatchObject([
      { type: 'CNAME', name: 'in.a.svc.cluster.local', data: 'web.a.svc.cluster.local' },
      { type: 'A', name: 'web.a.svc.cluster.local', data: '10.9.1.5' },
    ]);
    expect(ask('in.a.svc.cluster.local', 'AAAA').answers).toMatchObject([{ type: 'CNAME' }]);
    expect(ask('ring.a.svc.cluster.local').answers).toHaveLength(4);
  });

  test.each([
    ['none.a.svc.cluster.local', 3],
    ['web-0.web.a.svc.cluster.local', 3],
    ['cluster.local', 3],
    ['example.org', 5],
    ['cluster.local.example.org', 5],
    ['notcluster.local', 5],
  ])('%s is refused with code %i', (name, code) => {
    expect(ask(name)).toMatchObject({ code, answers: [] });
  });

  test('an answer that does not fit is marked so, and answers are not answered', () => {
    const query = encode({ type: 'query', id: 1, questions: [{ name: 'web.a.svc.cluster.local', type: 'A' }] });
    const cut = decode(answerQuery(query, names, 40)!);
    expect((cut.flags ?? 0) & 0x200).toBe(0x200);
    expect(answerQuery(encode({ type: 'response', id: 1 }), names, 512)).toBeUndefined();
  });

  test('no message makes it throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const reply = answerQuery(Buffer.from(bytes), names, 512);
        expect(reply === undefined || reply.length <= 512).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('answers over UDP', async () => {
    const server = await startDnsServer({ address: '127.0.0.1', port: 0, names, log: silentLogger });
    const socket = createSocket('udp4');
    const reply = await new Promise<Buffer>((resolve) => {
      socket.on('message', resolve);
      socket.send(encode({ type: 'query', id: 9, questions: [{ name: 'web.a.svc.cluster.local', type: 'A' }] }), server.port, '127.0.0.1');
    });
    expect(decode(reply).answers).toMatchObject([{ data: '10.9.1.5' }]);
    socket.close();
    await server.close();
  });
});

describe('where a Service leads', () => {
  test.each(['web.a', 'web.a.svc', 'web.a.svc.cluster.local', 'web.a.svc.cluster.local.'])('%s is a Service', (host) => {
    expect(names.service(host)?.metadata.name).toBe('web');
  });

  test.each(['web', 'web.b', 'web.a.example.org', 'svc.cluster.local', ''])('%j is none', (host) => {
    expect(names.service(host)).toBeUndefined();
  });

  test('to its endpoints’ ports, and out of the pods’ network only for the platform', () => {
    expect(endpointsFor(names, names.service('web.a'), 80)).toEqual([
      { host: '10.9.0.2', port: 8080 },
      { host: '10.9.0.3', port: 8080 },
    ]);
    expect(endpointsFor(names, names.service('web.a'), 81)).toEqual([]);
    expect(endpointsFor(names, names.service('trap.a'), 80)).toEqual([]);
    expect(endpointsFor(names, names.service('vault.vault'), 8200)).toEqual([{ host: '127.0.0.1', port: 8080 }]);
  });
});

describe('subnets', () => {
  test('addresses of a network', () => {
    expect(addressAt('10.9.3.77/24', 10)).toBe('10.9.3.10');
    expect(contains('10.9.0.0/22', '10.9.3.255')).toBe(true);
    expect(contains('10.9.0.0/22', '10.9.4.0')).toBe(false);
    for (const odd of ['10.9.0', '10.9.0.256', 'x', '10.9.0.1.1', '']) expect(contains('10.9.0.0/22', odd)).toBe(false);
  });

  test.each(['10.0.0.0', '10.0.0.0/33', '10.0.0.300/24', '::/64', '10.0.0.0/31'])('%s is refused', (text) => {
    expect(() => parseSubnet(text)).toThrow('is not an IPv4 network');
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestCluster } from '../test-cluster.ts';
import { parseServiceNetwork } from './services.ts';

const services = '/api/v1/namespaces/default/services';
const service = (name: string, spec: object = {}) => ({
  metadata: { name },
  spec: { selector: { app: 'x' }, ports: [{ port: 80 }], ...spec },
});
const merge = { type: 'application/merge-patch+json' };

describe('Services', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ serviceNetwork: '10.7.0.0/28' });
  });
  afterAll(async () => {
    await cluster.stop();
  });

  test('get an address of the network each, and keep it', async () => {
    const one = await cluster.must('POST', services, service('one'));
    const two = await cluster.must('POST', services, service('two'));
    expect([one.spec.clusterIP, two.spec.clusterIP]).toEqual(['10.7.0.2', '10.7.0.3']);
    expect(one.spec).toMatchObject({
      type: 'ClusterIP',
      clusterIPs: ['10.7.0.2'],
      ipFamilies: ['IPv4'],
      ports: [{ protocol: 'TCP', targetPort: 80 }],
    });
    const patched = await cluster.must('PATCH', `${services}/one`, { spec: { selector: { app: 'y' } } }, merge);
    expect(patched.spec.clusterIP).toBe('10.7.0.2');
    expect(
      (await cluster.ask('PATCH', `${services}/one`, { spec: { clusterIP: '10.7.0.9', clusterIPs: ['10.7.0.9'] } }, merge)).status,
    ).toBe(422);
  });

  test('take the address they ask for, unless it is taken or foreign', async () => {
    expect((await cluster.must('POST', services, service('asked', { clusterIP: '10.7.0.1' }))).spec.clusterIP).toBe('10.7.0.1');
    expect((await cluster.must('POST', services, service('headless', { clusterIP: 'None' }))).spec.clusterIP).toBe('None');
    const taken = await cluster.ask('POST', services, service('taken', { clusterIP: '10.7.0.1' }));
    expect(taken.json.message).toContain('already allocated');
    const foreign = await cluster.ask('POST', services, service('foreign', { clusterIP: '192.168.0.1' }));
    expect(foreign.json.message).toContain('not in the valid range. The range of valid IPs is 10.7.0.0/28');
  });

  test('a freed address is used again, a full network is said', async () => {
    await cluster.must('DELETE', `${services}/two`);
    expect((await cluster.must('POST', services, service('three'))).spec.clusterIP).toBe('10.7.0.3');
    const names = Array.from({ length: 20 }, (_, index) => `fill-${index}`);
    const statuses: number[] = [];
    for (const name of names) statuses.push((await cluster.ask('POST', services, service(name))).status);
    expect(new Set(statuses)).toEqual(new Set([201, 422]));
    await cluster.must('DELETE', `${services}?fieldSelector=metadata.name!%3Done`);
  });

  test('node ports are given once, and a warning says that nothing listens there', async () => {
    const answer = await cluster.ask('POST', services, service('ported', { type: 'NodePort' }));
    expect(answer.json.spec.ports[0].nodePort).toBe(30_000);
    expect(answer.headers['warning']).toContain('spec.type NodePort has no effect');
    const clash = await cluster.ask('POST', services, service('clash', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_000 }] }));
    expect(clash.json.message).toContain('provided port is already allocated');
  });

  test.each([
    ['10.96.0.0/16', { size: 65_536 }],
    ['10.0.0.7/24', { size: 256 }],
  ])('%s is a network', (text, expected) => {
    expect(parseServiceNetwork(text)).toMatchObject(expected);
  });
  test.each(['10.0.0.0/8', '10.0.0.0/29', '10.0.0.300/24', 'fd00::/112', ''])('%s is none', (text) => {
    expect(parseServiceNetwork(text)).toBeUndefined();
  });
});

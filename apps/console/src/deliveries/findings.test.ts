import { Finding } from '@desp/model';
import { expect, test } from 'vitest';
import { byWeight, cvesOf } from './findings.ts';

const finding = (over: Partial<Finding>): Finding =>
  Finding.parse({
    kind: 'vulnerability',
    id: 'GHSA-1',
    aliases: [],
    location: 'app',
    severity: 'low',
    scores: [],
    summary: '',
    cure: 'Raise it.',
    ...over,
  });

test('orders by what blocks, then severity, then score', () => {
  const score = (base: number) => [{ source: 's', version: '3.1' as const, base }];
  const all = [
    finding({ id: 'medium', severity: 'medium' }),
    finding({ id: 'high-7', severity: 'high', scores: score(7) }),
    finding({ id: 'unknown', severity: 'unknown' }),
    finding({ id: 'high-8', severity: 'high', scores: score(8) }),
    finding({ id: 'blocking', severity: 'low', blocks: 'Policy.' }),
  ];
  expect(all.toSorted(byWeight).map(({ id }) => id)).toEqual(['blocking', 'high-8', 'high-7', 'unknown', 'medium']);
});

test('names the CVE before the advisory', () =>
  expect(cvesOf(finding({ aliases: ['X-1', 'CVE-2021-44906', 'GHSA-1'] }))).toEqual(['CVE-2021-44906', 'GHSA-1', 'X-1']));

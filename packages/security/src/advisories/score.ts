import type { Score } from '@desp/model';
import * as published from 'ae-cvss-calculator';
import { SecurityError } from '../errors.ts';

/**
 * Base scores of CVSS vectors (FIRST: v2 guide, v3.0, v3.1 and v4.0 specifications).
 *
 * The calculator answers 0 for a vector that it did not understand, which would open the gate: so the vector's grammar
 * is checked here first, metric by metric.
 */
type Version = Score['version'];

const metricsOf: Readonly<Record<Version, Readonly<Record<string, string>>>> = {
  '2.0': { AV: 'L A N', AC: 'H M L', Au: 'M S N', C: 'N P C', I: 'N P C', A: 'N P C' },
  '3.0': { AV: 'N A L P', AC: 'L H', PR: 'N L H', UI: 'N R', S: 'U C', C: 'N L H', I: 'N L H', A: 'N L H' },
  '3.1': { AV: 'N A L P', AC: 'L H', PR: 'N L H', UI: 'N R', S: 'U C', C: 'N L H', I: 'N L H', A: 'N L H' },
  '4.0': {
    AV: 'N A L P',
    AC: 'L H',
    AT: 'N P',
    PR: 'N L H',
    UI: 'N P A',
    VC: 'H L N',
    VI: 'H L N',
    VA: 'H L N',
    SC: 'H L N',
    SI: 'H L N',
    SA: 'H L N',
  },
};

/** Metrics beyond the base (temporal, environmental, threat, supplemental); they do not change a base score and are left out. */
const furtherMetrics: Readonly<Record<Version, readonly string[]>> = {
  '2.0': ['E', 'RL', 'RC', 'CDP', 'TD', 'CR', 'IR', 'AR'],
  '3.0': ['E', 'RL', 'RC', 'CR', 'IR', 'AR', 'MAV', 'MAC', 'MPR', 'MUI', 'MS', 'MC', 'MI', 'MA'],
  '3.1': ['E', 'RL', 'RC', 'CR', 'IR', 'AR', 'MAV', 'MAC', 'MPR', 'MUI', 'MS', 'MC', 'MI', 'MA'],
  '4.0': [
    'E',
    'CR',
    'IR',
    'AR',
    'MAV',
    'MAC',
    'MAT',
    'MPR',
    'MUI',
    'MVC',
    'MVI',
    'MVA',
    'MSC',
    'MSI',
    'MSA',
    'S',
    'AU',
    'R',
    'V',
    'RE',
    'U',
  ],
};

const refuse = (vector: string, why: string): never => {
  throw new SecurityError('VECTOR_INVALID', `The CVSS vector ${JSON.stringify(vector.slice(0, 200))} ${why}.`, {
    cure: 'Correct the advisory or the report; a vector that cannot be read never counts as harmless.',
  });
};

// The library is one UMD file: Node shows its exports under `default`, bundlers by name.
const calculators = (published as unknown as { default?: typeof published }).default ?? published;

function calculate(version: Version, vector: string): number | undefined {
  switch (version) {
    case '2.0':
      return new calculators.Cvss2(vector).calculateScores().base;
    case '3.0':
      return new calculators.Cvss3P0(vector).calculateScores().base;
    case '3.1':
      return new calculators.Cvss3P1(vector).calculateScores().base;
    case '4.0':
      return new calculators.Cvss4P0(vector).calculateScores().base;
  }
}

/** Version and base score of a vector; throws VECTOR_INVALID unless every base metric stands there exactly once with a value that the version knows. */
export function scoreVector(vector: string): Omit<Score, 'source'> {
  const prefix = /^CVSS:(3\.0|3\.1|4\.0)\//.exec(vector);
  const version = (prefix?.[1] ?? '2.0') as Version;
  const body = prefix ? vector.slice(prefix[0].length) : vector;
  if (vector.length > 300 || (!prefix && vector.startsWith('CVSS:'))) refuse(vector, 'is of no known version');
  const base = metricsOf[version];
  const seen = new Set<string>();
  const kept: string[] = [];
  for (const part of body.split('/')) {
    const [metric = '', value, more] = part.split(':');
    if (value === undefined || value === '' || more !== undefined) refuse(vector, `has the malformed part ${JSON.stringify(part)}`);
    if (seen.has(metric)) refuse(vector, `gives ${metric} twice`);
    seen.add(metric);
    const values = Object.hasOwn(base, metric) ? base[metric] : undefined;
    if (values?.split(' ').includes(value as string)) kept.push(part);
    else if (values || !furtherMetrics[version].includes(metric))
      refuse(vector, `has ${JSON.stringify(part)}, which CVSS ${version} does not know`);
  }
  const missing = Object.keys(base).filter((metric) => !seen.has(metric));
  if (missing.length > 0) refuse(vector, `lacks ${missing.join(', ')}`);
  const score = calculate(version, `${prefix?.[0] ?? ''}${kept.join('/')}`);
  return { version, base: score !== undefined && Number.isFinite(score) ? score : refuse(vector, 'could not be scored'), vector };
}

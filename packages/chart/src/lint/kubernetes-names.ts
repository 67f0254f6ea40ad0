import { byteLength, quote } from '../value/text.ts';

/** Which names Kubernetes takes for objects of a kind, in the words of its validation (k8s.io/apimachinery). */

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = new RegExp(`^${label}(\\.${label})*$`);
const rfc1123 = new RegExp(`^${label}$`);
const rfc1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

type NameRule = (name: string) => string[];

const longest = (most: number): string => `must be no more than ${most} characters`;

const expected = (rule: string, example: string, pattern: string): string =>
  `${rule} (e.g. ${example}, regex used for validation is '${pattern}')`;

const isSubdomain: NameRule = (name) => [
  ...(byteLength(name) > 253 ? [longest(253)] : []),
  ...(subdomain.test(name)
    ? []
    : [
        expected(
          "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
          "'example.com'",
          `${label}(\\.${label})*`,
        ),
      ]),
];

const isLabel: NameRule = (name) => [
  ...(byteLength(name) > 63 ? [longest(63)] : []),
  ...(rfc1123.test(name)
    ? []
    : [
        subdomain.test(name)
          ? 'must not contain dots'
          : expected(
              "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
              "'my-name',  or '123-abc'",
              label,
            ),
      ]),
];

const isServiceName: NameRule = (name) => [
  ...(byteLength(name) > 63 ? [longest(63)] : []),
  ...(rfc1035.test(name)
    ? []
    : [
        expected(
          "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
          "'my-name',  or 'abc-123'",
          '[a-z]([-a-z0-9]*[a-z0-9])?',
        ),
      ]),
];

const isPathSegment: NameRule = (name) => {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return ['/', '%'].filter((character) => name.includes(character)).map((character) => `may not contain '${character}'`);
};

const rules = new Map<string, NameRule>([
  ['service', isServiceName],
  ['namespace', isLabel],
  ['certificatesigningrequest', () => []],
  ...['role', 'clusterrole', 'rolebinding', 'clusterrolebinding'].map((kind): [string, NameRule] => [kind, isPathSegment]),
]);

/** Why the name is none for this kind; undefined where it is one. */
export function nameProblem(kind: string, name: string): string | undefined {
  const problems = (rules.get(kind.toLowerCase()) ?? isSubdomain)(name).map(
    (problem) => `metadata.name: Invalid value: ${quote(name)}: ${problem}`,
  );
  if (problems.length === 0) return undefined;
  const all = problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`;
  return `object name does not conform to Kubernetes naming requirements: ${quote(name)}: ${all}`;
}

/**
 * The shapes of names (apimachinery `util/validation`); each function gives what is wrong, in its words, and nothing when all is well.
 */
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const label1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const qualified = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

const bytes = (text: string): number => Buffer.byteLength(text, 'utf8');
const tooLong = (limit: number): string => `must be no more than ${limit} bytes`;
const regexText = (message: string, pattern: string, ...examples: string[]): string =>
  `${message} (e.g. ${examples.map((example) => `'${example}'`).join(' or ')}, regex used for validation is '${pattern}')`;

const labelText = regexText(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  '[a-z0-9]([-a-z0-9]*[a-z0-9])?',
  'my-name',
  '123-abc',
).replace("'my-name' or '123-abc'", "'my-name',  or '123-abc'");
const label1035Text = regexText(
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  '[a-z]([-a-z0-9]*[a-z0-9])?',
  'my-name',
  'abc-123',
).replace("'my-name' or 'abc-123'", "'my-name',  or 'abc-123'");
const subdomainText = regexText(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*',
  'example.com',
);
const qualifiedPattern = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const qualifiedText = regexText(
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  qualifiedPattern,
  'MyName',
  'my.name',
  '123-abc',
).replace("'MyName' or 'my.name' or '123-abc'", "'MyName',  or 'my.name',  or '123-abc'");
const valueText = regexText(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?',
  'MyValue',
  'my_value',
  '12345',
).replace("'MyValue' or 'my_value' or '12345'", "'MyValue',  or 'my_value',  or '12345'");

const check = (text: string, limit: number, pattern: RegExp, message: string): string[] => [
  ...(bytes(text) > limit ? [tooLong(limit)] : []),
  ...(bytes(text) <= limit && pattern.test(text) ? [] : bytes(text) > limit ? [] : [message]),
];

export const dnsLabelErrors = (text: string): string[] => check(text, 63, label, labelText);
export const dns1035Errors = (text: string): string[] => check(text, 63, label1035, label1035Text);
export const dnsSubdomainErrors = (text: string): string[] => check(text, 253, subdomain, subdomainText);

/** Names of roles and the like: anything that fits into a path. */
export function pathSegmentErrors(text: string): string[] {
  if (text === '.' || text === '..') return [`may not be '${text}'`];
  return ['/', '%'].filter((part) => text.includes(part)).map((part) => `may not contain '${part}'`);
}

/** Label and annotation keys: an optional DNS prefix, a slash, a name of up to 63 characters. */
export function qualifiedNameErrors(text: string): string[] {
  const parts = text.split('/');
  const [prefix, name] = parts.length === 2 ? parts : [undefined, parts[0]];
  if (parts.length > 2 || name === undefined)
    return [
      `a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${qualifiedPattern}') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  const errors: string[] = [];
  if (prefix !== undefined) {
    if (prefix === '') errors.push('prefix part must be non-empty');
    else errors.push(...dnsSubdomainErrors(prefix).map((error) => `prefix part ${error}`));
  }
  if (name === '') errors.push('name part must be non-empty');
  else if (bytes(name) > 63) errors.push(`name part ${tooLong(63)}`);
  if (name.length > 256 || !qualified.test(name)) errors.push(qualifiedText);
  return errors;
}

export function labelValueErrors(text: string): string[] {
  if (bytes(text) > 63) return [tooLong(63)];
  return text === '' || qualified.test(text) ? [] : [valueText];
}

/** Keys of ConfigMaps and Secrets. */
export function configKeyErrors(text: string): string[] {
  if (bytes(text) > 253) return [tooLong(253)];
  if (text === '.' || text === '..') return [`must not be '${text}'`];
  if (text.startsWith('..')) return ["must not start with '..'"];
  return /^[-._a-zA-Z0-9]+$/.test(text)
    ? []
    : [
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
      ];
}

/** Names of environment variables: printable ASCII without `=`. */
export function envNameErrors(text: string): string[] {
  return /^[ -<>-~]+$/.test(text)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

/** Names of ports (IANA service names). */
export function portNameErrors(text: string): string[] {
  const errors: string[] = [];
  if (bytes(text) > 15) errors.push('must be no more than 15 characters');
  if (!/^[-a-z0-9]{1,63}$/.test(text)) errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(text)) errors.push('must contain at least one letter (a-z)');
  if (text.includes('--')) errors.push('must not contain consecutive hyphens');
  if (/^-|-$/.test(text)) errors.push('must not begin or end with a hyphen');
  return errors;
}

/** Host names of ingresses: a DNS name, or one with `*.` in front. */
export function hostErrors(text: string): string[] {
  if (!text.includes('*')) return dnsSubdomainErrors(text);
  return bytes(text) <= 253 && text.startsWith('*.') && subdomain.test(text.slice(2))
    ? []
    : [
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ];
}

/**
 * What a secret in source looks like (DESP-DEV-003). Each pattern is linear: no nested repetition, every repetition
 * bounded, so that a hostile file costs no more than its length.
 *
 * A rule's first group is the secret. Well-known tokens are found by their own marks; assignments of passwords need a
 * value that looks made by chance, or code would drown in false alarms.
 */
export interface SecretRule {
  readonly id: string;
  readonly what: string;
  readonly pattern: RegExp;
  /** Cheap words of which one must occur in the line, in lower case. */
  readonly words: readonly string[];
  /** Says whether a match is meant seriously; without it every match is. */
  readonly accept?: (secret: string, line: string, path: string) => boolean;
}

/** Bits per character of the text's own distribution (Shannon). */
export function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

const placeholders =
  /^(?:x+|\*+|\.+|-+|_+|<.*>|\[.*\]|\{.*\}|\$.*|%.*|.*\$\{.*|.*\{\{.*|.*\$\(.*|(?:your|my|the|some|a|an|test|fake|dummy|sample|example|placeholder|change|replace|insert|enter|todo|none|null|nil|undefined|true|false|secret|password|passwd|pass|token|key|string|value|env|vault|secretkeyref|admin|root|user|default|required|optional)(?:[-_. ]?[a-z]{0,12}){0,3})$/i;
/** Expressions that fetch a value rather than hold one. */
const expression =
  /(?:process\.env|os\.environ|getenv|import\.meta|System\.get|secrets\.|\.Values|valueFrom|config\.|settings\.|\bself\.|\bthis\.|\(|\)|=>|::)/;

/** A value that somebody may really log in with: not a placeholder, not a name or an expression. */
export function looksSecret(value: string): boolean {
  if (value.length < 8 || /\s/.test(value) || placeholders.test(value) || expression.test(value)) return false;
  if (/^https?:\/\/[^@]*$/.test(value) || /^[./~][\w./-]*$/.test(value) || /^[\w-]+(?:\.[\w-]+)+$/.test(value)) return false;
  if (/example|placeholder|changeme|redacted|your[-_]/i.test(value)) return false;
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^a-zA-Z0-9]/].filter((kind) => kind.test(value)).length;
  // Words joined by dashes, underscores or blanks are names; letters alone are a word or an identifier.
  if (/^[a-zA-Z]+(?:[-_ :/.][a-zA-Z]+)*$/.test(value)) return false;
  return kinds >= 2 && entropy(value) >= (value.length >= 16 ? 3 : 2.5);
}

/** In programs a value without quotes is a name or a type; in settings it is the value. */
const programText = /\.(?:[cm]?[jt]sx?|vue|svelte|go|java|kt|scala|rs|c|h|cc|cpp|hpp|cs|swift|rb|php|py|lua|dart)$/;

const token = (id: string, what: string, words: string[], pattern: RegExp, minimumEntropy = 3): SecretRule => ({
  id,
  what,
  words,
  pattern,
  accept: (secret) => entropy(secret) >= minimumEntropy && !/example/i.test(secret),
});

export const secretRules: readonly SecretRule[] = [
  {
    id: 'private-key',
    what: 'a private key',
    words: ['private key'],
    pattern: /-----BEGIN ((?:RSA |EC |DSA |OPENSSH |ENCRYPTED |PGP )?PRIVATE KEY(?: BLOCK)?)-----/g,
    // Code that handles keys names the mark; a key has its body behind it, on this line or on the next.
    accept: (secret, line) => {
      const rest = line.slice(line.indexOf(secret) + secret.length).replace(/^-+/, '');
      return /^(?:\\r)?(?:\\n)?(?:['"`]?[\s+,]*$|\s*[A-Za-z0-9+/=]{16})/.test(rest) && !/^['"`]/.test(rest);
    },
  },
  token('aws-access-key', 'an AWS access key ID', ['akia', 'asia'], /\b((?:AKIA|ASIA)[A-Z2-7]{16})\b/g),
  token(
    'aws-secret-key',
    'an AWS secret access key',
    ['aws', 'secret'],
    /aws.{0,20}?secret.{0,30}?['"=:\s]([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/gi,
    4,
  ),
  token(
    'gitlab-token',
    'a GitLab token',
    ['glpat-', 'gldt-', 'glrt-', 'glcbt-', 'glptt-', 'glsoat-', 'gloas-'],
    /\b(gl(?:pat|dt|rt|cbt|ptt|soat|oas)-[A-Za-z0-9_.-]{20,300})/g,
  ),
  token(
    'github-token',
    'a GitHub token',
    ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
    /\b(gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b/g,
  ),
  token('slack-token', 'a Slack token', ['xox'], /\b(xox[abprs]-[A-Za-z0-9-]{10,250})\b/g),
  token(
    'slack-webhook',
    'a Slack webhook address',
    ['hooks.slack.com'],
    /(https:\/\/hooks\.slack\.com\/services\/[A-Z0-9]{6,15}\/[A-Z0-9]{6,15}\/[A-Za-z0-9]{20,30})/g,
  ),
  token('vault-token', 'a Vault token', ['hvs.', 'hvb.', 'hvr.'], /\b(hv[sbr]\.[A-Za-z0-9_-]{20,300})/g),
  token('npm-token', 'an npm token', ['npm_'], /\b(npm_[A-Za-z0-9]{36})\b/g),
  token('google-api-key', 'a Google API key', ['aiza'], /\b(AIza[A-Za-z0-9_-]{35})/g),
  token('stripe-key', 'a Stripe secret key', ['sk_live_', 'rk_live_'], /\b([sr]k_live_[A-Za-z0-9]{20,200})\b/g),
  token('jwt', 'a signed token (JWT)', ['eyj'], /\b(eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{20,1000})/g, 4),
  {
    id: 'docker-auth',
    what: 'registry credentials',
    words: ['"auth"'],
    pattern: /"auth"\s{0,10}:\s{0,10}"([A-Za-z0-9+/]{8,2000}={0,2})"/g,
    accept: (secret) => {
      try {
        return /^[^:\s]+:.{3,}$/.test(atob(secret));
      } catch {
        return false;
      }
    },
  },
  {
    id: 'url-password',
    what: 'a password in an address',
    words: ['://'],
    pattern: /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@'"<>]{1,100}:([^\s/@'"<>]{3,200})@[\w.-]/gi,
    accept: (secret) => !placeholders.test(secret) && !expression.test(secret) && !/^\$|example/i.test(secret),
  },
  {
    id: 'assigned-password',
    what: 'a password or key in an assignment',
    words: [
      'passw',
      'pwd',
      'secret',
      'token',
      'api_key',
      'apikey',
      'api-key',
      'access_key',
      'accesskey',
      'access-key',
      'private_key',
      'privatekey',
      'credential',
    ],
    pattern:
      /(?:^|[\s'"`{,;(_.-]|[a-z](?=[A-Z]))(?:password|passwd|passphrase|pwd|secret|secret[_-]?key|client[_-]?secret|auth[_-]?token|access[_-]?token|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)['"`]?\s{0,10}(?:=>|:=|=|:)\s{0,10}(?:"([^"\n]{8,500})"|'([^'\n]{8,500})'|`([^`\n]{8,500})`|([^\s'"`,;(){}[\]<>#&|]{8,500})(?:\s{0,10}(?:$|#|,|;)))/gi,
    accept: (secret, line, path) =>
      looksSecret(secret) &&
      !(programText.test(path) && !['"', "'", '`'].some((quote) => line.includes(quote + secret + quote))) &&
      !/\b(?:sha256|sha512|integrity|checksum|digest)\b/i.test(line),
  },
];

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Informer, Secret } from '@desp/kube';
import { hashApr1 } from './apr1.ts';
import type { Authenticate } from './proxy.ts';

/** Basic authentication against a Secret's key `auth` in htpasswd's format: `$apr1$`, `{SHA}` and `{PLAIN}`; others fail closed. */

const maxLines = 1000;
const maxPassword = 256;

export function createBasicAuth(secrets: Informer<Secret>): Authenticate {
  return async (request, { secret: name, realm }, namespace) => {
    const text = secrets.get(`${namespace}/${name}`)?.data?.['auth'];
    if (text === undefined) return { status: 503, sentence: `The Secret ${name} with the passwords of this service is missing.` };
    const users = parseHtpasswd(Buffer.from(text, 'base64').toString('utf8'));
    const given = credentialsOf(request.headers.authorization);
    const hash = given === undefined ? undefined : users.get(given.user);
    if (given !== undefined && hash !== undefined && isPassword(given.password, hash)) return undefined;
    const challenge = `Basic realm="${realm.replace(/[^\x20-\x7e]|["\\]/g, '')}"`;
    return { status: 401, sentence: 'This service asks for a name and a password.', headers: { 'www-authenticate': challenge } };
  };
}

function parseHtpasswd(text: string): Map<string, string> {
  const users = new Map<string, string>();
  for (const line of text.split('\n', maxLines)) {
    const at = line.indexOf(':');
    if (at > 0 && !line.startsWith('#')) users.set(line.slice(0, at), line.slice(at + 1).trim());
  }
  return users;
}

function credentialsOf(header: string | undefined): { user: string; password: string } | undefined {
  const [, encoded] = /^Basic ([A-Za-z0-9+/=]{1,1024})$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const at = text.indexOf(':');
  return at < 0 || text.length - at > maxPassword ? undefined : { user: text.slice(0, at), password: text.slice(at + 1) };
}

/** True when the password has this hash; false for a kind of hash that we do not know. */
export function isPassword(password: string, hash: string): boolean {
  const [, salt] = /^\$apr1\$([^$]{1,8})\$/.exec(hash) ?? [];
  if (salt !== undefined) return equal(hashApr1(password, salt), hash);
  if (hash.startsWith('{SHA}')) return equal(`{SHA}${createHash('sha1').update(password).digest('base64')}`, hash);
  return hash.startsWith('{PLAIN}') && equal(`{PLAIN}${password}`, hash);
}

function equal(a: string, b: string): boolean {
  const [one, two] = [a, b].map((text) => createHash('sha256').update(text).digest());
  return one !== undefined && two !== undefined && timingSafeEqual(one, two);
}

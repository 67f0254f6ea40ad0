import { fromBytes, toBytes } from '../value/text.ts';
import { base64Decode, base64Encode } from './bases.ts';
import { bcrypt, maxPasswordBytes } from './bcrypt.ts';
import { type CallContext, contextual, type FunctionGroup, fail } from './define.ts';

/** Passwords and encryption of sprig. */

const bcryptCost = 10;

function hashPassword(context: CallContext, password: string): string {
  const bytes = toBytes(password);
  if (bytes.length > maxPasswordBytes) return 'failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes';
  return bcrypt(bytes, context.crypto.randomBytes(16), bcryptCost);
}

const missing = (what: string): never => fail(`no cryptography is given to this render: ${what} is not available`);

/** Shapes of passwords in the Master Password algorithm; each letter names a set of characters. */
const passwordTemplates: Readonly<Record<string, readonly string[]>> = {
  maximum: ['anoxxxxxxxxxxxxxxxxx', 'axxxxxxxxxxxxxxxxxno'],
  long: [
    'CvcvnoCvcvCvcv',
    'CvcvCvcvnoCvcv',
    'CvcvCvcvCvcvno',
    'CvccnoCvcvCvcv',
    'CvccCvcvnoCvcv',
    'CvccCvcvCvcvno',
    'CvcvnoCvccCvcv',
    'CvcvCvccnoCvcv',
    'CvcvCvccCvcvno',
    'CvcvnoCvcvCvcc',
    'CvcvCvcvnoCvcc',
    'CvcvCvcvCvccno',
    'CvccnoCvccCvcv',
    'CvccCvccnoCvcv',
    'CvccCvccCvcvno',
    'CvcvnoCvccCvcc',
    'CvcvCvccnoCvcc',
    'CvcvCvccCvccno',
    'CvccnoCvcvCvcc',
    'CvccCvcvnoCvcc',
    'CvccCvcvCvccno',
  ],
  medium: ['CvcnoCvc', 'CvcCvcno'],
  short: ['Cvcn'],
  basic: ['aaanaaan', 'aannaaan', 'aaannaaa'],
  pin: ['nnnn'],
};

const passwordCharacters: Readonly<Record<string, string>> = {
  V: 'AEIOU',
  C: 'BCDFGHJKLMNPQRSTVWXYZ',
  v: 'aeiou',
  c: 'bcdfghjklmnpqrstvwxyz',
  A: 'AEIOUBCDFGHJKLMNPQRSTVWXYZ',
  a: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz',
  n: '0123456789',
  o: "@&%?,=[]_:-+*$#!'^~;()/.",
  x: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()',
};

const passwordSeed = 'com.lyndir.masterpassword';

function bigEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

const join = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

function derivePassword(context: CallContext, counter: number, type: string, password: string, user: string, site: string): string {
  const templates = Object.hasOwn(passwordTemplates, type) ? passwordTemplates[type] : undefined;
  if (!templates) return `cannot find password template ${type}`;
  const { scrypt, hmacSha256 } = context.crypto;
  if (!scrypt || !hmacSha256) return missing('derivePassword');
  const [userBytes, siteBytes, seedName] = [toBytes(user), toBytes(site), toBytes(passwordSeed)];
  const key = scrypt(toBytes(password), join(seedName, bigEndian(userBytes.length), userBytes), 32_768, 8, 2, 64);
  const seed = hmacSha256(key, join(seedName, bigEndian(siteBytes.length), siteBytes, bigEndian(counter)));
  const template = templates[(seed[0] as number) % templates.length] as string;
  return Array.from(template, (kind, index) => {
    const characters = passwordCharacters[kind] as string;
    return characters[(seed[index + 1] as number) % characters.length];
  }).join('');
}

const blockSize = 16;

function aesKey(password: string): Uint8Array {
  const key = new Uint8Array(32);
  key.set(toBytes(password).subarray(0, 32));
  return key;
}

function encrypt(context: CallContext, password: string, text: string): string {
  if (text === '') return '';
  if (!context.crypto.aes256cbc) return missing('encryptAES');
  const plain = toBytes(text);
  const padding = blockSize - (plain.length % blockSize);
  const padded = new Uint8Array(plain.length + padding).fill(padding);
  padded.set(plain);
  const iv = context.crypto.randomBytes(blockSize);
  return base64Encode(join(iv, context.crypto.aes256cbc('encrypt', aesKey(password), iv, padded)));
}

function decrypt(context: CallContext, password: string, text: string): string {
  if (text === '') return '';
  if (!context.crypto.aes256cbc) return missing('decryptAES');
  const bytes = base64Decode(text);
  if (typeof bytes === 'string') return fail(bytes);
  if (bytes.length < blockSize) return fail(`runtime error: slice bounds out of range [:${blockSize}] with capacity ${bytes.length}`);
  const body = bytes.subarray(blockSize);
  if (body.length % blockSize !== 0) return fail('crypto/cipher: input not full blocks');
  if (body.length === 0) return fail('runtime error: index out of range [-1]');
  const plain = context.crypto.aes256cbc('decrypt', aesKey(password), bytes.subarray(0, blockSize), body);
  const end = plain.length - (plain.at(-1) as number);
  return end < 0 ? fail(`runtime error: slice bounds out of range [:${end}]`) : fromBytes(plain.subarray(0, end));
}

export const secretFunctions: FunctionGroup = {
  bcrypt: contextual(['string'], hashPassword),
  decryptAES: contextual(['string', 'string'], decrypt),
  derivePassword: contextual(['uint32', 'string', 'string', 'string', 'string'], (context, counter, ...rest) =>
    derivePassword(context, Number(counter.value), ...rest),
  ),
  encryptAES: contextual(['string', 'string'], encrypt),
  htpasswd: contextual(['string', 'string'], (context, user, password) =>
    user.includes(':') ? `invalid username: ${user}` : `${user}:${hashPassword(context, password)}`,
  ),
};

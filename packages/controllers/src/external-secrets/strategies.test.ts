import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBase64 } from './go-base64.ts';
import { checkKeys, convertKeys, decodeMap, decodeValue } from './strategies.ts';

const map = (entries: Record<string, string>) => new Map(Object.entries(entries).map(([key, value]) => [key, Buffer.from(value)]));
const texts = (data: ReadonlyMap<string, Uint8Array>) =>
  Object.fromEntries([...data].map(([key, value]) => [key, Buffer.from(value).toString('utf8')]));

describe('conversion of keys', () => {
  test.each([
    ['Default', 'a b/c', 'a_b_c'],
    ['Unicode', 'a b', 'a_U0020_b'],
    ['None', 'a b', 'a b'],
    ['Default', '.docker-config_1', '.docker-config_1'],
  ] as const)('%s makes %j into %j', (strategy, key, expected) => {
    expect([...convertKeys(map({ [key]: '' }), strategy).keys()]).toEqual([expected]);
  });
  test('two names that become one are an error', () => {
    expect(() => convertKeys(map({ 'a b': '', 'a/b': '' }), 'Default')).toThrow('secret name collision during conversion: a_b');
  });
  test('what no Secret can hold is refused', () => {
    for (const key of ['', 'é', 'a b', 'x'.repeat(254)]) expect(() => checkKeys(map({ [key]: '' }))).toThrow('invalid secret keys');
    expect(() => checkKeys(map({ ['x'.repeat(253)]: '', '.a-b_C.9': '' }))).not.toThrow();
  });
});

describe('decoding', () => {
  test('Base64 names strategy, key and byte as Go does', () => {
    expect(() => decodeMap(map({ access: 'accessForS3' }), 'Base64')).toThrow(
      'error applying decoding strategy Base64 to data: failure decoding key access: illegal base64 data at input byte 8',
    );
    expect(() => decodeMap(map({ '.dockerconfigjson': '{"auths":{}}' }), 'Base64')).toThrow('illegal base64 data at input byte 0');
  });
  test('Auto takes Base64, then Base64URL, then the text itself', () => {
    expect(texts(decodeMap(map({ a: 'aGk/', b: 'aGk_', c: 'not base64!' }), 'Auto'))).toEqual({ a: 'hi?', b: 'hi?', c: 'not base64!' });
    expect(Buffer.from(decodeValue(Buffer.from('aGk_'), 'Base64URL')).toString()).toBe('hi?');
    expect(decodeValue(Buffer.from('aGk='), 'None')).toEqual(Buffer.from('aGk='));
  });
  test.each([
    ['', 0, undefined],
    ['YQ==', 1, undefined],
    ['YQ=\n=\n', 1, undefined],
    ['YQ', undefined, 0],
    ['YQ=', undefined, 3],
    ['YQ==x', undefined, 4],
    ['Y', undefined, 0],
    ['=', undefined, 0],
    ['YWJj!', undefined, 4],
    ['YWI=YWI=', undefined, 4],
  ])('%j: length %s, error at %s', (text, length, offset) => {
    const decoded = decodeBase64(Buffer.from(text), 'standard');
    expect(decoded.ok ? [decoded.bytes.length, undefined] : [undefined, decoded.offset]).toEqual([length, offset]);
  });
  test('what was encoded comes back, in both alphabets, line ends or not', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64');
        const lines = text.replace(/.{10}/g, '$&\r\n');
        for (const [input, alphabet] of [
          [text, 'standard'],
          [lines, 'standard'],
          [text.replaceAll('+', '-').replaceAll('/', '_'), 'url'],
        ] as const) {
          const decoded = decodeBase64(Buffer.from(input), alphabet);
          expect(decoded.ok && Buffer.from(decoded.bytes).equals(Buffer.from(bytes))).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });
  test('any bytes end in an answer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const decoded = decodeBase64(bytes, 'standard');
        if (!decoded.ok) expect(decoded.offset).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 300 },
    );
  });
});

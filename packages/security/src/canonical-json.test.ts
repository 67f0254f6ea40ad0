import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalBytes, canonicalJson, parseCanonicalJson } from './canonical-json.ts';
import { utf8 } from './encoding.ts';

/** RFC 8785: the sample of section 3.2.2 and 3.2.3, and numbers of appendix B. */
test('the sample of RFC 8785', () => {
  const value = {
    numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\u0022\u002f",
    literals: [null, true, false],
  };
  expect(canonicalJson(value)).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
});

test('keys stand in the order of UTF-16 code units', () => {
  const keys = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
  const text = canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])));
  expect(Object.keys(JSON.parse(text))).toEqual(['1', '\r', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33']);
});

test.each([
  [0, '0'],
  [-0, '0'],
  [5e-324, '5e-324'],
  [1.7976931348623157e308, '1.7976931348623157e+308'],
  [9007199254740992, '9007199254740992'],
  [295147905179352830000, '295147905179352830000'],
  [1e21, '1e+21'],
  [0.000001, '0.000001'],
])('number %d', (value, text) => {
  expect(canonicalJson(value)).toBe(text);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, undefined, [undefined], () => 1, new Date(), '\ud800', { '\udc00': 1 }, 1n])(
  'refuses %s',
  (value) => {
    expect(() => canonicalJson(value)).toThrow(expect.objectContaining({ code: 'JSON_INVALID' }));
  },
);

test.each([
  '{"a":1, "b":2}',
  '{"b":1,"a":2}',
  '{"a":1,"a":1}',
  '{"a":1}\n',
  '[1.0]',
  '["\\u0041"]',
  '\ufeff{}',
  '{}{}',
  '',
  '[1e2]',
  '["\\/"]',
  '[-0]',
  '{"__proto__":1,"__proto__":2}',
])('reads no other spelling: %j', (text) => {
  expect(() => parseCanonicalJson(utf8(text), 1000)).toThrow(expect.objectContaining({ code: 'JSON_INVALID' }));
});

test('what was written is read back, byte for byte', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }), (value) => {
      const bytes = canonicalBytes(value);
      expect(canonicalJson(parseCanonicalJson(bytes, 1e6))).toBe(new TextDecoder().decode(bytes));
    }),
    { numRuns: 150 },
  );
});

test('bounds size and depth', () => {
  expect(() => parseCanonicalJson(utf8('[1,2,3]'), 5)).toThrow(expect.objectContaining({ code: 'JSON_INVALID' }));
  expect(() => parseCanonicalJson(utf8('['.repeat(50_000) + ']'.repeat(50_000)), 1e6)).toThrow(
    expect.objectContaining({ code: 'JSON_INVALID' }),
  );
});

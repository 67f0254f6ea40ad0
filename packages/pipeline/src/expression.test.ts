import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileExpression, ExpressionError } from './expression.ts';

const variables = new Map([
  ['PRESENT', 'my variable'],
  ['EMPTY', ''],
  ['PATH', 'a/path'],
  ['PATTERN', '/^my/'],
  ['NO_PATTERN', 'my'],
]);

/** GitLab's documented and tested behaviour: `&&` and `||` yield operands, of which only absence is false. */
test.each([
  ['$PRESENT', true],
  ['$EMPTY', false],
  ['$ABSENT', false],
  ['null', false],
  ['"text"', true],
  ['"  "', false],
  ['$PRESENT == "my variable"', true],
  ["'my variable' == $PRESENT", true],
  ['$EMPTY == ""', true],
  ['$EMPTY == null', false],
  ['$ABSENT == null', true],
  ['$ABSENT == ""', false],
  ['$ABSENT != "x"', true],
  ['$PRESENT =~ /var/', true],
  ['$PRESENT =~ /VAR/', false],
  ['$PRESENT =~ /VAR/i', true],
  ['$PRESENT !~ /var/', false],
  ['$PATH =~ /^a\\/p/', true],
  ['$ABSENT =~ /x/', false],
  ['$ABSENT !~ /x/', true],
  ['$PRESENT =~ $PATTERN', true],
  ['$PRESENT =~ $NO_PATTERN', false],
  ['$PRESENT !~ $NO_PATTERN', true],
  ['$EMPTY && $PRESENT', true],
  ['$PRESENT && $EMPTY', false],
  ['null && $PRESENT', false],
  ['null || $PRESENT', true],
  ['$EMPTY || $PRESENT', false],
  ['$ABSENT == null && ($PRESENT == "x" || $PRESENT =~ /^my/)', true],
  ['$PRESENT == "x" || $ABSENT == null && $EMPTY == ""', true],
])('%s is %s', (text, expected) => {
  expect(compileExpression(text)(variables)).toBe(expected);
});

test.each(['', '$A ==', '== "x"', '$A "x"', '($A', '$A)', '$A = "x"', '/(?=x)/', '$A =~ /[/', 'true', '"open', '()'])(
  '%s is refused',
  (text) => {
    expect(() => compileExpression(text)).toThrow(ExpressionError);
  },
);

test('a pattern that would blow up a backtracking matcher is linear', () => {
  const started = performance.now();
  expect(compileExpression('$A =~ /^(a+)+$/')(new Map([['A', `${'a'.repeat(5000)}b`]]))).toBe(false);
  expect(performance.now() - started).toBeLessThan(2000);
});

test('deep parentheses and long texts end', () => {
  expect(() => compileExpression(`${'('.repeat(100)}$A${')'.repeat(100)}`)).toThrow('nested deeper');
  expect(() => compileExpression(`$A == "${'x'.repeat(5000)}"`)).toThrow('longer than');
});

test('whatever the text, it compiles or is refused', () => {
  const part = fc.constantFrom('$A', '"x"', 'null', '/x/', '==', '!=', '=~', '!~', '&&', '||', '(', ')', ' ', '/', '\\', "'");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
      try {
        expect(typeof compileExpression(parts.join(''))(variables)).toBe('boolean');
      } catch (error) {
        expect(error).toBeInstanceOf(ExpressionError);
      }
    }),
    { numRuns: 500 },
  );
});

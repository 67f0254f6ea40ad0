import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { functionsOf } from '../functions/registry.ts';
import { profileOf } from '../profile.ts';
import { TemplateSyntaxError } from './failures.ts';
import { parseTemplate } from './parser.ts';
import { Phrases } from './phrases.ts';
import { readPlainPhrase } from './plain-phrases.ts';

const functions = functionsOf(profileOf('helm4'));
const isFunction = (name: string): boolean => functions.has(name);

/** The parser reads all by itself. */
class NoPlainPhrases extends Phrases {
  override plain(): undefined {
    return undefined;
  }
}

interface Outcome {
  readonly trees?: unknown;
  readonly failure?: string;
  readonly spent: number;
}

function outcome(source: string, phrases: Phrases): Outcome {
  let spent = 0;
  const spend = (steps: number): void => {
    spent += steps;
  };
  try {
    return { trees: parseTemplate('t', source, isFunction, phrases, spend), spent };
  } catch (error) {
    if (error instanceof TemplateSyntaxError) return { failure: error.message, spent };
    throw error;
  }
}

function expectSame(source: string): void {
  const plain = outcome(source, new Phrases());
  const parsed = outcome(source, new NoPlainPhrases());
  expect({ ...plain, spent: 0 }, source).toEqual({ ...parsed, spent: 0 });
  expect(plain.spent, source).toBeLessThanOrEqual(parsed.spent);
  expect(plain.spent, source).toBeGreaterThanOrEqual(0.7 * parsed.spent);
}

describe('reads what the parser reads, node by node', () => {
  test.each([
    ' .a ',
    '.a.b.c',
    ' .a.b -',
    '\n\t.a\r\n',
    ' if .Values.x ',
    ' if  .Values.x  -',
    ' range .Values.x ',
    ' with $ ',
    ' $.Values.a.b ',
    ' $a.b | quote ',
    ' include "x" . | nindent 4 ',
    ' include "x.y" $ -',
    ' default true .a ',
    ' eq .a "é" false 12 ',
    ' . ',
    ' $ | toYaml | indent 007 ',
    ' "text" ',
    ' 12 | add 1 ',
  ])('%s', (phrase) => {
    expect(readPlainPhrase(phrase, isFunction), phrase).toBeDefined();
    const body = /^\s*(if|with|range)\b/.test(phrase) ? 'x{{ end }}' : '';
    expectSame(`{{ $a := 1 }}{{${phrase.startsWith('\n') || /^[ .]/.test(phrase) ? phrase : ` ${phrase}`}}}${body}\n{{- .b }}`);
  });

  test.each([
    [
      '',
      ' ',
      ' -',
      'if',
      ' if ',
      ' else ',
      ' end ',
      ' nil ',
      ' break ',
      ' template "x" ',
      ' .a | ',
      ' | .a ',
      ' .a || .b ',
      ' .a | .b ',
      ' .a | 4 ',
    ],
    [
      ' (.a) ',
      ' $x := 1 ',
      ' .a-',
      ' .a.',
      ' ..a ',
      ' .1 ',
      ' 1.5 ',
      ' 0x1 ',
      ' -1 ',
      " 'a' ",
      ' `a` ',
      ' "a\\n" ',
      ' "a ',
      ' a.b ',
      ' .a"b" ',
      ' é ',
    ],
    [' nobody .a ', ' /* x */ ', ' if .a | ', ' range $i, $x := .a ', ' .a|quote '],
  ])('leaves to the parser what is more: %s …', (...phrases) => {
    for (const phrase of phrases) {
      expect(readPlainPhrase(phrase, isFunction), phrase).toBeUndefined();
      expectSame(`{{${phrase}}}`);
    }
  });

  test('any words in any order', () => {
    const words = [
      ' ',
      '  ',
      '\n',
      '.',
      '.a',
      '.a.b',
      '$',
      '$.a',
      '$x',
      '$y.a',
      'if',
      'with',
      'range',
      'else',
      'end',
      'nil',
      'true',
      'quote',
    ];
    const more = [
      'include',
      'default',
      'nobody',
      '"t"',
      '"',
      '4',
      '08',
      '9999999999',
      '|',
      '-',
      '- ',
      '(',
      ')',
      ':=',
      '`r`',
      "'c'",
      'é',
      '"é"',
      '.é',
      ',',
      '_a',
    ];
    const phrase = fc.array(fc.constantFrom(...words, ...more), { maxLength: 8 }).map((parts) => parts.join(' '));
    const tight = fc.array(fc.constantFrom(...words, ...more), { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(fc.oneof(phrase, tight), { minLength: 1, maxLength: 4 }), (phrases) =>
        expectSame(`a {{ $x := 1 }}${phrases.map((text) => `{{ ${text} }} b`).join('\n')}{{ end }}`),
      ),
      { numRuns: Number(process.env['PHRASE_RUNS'] ?? 2000) },
    );
  });
});

import { type Cursor, isBlank, isBlankOrEnd, isBreak, isBreakOrEnd } from './cursor.ts';

/** The texts of scalars: block (`|`, `>`), quoted and plain, with libyaml's folding. */

type Fail = (problem: string) => never;

export function scanBlockScalar(cursor: Cursor, literal: boolean, outerIndent: number, fail: Fail): string {
  cursor.skip();
  const { chomping, increment } = blockHeader(cursor, fail);
  let indent = increment > 0 ? Math.max(outerIndent, 0) + increment : 0;
  if (increment > 0 && outerIndent < 0) indent = increment;
  const parts: string[] = [];
  let leadingBreak = '';
  let leadingBlank = false;
  let found = blockBreaks(cursor, indent, outerIndent, fail);
  indent = found.indent;
  let trailing = found.breaks;
  while (cursor.column === indent && !cursor.atEnd()) {
    const trailingBlank = isBlank(cursor.code());
    if (!literal && !leadingBlank && !trailingBlank && leadingBreak === '\n') {
      if (trailing === '') parts.push(' ');
    } else parts.push(leadingBreak);
    parts.push(trailing);
    leadingBlank = isBlank(cursor.code());
    const start = cursor.at;
    cursor.skipToBreak();
    parts.push(cursor.slice(start, cursor.at));
    leadingBreak = isBreak(cursor.code()) ? cursor.skipLine() : '';
    found = blockBreaks(cursor, indent, outerIndent, fail);
    trailing = found.breaks;
  }
  if (chomping !== '-') parts.push(leadingBreak);
  if (chomping === '+') parts.push(trailing);
  return parts.join('');
}

function blockHeader(cursor: Cursor, fail: Fail): { chomping: string; increment: number } {
  let chomping = '';
  let increment = 0;
  for (let i = 0; i < 2; i++) {
    const code = cursor.code();
    if ((code === 43 || code === 45) && chomping === '') {
      chomping = code === 43 ? '+' : '-';
      cursor.skip();
    } else if (code >= 48 && code <= 57 && increment === 0) {
      if (code === 48) fail('found an indentation indicator equal to 0');
      increment = code - 48;
      cursor.skip();
    }
  }
  while (isBlank(cursor.code())) cursor.skip();
  if (cursor.code() === 35) cursor.skipToBreak();
  if (!isBreakOrEnd(cursor.code())) fail('did not find expected comment or line break');
  if (isBreak(cursor.code())) cursor.skipLine();
  return { chomping, increment };
}

/** Indentation and empty lines before a block scalar's next line; finds the indent where it is not known (0). */
function blockBreaks(cursor: Cursor, known: number, outerIndent: number, fail: Fail): { indent: number; breaks: string } {
  let breaks = '';
  let widest = 0;
  for (;;) {
    while ((known === 0 || cursor.column < known) && cursor.code() === 32) cursor.skip();
    if (cursor.column > widest) widest = cursor.column;
    if ((known === 0 || cursor.column < known) && cursor.code() === 9) {
      fail('found a tab character where an indentation space is expected');
    }
    if (!isBreak(cursor.code())) break;
    breaks += cursor.skipLine();
  }
  return { indent: known === 0 ? Math.max(widest, outerIndent + 1, 1) : known, breaks };
}

const escapes: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  '\t': '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  ' ': ' ',
  '"': '"',
  "'": "'",
  '\\': '\\',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029',
};

export function scanFlowScalar(cursor: Cursor, single: boolean, fail: Fail): string {
  const mark = single ? 39 : 34;
  cursor.skip();
  const parts: string[] = [];
  for (;;) {
    if (cursor.column === 0 && (cursor.startsWithMarker('---') || cursor.startsWithMarker('...'))) {
      fail('found unexpected document indicator');
    }
    if (cursor.atEnd()) fail('found unexpected end of stream');
    let continued = false;
    let start = cursor.at;
    const flush = (): void => {
      if (cursor.at > start) parts.push(cursor.slice(start, cursor.at));
    };
    while (!isBlankOrEnd(cursor.code())) {
      const code = cursor.code();
      if (code === mark && single && cursor.code(1) === mark) {
        flush();
        parts.push("'");
        cursor.skipMany(2);
        start = cursor.at;
      } else if (code === mark) break;
      else if (code === 92 && !single) {
        flush();
        if (isBreak(cursor.code(1))) {
          cursor.skip();
          cursor.skipLine();
          continued = true;
          start = cursor.at;
          break;
        }
        parts.push(readEscape(cursor, fail));
        start = cursor.at;
      } else cursor.skip();
    }
    flush();
    if (cursor.code() === mark) break;
    const folded = foldSpace(cursor, continued);
    parts.push(folded);
  }
  cursor.skip();
  return parts.join('');
}

function readEscape(cursor: Cursor, fail: Fail): string {
  const letter = String.fromCharCode(cursor.code(1));
  const width = letter === 'x' ? 2 : letter === 'u' ? 4 : letter === 'U' ? 8 : 0;
  if (width === 0) {
    const text = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined;
    if (text === undefined) return fail('found unknown escape character');
    cursor.skipMany(2);
    return text;
  }
  cursor.skipMany(2);
  const hex = cursor.rest(width);
  if (hex.length !== width || !/^[0-9a-fA-F]+$/.test(hex)) fail('did not find expected hexdecimal number');
  const code = Number.parseInt(hex, 16);
  if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) fail('found invalid Unicode character escape code');
  cursor.skipMany(width);
  return String.fromCodePoint(code);
}

/** White space between two words of a quoted scalar: kept on one line, folded over breaks. */
function foldSpace(cursor: Cursor, continued: boolean): string {
  let onNewLine = continued;
  let first = '';
  let others = '';
  let spaces = '';
  while (isBlank(cursor.code()) || isBreak(cursor.code())) {
    if (isBlank(cursor.code())) {
      if (!onNewLine) spaces += String.fromCharCode(cursor.code());
      cursor.skip();
    } else if (onNewLine) others += cursor.skipLine();
    else {
      spaces = '';
      first = cursor.skipLine();
      onNewLine = true;
    }
  }
  if (!onNewLine) return spaces;
  if (first === '\n') return others === '' ? ' ' : others;
  return first + others;
}

export function scanPlainScalar(cursor: Cursor, inFlow: boolean, indent: number, fail: Fail): { text: string; endedLine: boolean } {
  let text = '';
  let gap = '';
  let endedLine = false;
  for (;;) {
    if (cursor.column === 0 && (cursor.startsWithMarker('---') || cursor.startsWithMarker('...'))) break;
    if (cursor.code() === 35) break;
    const start = cursor.at;
    cursor.skipWord(inFlow);
    if (cursor.at > start) {
      text += gap + cursor.slice(start, cursor.at);
      gap = '';
      endedLine = false;
    }
    if (!isBlank(cursor.code()) && !isBreak(cursor.code())) break;
    const space = plainSpace(cursor, indent, endedLine, fail);
    if (space.onNewLine) endedLine = true;
    gap += space.text;
    if (!inFlow && cursor.column < indent) break;
  }
  return { text, endedLine };
}

function plainSpace(cursor: Cursor, indent: number, alreadyOnNewLine: boolean, fail: Fail): { text: string; onNewLine: boolean } {
  let onNewLine = alreadyOnNewLine;
  let first = '';
  let others = '';
  const start = cursor.at;
  let spaces = '';
  while (isBlank(cursor.code()) || isBreak(cursor.code())) {
    if (isBlank(cursor.code())) {
      if (onNewLine && cursor.column < indent && cursor.code() === 9) fail('found a tab character that violates indentation');
      if (cursor.code() === 32) cursor.skipSpaces();
      else cursor.skip();
      if (!onNewLine) spaces = cursor.slice(start, cursor.at);
    } else if (onNewLine) others += cursor.skipLine();
    else {
      spaces = '';
      first = cursor.skipLine();
      onNewLine = true;
    }
  }
  if (!onNewLine) return { text: spaces, onNewLine };
  if (first === '\n') return { text: others === '' ? ' ' : others, onNewLine };
  return { text: first + others, onNewLine };
}

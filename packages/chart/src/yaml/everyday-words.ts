/** Characters, words and quoted texts of everyday YAML. */

export const space = 32;
export const dash = 45;
export const hash = 35;
export const colon = 58;

/** Thrown to decline; no Error, for its stack would cost more than the reading. */
export const notSure = Symbol('not sure');

export function decline(): never {
  throw notSure;
}

/** Where a quoted text that begins at the offset ends. */
export function closingQuote(text: string, at: number, mark: string): number {
  for (let end = text.indexOf(mark, at + 1); end >= 0; end = text.indexOf(mark, end + 1)) {
    if (mark === "'") {
      if (text[end + 1] !== mark) return end;
      end++;
      continue;
    }
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return decline();
}

/** Escapes that JSON and YAML do not read alike. */
const unlikeJson = /[\n\t]|\\[^"nrtbf]/;

export function unescapeCommon(inner: string): string {
  return unlikeJson.test(inner.replaceAll('\\\\', '')) ? decline() : (JSON.parse(`"${inner}"`) as string);
}

const isLetterOrDigit = (code: number): boolean => (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57);
/**
 * A key without quotes, up to the colon that ends it: letters, digits, `_ . / $`, later also `- ( ) * + @ = ~ %` and a colon that
 * ends no word. No space, for few keys have one. An expression, for in a program that has just begun it is quicker than a loop.
 */
export const word = /[A-Za-z0-9_./$](?:[-A-Za-z0-9_./$()*+@=~%]|:(?![ \n]|$)){0,200}/y;
/** A space, a line break, or the end of the text. */
export const isEndOfWord = (code: number): boolean => code === space || code === 10 || Number.isNaN(code);

/** `,[]{}#&*!|>'"%@` and the backquote; `?` and `:` may, but seldom do. */
export function cannotStartPlain(code: number): boolean {
  return isLetterOrDigit(code) ? false : ',[]{}#&*!|>\'"%@`?:\t'.includes(String.fromCharCode(code));
}

/** Lines of a quoted text: the spaces around a break go; a break is a space, n of them are n - 1 line feeds. */
export function foldLines(lines: readonly string[], lineFeed: string): string {
  let out = '';
  let breaks = 0;
  for (const [index, line] of lines.entries()) {
    if (index > 0) breaks++;
    // In the first column a marker would end the document.
    if (index > 0 && (line[0] === '-' || line[0] === '.')) decline();
    let start = 0;
    let end = line.length;
    if (index > 0) while (line.charCodeAt(start) === space) start++;
    if (index < lines.length - 1) while (end > start && line.charCodeAt(end - 1) === space) end--;
    if (start === end && index > 0 && index < lines.length - 1) continue;
    if (breaks > 0) out += breaks === 1 ? ' ' : lineFeed.repeat(breaks - 1);
    breaks = 0;
    out += line.slice(start, end);
  }
  return out;
}

/** Line breaks between two offsets that only white space may separate; -1 where there is a comment. */
export function countBreaks(text: string, from: number, to: number): number {
  let breaks = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code === 10) breaks++;
    else if (code !== space) return -1;
  }
  return breaks;
}

/** The line (from 1) of a JSON text on which the value at a path stands, or the last of what leads there. */
export function lineInJson(text: string, path: readonly string[]): number {
  const end = path.reduce((at, token) => (at < 0 ? at : (memberAt(text, at, token) ?? ~at)), skipSpace(text, 0));
  const offset = end < 0 ? ~end : end;
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

const space = /[\s,:]*/y;
const quoted = /"(?:[^"\\]|\\.)*"/y;
const plain = /[^\s,:{}[\]"]+/y;
const bracketOrText = /[{}[\]]|"(?:[^"\\]|\\.)*"/g;

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

/** Commas and colons too: the text is known to be JSON. */
const skipSpace = (text: string, at: number): number => skip(space, text, at);

/** Offset of a member of the object or array at an offset. */
function memberAt(text: string, start: number, token: string): number | undefined {
  const isObject = text[start] === '{';
  if (!isObject && text[start] !== '[') return undefined;
  let at = skipSpace(text, start + 1);
  for (let index = 0; at < text.length && text[at] !== '}' && text[at] !== ']'; index++) {
    let key = String(index);
    if (isObject) {
      const after = skip(quoted, text, at);
      if (after === at) return undefined;
      key = JSON.parse(text.slice(at, after)) as string;
      at = skipSpace(text, after);
    }
    if (key === token) return at;
    const next = skipSpace(text, skipValue(text, at));
    if (next === at) return undefined;
    at = next;
  }
  return undefined;
}

function skipValue(text: string, start: number): number {
  const first = text[start];
  if (first === '"') return skip(quoted, text, start);
  if (first !== '{' && first !== '[') return skip(plain, text, start);
  bracketOrText.lastIndex = start;
  let depth = 0;
  for (let found = bracketOrText.exec(text); found; found = bracketOrText.exec(text)) {
    if (found[0] === '{' || found[0] === '[') depth++;
    else if ((found[0] === '}' || found[0] === ']') && --depth === 0) break;
  }
  return bracketOrText.lastIndex || text.length;
}

import type { Expression } from './syntax.ts';

/** The text with which every match begins, and whether it is all that an expression matches. As Go, we look for it first. */
export interface Prefix {
  readonly text: string;
  readonly isWhole: boolean;
  /** Every match begins where the text begins. */
  readonly isAnchored: boolean;
}

export function prefixOf(root: Expression): Prefix {
  const items = root.kind === 'concat' ? root.items : [root];
  let text = '';
  for (const item of items) {
    const character = characterOf(item);
    if (character === undefined) return { text, isWhole: false, isAnchored: isAnchored(root) };
    text += character;
  }
  return { text, isWhole: text !== '', isAnchored: false };
}

function isAnchored(item: Expression): boolean {
  if (item.kind === 'assert') return item.assertion === 'textStart';
  if (item.kind === 'capture') return isAnchored(item.item);
  if (item.kind === 'alternate') return item.items.every(isAnchored);
  return item.kind === 'concat' && item.items[0] !== undefined && isAnchored(item.items[0]);
}

/** The one character that an expression takes. Surrogates are halves of characters, or bytes (value/text.ts): not looked for. */
function characterOf(item: Expression): string | undefined {
  if (item.kind !== 'set' || item.set.isFolded || item.set.isNegated || item.set.members.length !== 1) return undefined;
  const [range] = item.set.members;
  if (!Array.isArray(range) || range[0] !== range[1]) return undefined;
  const [code] = range;
  return code >= 0xd800 && code <= 0xdfff ? undefined : String.fromCodePoint(code);
}

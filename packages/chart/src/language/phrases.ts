import type { PipeNode } from './nodes.ts';
import { type PlainPhrase, readPlainPhrase } from './plain-phrases.ts';

/** What stands between the delimiters of an action. Positions in it count from the end of the left delimiter. */
export interface Phrase {
  /** Its first word, where that is a keyword. */
  readonly word: 'action' | 'if' | 'range' | 'with' | 'template' | 'block' | 'break' | 'continue' | 'else' | 'end';
  readonly pos: number;
  /** The template that `template` and `block` name. */
  readonly name: string;
  readonly pipe: PipeNode | undefined;
}

/** A phrase that was read before, and what else follows from its text. */
export interface KnownPhrase extends Phrase {
  /** Whether its right delimiter trims. */
  readonly trim: boolean;
  /** Variables that were declared before it, and that it needs. */
  readonly needs: readonly string[];
  /** Variables that are declared after it. */
  readonly declares: readonly string[];
}

const maxLength = 500;
const maxPhrases = 50_000;

/**
 * Phrases by their text: three of four actions of a large chart have been there before, and take no reading then.
 *
 * Nothing here depends on a template; a phrase holds for one set of function names.
 */
export class Phrases {
  readonly #known = new Map<string, KnownPhrase>();

  get(text: string): KnownPhrase | undefined {
    return this.#known.get(text);
  }

  /** A new phrase of plain words, known from now on; undefined for one that the parser has to read. */
  plain(text: string, isFunction: (name: string) => boolean): PlainPhrase | undefined {
    const phrase = readPlainPhrase(text, isFunction);
    if (phrase) this.set(text, phrase);
    return phrase;
  }

  set(text: string, phrase: KnownPhrase): void {
    if (text.length <= maxLength && this.#known.size < maxPhrases) this.#known.set(text, phrase);
  }
}

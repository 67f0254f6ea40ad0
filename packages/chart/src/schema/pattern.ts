import { ExpressionTooLarge, maxInstructions } from '../regex/program.ts';
import { Regex } from '../regex/regex.ts';

/**
 * A regular expression of a schema, or of a value that shall be one.
 *
 * @param charge takes the steps of compiling it, which its counted repeats decide: `a{1000}` is a thousand instructions
 * @throws RegexError with Go's message
 */
export function compilePattern(source: string, charge: (steps: number) => void): Regex {
  charge(4 + (source.length >> 2));
  try {
    const regex = new Regex(source);
    charge(2 * regex.size);
    return regex;
  } catch (error) {
    if (error instanceof ExpressionTooLarge) charge(2 * maxInstructions);
    throw error;
  }
}

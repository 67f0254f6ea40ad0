import type { Io, OptionSpec } from './command.ts';

/** The option that every listing has. */
export const jsonOption: Readonly<Record<'json', OptionSpec>> = { json: { type: 'boolean', help: 'print JSON, for programs' } };

/** Prints what an API gave, as JSON when asked, else as `text` makes it. */
export function show<T>(io: Io, json: boolean | undefined, value: T, text: (value: T) => string): void {
  io.out(json ? `${JSON.stringify(value, null, 2)}\n` : text(value));
}

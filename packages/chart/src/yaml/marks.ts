/** Lines (from 1) of the members of maps and lists, beside the values and not on them: a reader fills it when asked. */
export class Marks {
  readonly #lines = new WeakMap<object, Map<string | number, number>>();

  set(container: object, key: string | number, line: number): void {
    const known = this.#lines.get(container);
    if (known) known.set(key, line);
    else this.#lines.set(container, new Map([[key, line]]));
  }

  lineOf(container: object, key: string | number): number | undefined {
    return this.#lines.get(container)?.get(key);
  }

  /** A copy, made for an alias, stands where its original does. */
  copied(from: object, to: object): void {
    const lines = this.#lines.get(from);
    if (lines) this.#lines.set(to, lines);
  }
}

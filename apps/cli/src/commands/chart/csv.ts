/** A line of comma-separated values, as Go's encoding/csv reads flags that take lists; the words of its refusals too. */
export type CsvRecord = { readonly fields: readonly string[] } | { readonly problem: string };

/** The first record of a text; what follows it does not count. An empty text has no field. */
export function readCsvRecord(text: string): CsvRecord {
  if (text === '') return { fields: [] };
  const lines = text.match(/[^\n]*\n|[^\n]+/g)?.map((line) => line.replace(/\r?\n$|\r$/, (end) => (end.endsWith('\n') ? '\n' : ''))) ?? [];
  const first = lines.findIndex((line) => line !== '\n');
  if (first < 0) return { problem: 'EOF' };
  return new RecordReader(lines, first).read();
}

class RecordReader {
  readonly #lines: readonly string[];
  readonly #start: number;
  #line: number;
  #at = 0;

  constructor(lines: readonly string[], start: number) {
    this.#lines = lines;
    this.#start = start;
    this.#line = start;
  }

  get #text(): string {
    return this.#lines[this.#line] as string;
  }

  read(): CsvRecord {
    const fields: string[] = [];
    for (;;) {
      const field = this.#text[this.#at] === '"' ? this.#quoted() : this.#plain();
      if (typeof field !== 'string') return field;
      fields.push(field);
      if (this.#text[this.#at] !== ',') return { fields };
      this.#at++;
    }
  }

  #plain(): string | { problem: string } {
    const [field = ''] = /^[^,\n]*/.exec(this.#text.slice(this.#at)) ?? [];
    const mark = field.indexOf('"');
    if (mark >= 0) return this.#refused(this.#at + mark, 'bare " in non-quoted-field');
    this.#at += field.length;
    return field;
  }

  /** Two quotation marks stand for one; lines may end within. */
  #quoted(): string | { problem: string } {
    this.#at++;
    let field = '';
    for (;;) {
      const end = this.#text.indexOf('"', this.#at);
      if (end < 0) {
        field += this.#text.slice(this.#at);
        this.#at = this.#text.length;
        if (this.#line + 1 >= this.#lines.length) return this.#refused(this.#at, unended);
        this.#line++;
        this.#at = 0;
        continue;
      }
      field += this.#text.slice(this.#at, end);
      this.#at = end + 1;
      const next = this.#text[this.#at] ?? '\n';
      if (next === ',' || next === '\n') return field;
      if (next !== '"') return this.#refused(end, unended);
      field += '"';
      this.#at++;
    }
  }

  /** Go counts bytes, from 1. */
  #refused(at: number, why: string): { problem: string } {
    const place = `parse error on line ${this.#line + 1}, column ${Buffer.byteLength(this.#text.slice(0, at)) + 1}: ${why}`;
    return { problem: this.#line === this.#start ? place : `record on line ${this.#start + 1}; ${place}` };
  }
}

const unended = 'extraneous or missing " in quoted-field';

import { formatG } from './float.ts';
import { JsonError } from './json.ts';
import { GoObject, type Value } from './kinds.ts';

/** complex128: what a literal such as `1+2i` is. */
export class GoComplex extends GoObject {
  readonly type = 'complex128';
  readonly kind = 'complex128';
  readonly real: number;
  readonly imaginary: number;

  constructor(real: number, imaginary: number) {
    super();
    this.real = real;
    this.imaginary = imaginary;
  }

  override text(): string {
    const imaginary = formatG(this.imaginary);
    return `(${formatG(this.real)}${imaginary.startsWith('-') ? '' : '+'}${imaginary}i)`;
  }

  override truth(): boolean {
    return this.real !== 0 || this.imaginary !== 0;
  }

  override hidden(): Value {
    return [this.real, this.imaginary];
  }

  override json(): Value {
    throw new JsonError('json: unsupported type: complex128');
  }
}

import { ApiError } from '../errors.ts';

/** How an answer is to be shaped: whole objects, a Table, or only the metadata. */
export interface Shape {
  readonly as: 'object' | 'table' | 'metadata';
  /** For Content-Type: `;as=Table;v=v1;g=meta.k8s.io`. */
  readonly parameters: string;
}

export const whole: Shape = { as: 'object', parameters: '' };

interface Accepted {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export function parseAccept(header: string | undefined): Accepted[] {
  const clauses = (header ?? '*/*').slice(0, 4096).split(',');
  const parsed = clauses.map((clause, index) => {
    const [type = '', ...parameters] = clause.split(';').map((part) => part.trim());
    const entries = parameters.map((parameter) => parameter.split('=', 2)).map(([key = '', value = '']) => [key, value] as const);
    const quality = Number(entries.find(([key]) => key === 'q')?.[1] ?? 1);
    return { type: type.toLowerCase(), parameters: Object.fromEntries(entries), quality, index };
  });
  return parsed.filter(({ quality }) => quality > 0).sort((a, b) => b.quality - a.quality || a.index - b.index);
}

const jsonLike = new Set(['application/json', '*/*', 'application/*', '']);

/**
 * The shape of an answer. Answers are JSON always; a client that also names protobuf or YAML gets JSON.
 * @throws ApiError NotAcceptable when the client takes no JSON
 */
export function negotiate(header: string | undefined): Shape {
  for (const { type, parameters } of parseAccept(header)) {
    if (!jsonLike.has(type)) continue;
    const { as, v, g } = parameters;
    if (as === undefined) return whole;
    if (g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) continue;
    if (as === 'Table') return { as: 'table', parameters: `;as=Table;v=${v};g=${g}` };
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList')
      return { as: 'metadata', parameters: `;as=${as};v=${v};g=${g}` };
  }
  throw new ApiError('NotAcceptable', 'only the following media types are accepted: application/json');
}

/** For endpoints that answer in their own type: does the client take plain JSON or this type? */
export const accepts = (header: string | undefined, type: string): boolean =>
  parseAccept(header).some((accepted) => accepted.type === type || accepted.type === '*/*');

/** The drafts of JSON Schema that Helm knows; the newest is what holds where none is named. */
export interface Draft {
  readonly version: 4 | 6 | 7 | 2019 | 2020;
  readonly url: string;
  /** The keyword that names a schema. */
  readonly id: 'id' | '$id';
  /** What the names of vocabularies begin with, and those that it has. */
  readonly vocabularies: { readonly prefix: string; readonly known: readonly string[]; readonly usual: readonly string[] } | undefined;
}

const core = ['core', 'applicator', 'validation'];

export const drafts: readonly Draft[] = [
  { version: 4, url: 'http://json-schema.org/draft-04/schema', id: 'id', vocabularies: undefined },
  { version: 6, url: 'http://json-schema.org/draft-06/schema', id: '$id', vocabularies: undefined },
  { version: 7, url: 'http://json-schema.org/draft-07/schema', id: '$id', vocabularies: undefined },
  {
    version: 2019,
    url: 'https://json-schema.org/draft/2019-09/schema',
    id: '$id',
    vocabularies: {
      prefix: 'https://json-schema.org/draft/2019-09/vocab/',
      known: [...core, 'meta-data', 'format', 'content'],
      usual: core,
    },
  },
  {
    version: 2020,
    url: 'https://json-schema.org/draft/2020-12/schema',
    id: '$id',
    vocabularies: {
      prefix: 'https://json-schema.org/draft/2020-12/vocab/',
      known: [...core, 'unevaluated', 'meta-data', 'format-annotation', 'format-assertion', 'content'],
      usual: [...core, 'unevaluated'],
    },
  },
];

export const newestDraft = drafts.at(-1) as Draft;

/** The draft that a `$schema` names; undefined where it names something else. */
export function draftOf(url: string): Draft | undefined {
  const [before = '', fragment = ''] = url.split('#');
  if (fragment !== '' || url.indexOf('#') !== url.lastIndexOf('#')) return undefined;
  const place = before.replace(/^https?:\/\//, '');
  if (place === 'json-schema.org/schema') return newestDraft;
  return drafts.find((draft) => draft.url.replace(/^https?:\/\//, '') === place);
}

/** A draft, and those of its vocabularies that a schema of schemas of one's own asks for. */
export interface Dialect {
  readonly draft: Draft;
  /** Undefined where the usual ones hold. */
  readonly vocabularies: readonly string[] | undefined;
}

export function hasVocabulary({ draft, vocabularies }: Dialect, name: string): boolean {
  if (name === 'core' || !draft.vocabularies) return true;
  const wanted = name === 'unevaluated' && draft.version === 2019 ? 'applicator' : name;
  return (vocabularies ?? draft.vocabularies.usual).includes(wanted);
}

/** Whether `format` decides something, or is only a note. */
export function assertsFormat(dialect: Dialect): boolean {
  if (dialect.draft.version < 2019) return true;
  return hasVocabulary(dialect, dialect.draft.version === 2019 ? 'format' : 'format-assertion');
}

import type { Profile } from '../profile.ts';
import { builtins } from './builtins.ts';
import { certificateFunctions } from './certificates.ts';
import { metered } from './costs.ts';
import { dateFunctions, durationFunctions } from './dates.ts';
import type { FunctionDefinition, FunctionGroup } from './define.ts';
import { dictFunctions } from './dicts.ts';
import { documentFunctions } from './documents.ts';
import { encodingFunctions } from './encoding.ts';
import { listFunctions } from './lists.ts';
import { numberFunctions } from './numbers.ts';
import { pathFunctions } from './paths.ts';
import { randomFunctions } from './random.ts';
import { regexFunctions } from './regexes.ts';
import { renderFunctions } from './rendering.ts';
import { secretFunctions } from './secrets.ts';
import { stringFunctions } from './strings.ts';
import { typeFunctions } from './types.ts';
import { urlFunctions } from './urls.ts';
import { versionFunctions } from './versions.ts';

/** Every group of functions; later ones win, as in Helm (sprig's `slice` hides Go's). A new group needs a line here. */
const groups: readonly FunctionGroup[] = [
  builtins,
  stringFunctions,
  numberFunctions,
  typeFunctions,
  listFunctions,
  dictFunctions,
  encodingFunctions,
  documentFunctions,
  versionFunctions,
  regexFunctions,
  pathFunctions,
  urlFunctions,
  randomFunctions,
  secretFunctions,
  certificateFunctions,
  dateFunctions,
  durationFunctions,
  renderFunctions,
];

/** Functions by name. They are metered when they are first called: most charts need few of them. */
export class FunctionTable {
  readonly #definitions: ReadonlyMap<string, FunctionDefinition>;
  readonly #metered = new Map<string, FunctionDefinition>();

  constructor(definitions: Iterable<readonly [string, FunctionDefinition]>) {
    this.#definitions = new Map(definitions);
  }

  has(name: string): boolean {
    return this.#definitions.has(name);
  }

  get(name: string): FunctionDefinition | undefined {
    const known = this.#metered.get(name);
    if (known) return known;
    const definition = this.#definitions.get(name);
    if (!definition) return undefined;
    const made = metered(name, definition);
    this.#metered.set(name, made);
    return made;
  }

  names(): string[] {
    return [...this.#definitions.keys()];
  }
}

/** Helm 4's own additions. */
const isAdded = (name: string): boolean => Object.hasOwn(durationFunctions, name) || name === 'mustToToml' || name === 'mustToYaml';

let withAdded: FunctionTable | undefined;
let withoutAdded: FunctionTable | undefined;

/** The functions of templates by name. */
export function functionsOf(profile: Profile): FunctionTable {
  const entries = (): (readonly [string, FunctionDefinition])[] => groups.flatMap((group) => Object.entries(group));
  if (profile.hasDurations) {
    withAdded ??= new FunctionTable(entries());
    return withAdded;
  }
  withoutAdded ??= new FunctionTable(entries().filter(([name]) => !isAdded(name)));
  return withoutAdded;
}

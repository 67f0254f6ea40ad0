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

const all = new Map(
  groups.flatMap((group) => Object.entries(group).map(([name, definition]) => [name, metered(name, definition)] as const)),
);

/** Helm 4's own additions. */
const added: ReadonlySet<string> = new Set([...Object.keys(durationFunctions), 'mustToToml', 'mustToYaml']);

const withoutAdded = new Map([...all].filter(([name]) => !added.has(name)));

/** The functions of templates by name. */
export function functionsOf(profile: Profile): ReadonlyMap<string, FunctionDefinition> {
  return profile.hasDurations ? all : withoutAdded;
}

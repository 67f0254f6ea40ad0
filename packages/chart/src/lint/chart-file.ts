import { ChartError } from '../errors.ts';
import { baseName } from '../functions/paths.ts';
import { Fields, readMetadata } from '../loader/metadata.ts';
import type { Profile } from '../profile.ts';
import { compareVersions, parseVersion, type Version } from '../semver/version.ts';
import { typeName, type Value, type ValueMap } from '../value/kinds.ts';
import { fromBytes, quote } from '../value/text.ts';
import { ConversionError, yamlToValue } from '../yaml/values.ts';
import { isEmail, isRequestUrl, isUrl } from './addresses.ts';
import type { LintFolder } from './folder.ts';
import type { Findings } from './message.ts';
import { strictProblem } from './strict.ts';

const file = 'Chart.yaml';

/** Rules on Chart.yaml, in Helm's order. */
export function lintChartFile(folder: LintFolder, profile: Profile, findings: Findings): void {
  const error = (problem: string | undefined): boolean => findings.rule('error', file, problem);
  const isFolder = folder.kindOf(file) === 'folder';
  error(isFolder ? 'should be a file, not a directory' : undefined);
  const text = isFolder ? undefined : fromBytes(folder.read(file) ?? new Uint8Array());
  if (text === undefined) {
    error(`unable to parse YAML\n\tread ${folder.path}/${file}: is a directory`);
    return;
  }
  const unreadable = parseProblem(text);
  if (!error(unreadable && `unable to parse YAML\n\t${unreadable}`)) return;
  if (profile.lintsStrictly) {
    const loose = strictProblem(text);
    findings.rule('warning', file, loose && `failed to strictly parse chart metadata file\n\t${loose}`);
  }
  const raw = yamlToValue(text);
  const map: ValueMap = raw instanceof Map ? raw : new Map();
  // What is read into texts comes as it is written; its kind is checked apart.
  const texts = yamlToValue(text, true);
  const fields = new Fields(texts instanceof Map ? texts : new Map(), 'Metadata');
  const name = fields.text('name');
  const version = fields.text('version');
  const apiVersion = fields.text('apiVersion');
  error(nameProblem(name));
  error(apiVersionProblem(apiVersion));
  error(textProblem(map, 'version'));
  error(versionProblem(version));
  error(textProblem(map, 'appVersion'));
  error(maintainerProblem(fields));
  error(fields.texts('sources')?.flatMap((source) => (isRequestUrl(source) ? [] : [`invalid source URL '${source}'`]))[0]);
  const icon = fields.text('icon');
  findings.rule('info', file, icon === '' ? 'icon is recommended' : undefined);
  error(icon !== '' && !isRequestUrl(icon) ? `invalid icon URL '${icon}'` : undefined);
  const isOld = apiVersion !== 'v2';
  const only = `is not valid in apiVersion '${apiVersion}'. It is valid in apiVersion 'v2'`;
  error(isOld && fields.text('type') !== '' ? `chart type ${only}` : undefined);
  error(
    isOld && (fields.list('dependencies')?.length ?? 0) > 0
      ? `dependencies are not valid in the Chart file with apiVersion '${apiVersion}'. They are valid in apiVersion 'v2'`
      : undefined,
  );
  if (profile.lintsStrictly)
    findings.rule('warning', file, strictVersion.test(version) ? undefined : `version '${version}' is not a valid SemVerV2`);
}

const identifiers = '(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)';
const strictVersion = new RegExp(
  `^(?:0|[1-9][0-9]*)(?:\\.(?:0|[1-9][0-9]*)){2}(?:-${identifiers}(?:\\.${identifiers})*)?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);

function parseProblem(text: string): string | undefined {
  try {
    readMetadata([text]);
    return undefined;
  } catch (error) {
    if (error instanceof ConversionError) return error.message;
    // What is readable but wrong is for the rules to say.
    if (error instanceof ChartError) return undefined;
    throw error;
  }
}

function nameProblem(name: string): string | undefined {
  if (name === '') return 'name is required';
  return baseName(name) === name ? undefined : `chart name ${quote(name)} is invalid`;
}

function apiVersionProblem(apiVersion: string): string | undefined {
  const wanted = 'The value must be either "v1" or "v2"';
  if (apiVersion === '') return `apiVersion is required. ${wanted}`;
  return apiVersion === 'v1' || apiVersion === 'v2' ? undefined : `apiVersion '${apiVersion}' is not valid. ${wanted}`;
}

/** What YAML reads as a number is no version: `1.10` would be `1.1`. */
function textProblem(map: ValueMap, key: string): string | undefined {
  const value: Value = map.get(key);
  if (!map.has(key) || typeof value === 'string') return undefined;
  return `${key} should be of type string but it's of type ${typeName(value)}`;
}

function versionProblem(text: string): string | undefined {
  if (text === '') return 'version is required';
  const version = parseVersion(text);
  if (!version) return `version '${text}' is not a valid SemVer`;
  const least = parseVersion('0.0.0-0') as Version;
  return compareVersions(version, least) > 0 ? undefined : `version ${text} is less than or equal to 0.0.0-0`;
}

function maintainerProblem(fields: Fields): string | undefined {
  for (const person of fields.maps('maintainers', 'Maintainer') ?? []) {
    if (!person) return 'a maintainer entry is empty';
    const [name, email, url] = [person.text('name'), person.text('email'), person.text('url')];
    if (name === '') return 'each maintainer requires a name';
    if (email !== '' && !isEmail(email)) return `invalid email '${email}' for maintainer '${name}'`;
    if (url !== '' && !isUrl(url)) return `invalid url '${url}' for maintainer '${name}'`;
  }
  return undefined;
}

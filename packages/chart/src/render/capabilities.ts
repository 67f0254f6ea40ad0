import { ChartError } from '../errors.ts';
import { method } from '../functions/define.ts';
import type { Profile } from '../profile.ts';
import { GoObject, type Method, strings, type TypedList, type Value } from '../value/kinds.ts';
import { GoStruct } from '../value/struct.ts';
import { defaultApiVersions } from './api-versions.ts';

/** `.Capabilities`: what the cluster (here: what was asked for) can do. */

export interface KubeVersion {
  /** `v1.34.1`, with a vendor's suffix where the profile keeps it. */
  readonly version: string;
  /** Without the suffix: what `kubeVersion:` of Chart.yaml is compared with. */
  readonly normalized: string;
  readonly major: string;
  readonly minor: string;
}

/** @throws ChartError with Helm's words where the text is no version */
export function parseKubeVersion(text: string, profile: Profile): KubeVersion {
  const found = /^\s*v?([0-9]+(?:\.[0-9]+)*)(.*)$/s.exec(text);
  const bad = (problem: string): ChartError =>
    new ChartError('VALUES_INVALID', `invalid kube version '${text}': ${problem}`, { cure: 'Give a version such as 1.34.1.' });
  if (!found) throw bad(`could not parse "${text}" as version`);
  const parts = (found[1] as string).split('.');
  if (parts.length < 2) throw bad(`illegal version string "${text}"`);
  for (const part of parts)
    if (part.length > 1 && part.startsWith('0')) throw bad(`illegal zero-prefixed version component "${part}" in "${text}"`);
  const normalized = `v${parts.join('.')}`;
  const full = text.startsWith('v') ? text : `v${text}`;
  return { version: profile.keepKubeVersionSuffix ? full : normalized, normalized, major: parts[0] as string, minor: parts[1] as string };
}

/** common.VersionSet: a list of strings that knows `Has`. */
class VersionSet extends GoObject {
  readonly type: string;
  readonly kind = 'slice';
  readonly #versions: readonly string[];
  readonly #known: ReadonlySet<string>;

  constructor(type: string, versions: readonly string[]) {
    super();
    this.type = type;
    this.#versions = versions;
    this.#known = new Set(versions);
  }

  override method(name: string): Method | undefined {
    return name === 'Has' ? method(name, ['string'], (version) => this.#known.has(version)) : undefined;
  }

  override items(): TypedList {
    return strings([...this.#versions]);
  }

  override truth(): boolean {
    return this.#versions.length > 0;
  }

  override text(): string {
    return `[${this.#versions.join(' ')}]`;
  }

  override json(): Value {
    return [...this.#versions];
  }

  override hidden(): Value {
    return this.items();
  }
}

export function capabilitiesValue(kube: KubeVersion, extra: readonly string[], profile: Profile): GoObject {
  const library = profile.name === 'helm4' ? 'common' : 'chartutil';
  const pairs: [string, Value][] = [
    ['Version', kube.version],
    ['Major', kube.major],
    ['Minor', kube.minor],
  ];
  const shown = profile.keepKubeVersionSuffix ? kube.normalized : kube.version;
  const kubeVersion = new GoStruct({
    type: `${library}.KubeVersion`,
    kind: 'struct',
    unexported: ['normalizedVersion'],
    fields: profile.keepKubeVersionSuffix
      ? [pairs[0] as [string, Value], ['normalizedVersion', kube.normalized], ...pairs.slice(1)]
      : pairs,
    json: new Map(pairs),
    display: shown,
    methods: {
      String: method('String', [], () => shown),
      GitVersion: method('GitVersion', [], () => kube.version),
    },
  });
  const helm: [string, Value][] = [
    ['Version', profile.helmVersion],
    ['GitCommit', ''],
    ['GitTreeState', ''],
    ['GoVersion', profile.goVersion],
  ];
  const helmJson: [string, Value][] = [
    ['version', profile.helmVersion],
    ['go_version', profile.goVersion],
  ];
  if (profile.name === 'helm4') {
    const client = profile.defaultKubeVersion.replace(/\.0$/, '');
    helm.push(['KubeClientVersion', client]);
    helmJson.push(['kube_client_version', client]);
  }
  const capabilities: GoStruct = new GoStruct({
    type: `*${library}.Capabilities`,
    kind: 'ptr',
    methods: { Copy: method('Copy', [], () => capabilities) },
    fields: [
      ['KubeVersion', kubeVersion],
      ['APIVersions', new VersionSet(`${library}.VersionSet`, [...defaultApiVersions, ...extra])],
      ['HelmVersion', new GoStruct({ type: 'version.BuildInfo', kind: 'struct', fields: helm, json: new Map(helmJson) })],
    ],
  });
  return capabilities;
}

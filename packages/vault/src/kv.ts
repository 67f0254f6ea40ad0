import { z } from 'zod';
import { formatDuration, parseDuration } from './duration.ts';
import { invalidRequest, notFound } from './errors.ts';
import { isObject, type Json, type JsonObject, mergePatch } from './exact-json.ts';
import type { SealedStore } from './sealed-store.ts';

const Version = z.object({ created_time: z.string(), deletion_time: z.string(), destroyed: z.boolean() });
const Settings = z.object({ max_versions: z.number(), cas_required: z.boolean(), delete_version_after: z.number() });
const Metadata = Settings.extend({
  created_time: z.string(),
  updated_time: z.string(),
  current_version: z.number(),
  oldest_version: z.number(),
  custom_metadata: z.record(z.string(), z.string()).nullable(),
  versions: z.record(z.string(), Version),
});
type Metadata = z.infer<typeof Metadata>;
type Settings = z.infer<typeof Settings>;

const defaultMaxVersions = 10;

/** What a read finds: a value, or a version that was deleted or destroyed (its metadata still answers, with 404). */
export interface KvReading {
  readonly gone: boolean;
  readonly data: JsonObject;
}

/**
 * One KV version 2 mount (Vault API, "KV Secrets Engine - Version 2"): versions, check-and-set, soft deletion. Values
 * and metadata are records of their own, so that listing and metadata never touch a value.
 */
export class KvMount {
  readonly #store: SealedStore;
  readonly #prefix: string;
  readonly #now: () => Date;

  constructor(store: SealedStore, uuid: string, now: () => Date) {
    this.#store = store;
    this.#prefix = `kv/${uuid}/`;
    this.#now = now;
  }

  #metadata(key: string): Metadata | undefined {
    const found = this.#store.get(`${this.#prefix}metadata/${key}`);
    return found === undefined ? undefined : Metadata.parse(found);
  }

  #save(key: string, metadata: Metadata): void {
    this.#store.put(`${this.#prefix}metadata/${key}`, metadata as unknown as Json);
  }

  #valuePath(key: string, version: number): string {
    return `${this.#prefix}version/${version}/${key}`;
  }

  exists(key: string): boolean {
    return this.#metadata(key) !== undefined;
  }

  #settings(): Settings {
    const found = this.#store.get(`${this.#prefix}config`);
    return found === undefined ? { max_versions: 0, cas_required: false, delete_version_after: 0 } : Settings.parse(found);
  }

  /** Deleted: a deletion time that has come. A later one (`delete_version_after`) is only announced. */
  #isDeleted(version: z.infer<typeof Version>): boolean {
    return version.destroyed || (version.deletion_time !== '' && Date.parse(version.deletion_time) <= this.#now().getTime());
  }

  read(key: string, versionText: string | undefined): KvReading {
    const metadata = this.#metadata(key);
    if (!metadata) throw notFound();
    const wanted = versionText === undefined ? 0 : Number(versionText);
    if (!Number.isSafeInteger(wanted)) throw invalidRequest('error converting input for field "version": strconv.ParseInt: invalid syntax');
    const number = wanted <= 0 ? metadata.current_version : wanted;
    const version = metadata.versions[number];
    if (!version) throw notFound();
    const gone = this.#isDeleted(version);
    const value = gone ? null : (this.#store.get(this.#valuePath(key, number)) ?? null);
    return { gone, data: { data: value, metadata: versionView(metadata, number, version) } };
  }

  /** @param body `{data, options: {cas}}` */
  write(key: string, body: JsonObject): JsonObject {
    if (!isObject(body['data'])) throw invalidRequest('no data provided');
    const value = body['data'];
    return this.#store.transaction(() => this.#append(key, value, body, this.#metadata(key)));
  }

  /** JSON merge patch of the current version. */
  patch(key: string, body: JsonObject): KvReading {
    if (!isObject(body['data'])) throw invalidRequest('no data provided');
    const change = body['data'];
    return this.#store.transaction(() => {
      const metadata = this.#metadata(key);
      const version = metadata?.versions[metadata.current_version];
      if (!metadata || !version) throw notFound();
      if (this.#isDeleted(version))
        return { gone: true, data: { data: null, metadata: versionView(metadata, metadata.current_version, version) } };
      const present = this.#store.get(this.#valuePath(key, metadata.current_version));
      return { gone: false, data: this.#append(key, mergePatch(present, change), body, metadata) };
    });
  }

  #append(key: string, value: Json, body: JsonObject, known: Metadata | undefined): JsonObject {
    const settings = this.#settings();
    this.#checkAndSet(body, settings.cas_required || (known?.cas_required ?? false), known?.current_version ?? 0);
    const now = this.#now();
    const metadata = known ?? newMetadata(now.toISOString());
    const number = metadata.current_version + 1;
    const periods = [settings.delete_version_after, metadata.delete_version_after].filter((seconds) => seconds > 0);
    const deletion = periods.length > 0 ? new Date(now.getTime() + Math.min(...periods) * 1000).toISOString() : '';
    metadata.versions[number] = { created_time: now.toISOString(), deletion_time: deletion, destroyed: false };
    metadata.current_version = number;
    metadata.updated_time = now.toISOString();
    const keep = metadata.max_versions || settings.max_versions || defaultMaxVersions;
    for (const old of Object.keys(metadata.versions).map(Number)) {
      if (old > number - keep) continue;
      delete metadata.versions[old];
      this.#store.delete(this.#valuePath(key, old));
    }
    metadata.oldest_version = number > keep ? number - keep + 1 : known ? metadata.oldest_version : 0;
    this.#store.put(this.#valuePath(key, number), value);
    this.#save(key, metadata);
    return versionView(metadata, number, metadata.versions[number]!);
  }

  #checkAndSet(body: JsonObject, required: boolean, current: number): void {
    const options = isObject(body['options']) ? body['options'] : {};
    const cas = options['cas'];
    if (cas === undefined || cas === null) {
      if (required) throw invalidRequest('check-and-set parameter required for this call');
      return;
    }
    const number = typeof cas === 'string' && /^\d{1,15}$/.test(cas) ? Number(cas) : cas;
    if (typeof number !== 'number' || !Number.isSafeInteger(number)) throw invalidRequest('error parsing check-and-set parameter');
    if (number !== current) throw invalidRequest('check-and-set parameter did not match the current version');
  }

  deleteLatest(key: string): void {
    this.#change(key, (metadata) => this.#deleteVersion(metadata, metadata.current_version));
  }

  deleteVersions(key: string, body: JsonObject): void {
    const versions = versionsOf(body);
    this.#change(key, (metadata) => {
      for (const number of versions) this.#deleteVersion(metadata, number);
    });
  }

  #deleteVersion(metadata: Metadata, number: number): void {
    const version = metadata.versions[number];
    if (version && !this.#isDeleted(version)) version.deletion_time = this.#now().toISOString();
  }

  undeleteVersions(key: string, body: JsonObject): void {
    const versions = versionsOf(body);
    this.#change(key, (metadata) => {
      for (const number of versions) {
        const version = metadata.versions[number];
        if (version && !version.destroyed) version.deletion_time = '';
      }
    });
  }

  destroyVersions(key: string, body: JsonObject): void {
    const versions = versionsOf(body);
    this.#change(key, (metadata) => {
      for (const number of versions) {
        const version = metadata.versions[number];
        if (!version) continue;
        version.destroyed = true;
        this.#store.delete(this.#valuePath(key, number));
      }
    });
  }

  /** Nothing happens to a key that is not there. */
  #change(key: string, change: (metadata: Metadata) => void): void {
    this.#store.transaction(() => {
      const metadata = this.#metadata(key);
      if (!metadata) return;
      change(metadata);
      this.#save(key, metadata);
    });
  }

  readMetadata(key: string): JsonObject {
    const metadata = this.#metadata(key);
    if (!metadata) throw notFound();
    return { ...metadata, delete_version_after: formatDuration(metadata.delete_version_after) } as unknown as JsonObject;
  }

  /** @param patching true for PATCH: `custom_metadata` is merged, and the key must exist. */
  writeMetadata(key: string, body: JsonObject, patching = false): void {
    this.#store.transaction(() => {
      const known = this.#metadata(key);
      if (patching && !known) throw notFound();
      const metadata = known ?? newMetadata(this.#now().toISOString());
      Object.assign(metadata, settingsOf(body, metadata));
      if (body['custom_metadata'] !== undefined) {
        metadata.custom_metadata = customMetadata(
          patching ? mergePatch(metadata.custom_metadata, body['custom_metadata']) : body['custom_metadata'],
        );
      }
      metadata.updated_time = this.#now().toISOString();
      this.#save(key, metadata);
    });
  }

  deleteMetadata(key: string): void {
    this.#store.transaction(() => {
      const metadata = this.#metadata(key);
      for (const number of Object.keys(metadata?.versions ?? {})) this.#store.delete(this.#valuePath(key, Number(number)));
      this.#store.delete(`${this.#prefix}metadata/${key}`);
    });
  }

  /** Names directly below `folder` (empty, or ending in a slash); deeper ones as `name/`. */
  list(folder: string): JsonObject {
    const names = this.#store.list(`${this.#prefix}metadata/${folder}`).map((path) => path.replace(/\/.*$/s, '/'));
    const keys = [...new Set(names)];
    if (keys.length === 0) throw notFound();
    return { keys };
  }

  readConfig(): JsonObject {
    const settings = this.#settings();
    return { ...settings, delete_version_after: formatDuration(settings.delete_version_after) };
  }

  writeConfig(body: JsonObject): void {
    this.#store.put(`${this.#prefix}config`, settingsOf(body, this.#settings()));
  }

  /** Removes everything of the mount. */
  erase(): void {
    for (const path of this.#store.list(this.#prefix)) this.#store.delete(`${this.#prefix}${path}`);
  }
}

function newMetadata(at: string): Metadata {
  return {
    created_time: at,
    updated_time: at,
    current_version: 0,
    oldest_version: 0,
    max_versions: 0,
    cas_required: false,
    delete_version_after: 0,
    custom_metadata: null,
    versions: {},
  };
}

function versionView(metadata: Metadata, number: number, version: z.infer<typeof Version>): JsonObject {
  return { ...version, version: number, custom_metadata: metadata.custom_metadata };
}

function settingsOf(body: JsonObject, present: Settings): Settings {
  const max = body['max_versions'] ?? present.max_versions;
  const number = typeof max === 'string' && /^\d{1,6}$/.test(max) ? Number(max) : max;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > 10_000) {
    throw invalidRequest('max_versions must be a number from 0 to 10000');
  }
  const cas = body['cas_required'] ?? present.cas_required;
  if (typeof cas !== 'boolean' && cas !== 'true' && cas !== 'false') throw invalidRequest('cas_required must be true or false');
  return {
    max_versions: number,
    cas_required: cas === true || cas === 'true',
    delete_version_after: parseDuration(body['delete_version_after'], 'delete_version_after') ?? present.delete_version_after,
  };
}

function versionsOf(body: JsonObject): number[] {
  const given = body['versions'];
  const list = Array.isArray(given) ? given : typeof given === 'string' ? given.split(',') : given === undefined ? [] : [given];
  const versions = list.map(Number);
  if (versions.length === 0) throw invalidRequest('No version number provided');
  if (versions.length > 10_000 || !versions.every((number) => Number.isSafeInteger(number) && number > 0))
    throw invalidRequest('versions must be a list of positive numbers');
  return versions;
}

function customMetadata(value: Json): Record<string, string> | null {
  if (value === null) return null;
  if (!isObject(value)) throw invalidRequest('custom_metadata must be a map of strings');
  const entries = Object.entries(value);
  const fits = ([key, text]: [string, Json]) => typeof text === 'string' && key.length > 0 && key.length <= 128 && text.length <= 512;
  if (entries.length > 64 || !entries.every(fits)) {
    throw invalidRequest('custom_metadata validation failed: at most 64 keys of 128 characters, with values of 512 characters');
  }
  return Object.fromEntries(entries) as Record<string, string>;
}

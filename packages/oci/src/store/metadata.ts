import type { StatementSync } from 'node:sqlite';
import type { ContentDigest } from '../digest.ts';
import type { Descriptor, Manifest } from '../manifest.ts';
import type { Member, MemberRole, Project, RegistryAction, Robot } from '../server/types.ts';
import type { Database } from './database.ts';

export interface Repository {
  readonly id: number;
  readonly name: string;
  readonly project: string;
  readonly created_at: string;
}

export interface StoredManifest {
  readonly id: number;
  readonly digest: ContentDigest;
  readonly mediaType: string;
  readonly artifactType: string | undefined;
  readonly subject: ContentDigest | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  readonly size: number;
  readonly pushedAt: string;
}

interface ManifestRow {
  id: number;
  digest: string;
  media_type: string;
  artifact_type: string | null;
  subject: string | null;
  annotations: string;
  size: number;
  pushed_at: string;
}

interface RobotRow {
  id: number;
  name: string;
  project: string;
  actions: string;
  secret_hash: Uint8Array;
  expires_at: string | null;
}

const manifestColumns = 'm.id, m.digest, m.media_type, m.artifact_type, m.subject, m.annotations, m.size, m.pushed_at';

interface ProjectRow {
  name: string;
  tags: Project['tags'];
  createdAt: string;
  metadata: string;
}

const projectColumns = 'name, tags, created_at AS createdAt, metadata';
const storedProject = (row: ProjectRow): Project => ({ ...row, metadata: JSON.parse(row.metadata) as Record<string, string> });

const storedManifest = (row: ManifestRow): StoredManifest => ({
  id: row.id,
  digest: row.digest as ContentDigest,
  mediaType: row.media_type,
  artifactType: row.artifact_type ?? undefined,
  subject: (row.subject ?? undefined) as ContentDigest | undefined,
  annotations: JSON.parse(row.annotations),
  size: row.size,
  pushedAt: row.pushed_at,
});

const storedRobot = (row: RobotRow): Robot & { secretHash: Uint8Array } => ({
  id: row.id,
  name: row.name,
  project: row.project,
  actions: JSON.parse(row.actions) as RegistryAction[],
  expiresAt: row.expires_at ?? undefined,
  secretHash: row.secret_hash,
});

/** Every question and change of the registry's records; the SQL lives here and nowhere else. Changes are durable when they resolve. */
export class Metadata {
  readonly #database: Database;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: Database) {
    this.#database = database;
  }

  #sql(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.#database.sqlite.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  #one<T>(text: string, ...values: (string | number | null)[]): T | undefined {
    return this.#sql(text).get(...values) as T | undefined;
  }

  #all<T>(text: string, ...values: (string | number | null)[]): T[] {
    return this.#sql(text).all(...values) as T[];
  }

  // Projects

  ensureProject(registry: string, name: string, tags: Project['tags'], createdAt: string): Promise<Project> {
    return this.#database.write(() => {
      this.#sql(
        'INSERT INTO projects (registry, name, tags, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET tags = excluded.tags',
      ).run(registry, name, tags, createdAt);
      this.#sql('INSERT OR IGNORE INTO project_numbers (registry, name) VALUES (?, ?)').run(registry, name);
      return this.project(registry, name)!;
    });
  }

  /** False when the name is taken. */
  addProject(registry: string, name: string, metadata: Project['metadata'], createdAt: string): Promise<boolean> {
    return this.#database.write(() => {
      const { changes } = this.#sql(
        "INSERT INTO projects (registry, name, tags, created_at, metadata) VALUES (?, ?, 'mutable', ?, ?) ON CONFLICT DO NOTHING",
      ).run(registry, name, createdAt, JSON.stringify(metadata));
      this.#sql('INSERT OR IGNORE INTO project_numbers (registry, name) VALUES (?, ?)').run(registry, name);
      return changes > 0;
    });
  }

  setProjectMetadata(registry: string, name: string, metadata: Project['metadata']): Promise<void> {
    return this.#database.write(() => {
      this.#sql('UPDATE projects SET metadata = ? WHERE registry = ? AND name = ?').run(JSON.stringify(metadata), registry, name);
    });
  }

  setTags(registry: string, name: string, tags: Project['tags']): Promise<void> {
    return this.#database.write(() => {
      this.#sql('UPDATE projects SET tags = ? WHERE registry = ? AND name = ?').run(tags, registry, name);
    });
  }

  project(registry: string, name: string): Project | undefined {
    const row = this.#one<ProjectRow>(`SELECT ${projectColumns} FROM projects WHERE registry = ? AND name = ?`, registry, name);
    return row && storedProject(row);
  }

  projects(registry: string): Project[] {
    return this.#all<ProjectRow>(`SELECT ${projectColumns} FROM projects WHERE registry = ? ORDER BY name`, registry).map(storedProject);
  }

  /** A project's number, which stays the same for as long as the store does; 0 for none. */
  projectNumber(registry: string, name: string): number {
    return this.#one<{ number: number }>('SELECT number FROM project_numbers WHERE registry = ? AND name = ?', registry, name)?.number ?? 0;
  }

  projectNumbered(registry: string, number: number): Project | undefined {
    const row = this.#one<{ name: string }>('SELECT name FROM project_numbers WHERE registry = ? AND number = ?', registry, number);
    return row && this.project(registry, row.name);
  }

  // Members

  members(registry: string, project: string): Member[] {
    return this.#all<Member>(
      'SELECT id, project, username, role FROM members WHERE registry = ? AND project = ? ORDER BY username',
      registry,
      project,
    );
  }

  member(registry: string, project: string, username: string): Member | undefined {
    return this.#one<Member>(
      'SELECT id, project, username, role FROM members WHERE registry = ? AND project = ? AND username = ?',
      registry,
      project,
      username,
    );
  }

  /** Undefined when that is a member already. */
  addMember(registry: string, project: string, username: string, role: MemberRole): Promise<Member | undefined> {
    return this.#database.write(() => {
      const { changes } = this.#sql(
        'INSERT INTO members (registry, project, username, role) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
      ).run(registry, project, username, role);
      return changes > 0 ? this.member(registry, project, username) : undefined;
    });
  }

  setMemberRole(id: number, role: MemberRole): Promise<void> {
    return this.#database.write(() => {
      this.#sql('UPDATE members SET role = ? WHERE id = ?').run(role, id);
    });
  }

  removeMember(id: number): Promise<void> {
    return this.#database.write(() => {
      this.#sql('DELETE FROM members WHERE id = ?').run(id);
    });
  }

  // Repositories

  repository(registry: string, name: string): Repository | undefined {
    return this.#one<Repository>('SELECT id, name, project, created_at FROM repositories WHERE registry = ? AND name = ?', registry, name);
  }

  repositories(registry: string): Repository[] {
    return this.#all<Repository>('SELECT id, name, project, created_at FROM repositories WHERE registry = ? ORDER BY name', registry);
  }

  ensureRepository(registry: string, project: string, name: string, createdAt: string): Promise<Repository> {
    const known = this.repository(registry, name);
    if (known) return Promise.resolve(known);
    return this.#database.write(() => {
      this.#sql('INSERT INTO repositories (registry, project, name, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING').run(
        registry,
        project,
        name,
        createdAt,
      );
      return this.repository(registry, name)!;
    });
  }

  // Blobs

  /** The size of a blob that this repository may see. */
  blobSize(repository: number, digest: ContentDigest): number | undefined {
    return this.#one<{ size: number }>(
      'SELECT b.size FROM repository_blobs r JOIN blobs b ON b.digest = r.digest WHERE r.repository = ? AND r.digest = ?',
      repository,
      digest,
    )?.size;
  }

  linkBlob(repository: number, digest: ContentDigest, size: number, at: number): Promise<void> {
    return this.#database.write(() => {
      this.#sql('INSERT INTO blobs (digest, size) VALUES (?, ?) ON CONFLICT DO NOTHING').run(digest, size);
      this.#sql(
        'INSERT INTO repository_blobs (repository, digest, linked_at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET linked_at = excluded.linked_at',
      ).run(repository, digest, at);
    });
  }

  unlinkBlob(repository: number, digest: ContentDigest): Promise<boolean> {
    return this.#database.write(
      () => this.#sql('DELETE FROM repository_blobs WHERE repository = ? AND digest = ?').run(repository, digest).changes > 0,
    );
  }

  /** Links that no manifest of their repository uses and that are older than `before`, removed; resolves to how many. */
  unlinkUnused(before: number): Promise<number> {
    return this.#database.write(() =>
      Number(
        this.#sql(
          `DELETE FROM repository_blobs WHERE linked_at < ? AND NOT EXISTS (
             SELECT 1 FROM manifest_references f WHERE f.repository = repository_blobs.repository AND f.child = repository_blobs.digest)`,
        ).run(before).changes,
      ),
    );
  }

  /** Forgets a blob unless some repository still may see it; `remove` runs in the same turn. */
  async forgetBlob(digest: ContentDigest, remove: () => void): Promise<boolean> {
    if (this.#one('SELECT 1 FROM repository_blobs WHERE digest = ? LIMIT 1', digest)) return false;
    const forgotten = this.#database.write(() => this.#sql('DELETE FROM blobs WHERE digest = ?').run(digest));
    remove();
    await forgotten;
    return true;
  }

  // Manifests and tags

  /** @param check runs first, inside the transaction; its throw undoes everything. */
  putManifest(
    repository: number,
    digest: ContentDigest,
    bytes: Uint8Array,
    manifest: Manifest,
    tag: string | undefined,
    pushedAt: string,
    check: () => void,
  ): Promise<void> {
    return this.#database.write(() => {
      check();
      this.#sql(
        `INSERT INTO manifests (repository, digest, media_type, artifact_type, subject, annotations, size, pushed_at, bytes)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET media_type = excluded.media_type`,
      ).run(
        repository,
        digest,
        manifest.mediaType,
        manifest.artifactType ?? null,
        manifest.subject?.digest ?? null,
        JSON.stringify(manifest.annotations),
        bytes.length,
        pushedAt,
        bytes,
      );
      const { id } = this.manifest(repository, digest)!;
      for (const child of referencesOf(manifest)) {
        this.#sql('INSERT INTO manifest_references (manifest, repository, child) VALUES (?, ?, ?) ON CONFLICT DO NOTHING').run(
          id,
          repository,
          child.digest,
        );
      }
      if (tag === undefined) return;
      this.#sql(
        `INSERT INTO tags (repository, name, digest, pushed_at) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET digest = excluded.digest, pushed_at = excluded.pushed_at`,
      ).run(repository, tag, digest, pushedAt);
    });
  }

  manifest(repository: number, digest: ContentDigest): StoredManifest | undefined {
    const row = this.#one<ManifestRow>(
      `SELECT ${manifestColumns} FROM manifests m WHERE m.repository = ? AND m.digest = ?`,
      repository,
      digest,
    );
    return row && storedManifest(row);
  }

  manifestBytes(id: number): Uint8Array {
    return this.#one<{ bytes: Uint8Array }>('SELECT bytes FROM manifests WHERE id = ?', id)!.bytes;
  }

  manifests(repository: number): StoredManifest[] {
    return this.#all<ManifestRow>(
      `SELECT ${manifestColumns} FROM manifests m WHERE m.repository = ? ORDER BY m.pushed_at DESC, m.id DESC`,
      repository,
    ).map(storedManifest);
  }

  /** Those that name `subject`, in the order of their push, after the one with `after`. */
  referrers(repository: number, subject: ContentDigest, artifactType: string | undefined, after: number, limit: number): StoredManifest[] {
    return this.#all<ManifestRow>(
      `SELECT ${manifestColumns} FROM manifests m WHERE m.repository = ?1 AND m.subject = ?2
       AND (?3 IS NULL OR m.artifact_type = ?3) AND m.id > ?4 ORDER BY m.id LIMIT ?5`,
      repository,
      subject,
      artifactType ?? null,
      after,
      limit,
    ).map(storedManifest);
  }

  /** Removes the manifest and every tag on it. */
  deleteManifest(repository: number, digest: ContentDigest): Promise<void> {
    return this.#database.write(() => {
      const found = this.manifest(repository, digest);
      if (!found) return;
      this.#sql('DELETE FROM tags WHERE repository = ? AND digest = ?').run(repository, digest);
      this.#sql('DELETE FROM manifest_references WHERE manifest = ?').run(found.id);
      this.#sql('DELETE FROM manifests WHERE id = ?').run(found.id);
    });
  }

  /** The index that still needs this manifest as a child, if any. */
  parentOf(repository: number, child: ContentDigest): ContentDigest | undefined {
    return this.#one<{ digest: string }>(
      'SELECT m.digest FROM manifest_references f JOIN manifests m ON m.id = f.manifest WHERE f.repository = ? AND f.child = ? LIMIT 1',
      repository,
      child,
    )?.digest as ContentDigest | undefined;
  }

  tag(repository: number, name: string): ContentDigest | undefined {
    return this.#one<{ digest: string }>('SELECT digest FROM tags WHERE repository = ? AND name = ?', repository, name)?.digest as
      | ContentDigest
      | undefined;
  }

  tagsOf(repository: number, digest: ContentDigest): { name: string; pushedAt: string }[] {
    return this.#all('SELECT name, pushed_at AS pushedAt FROM tags WHERE repository = ? AND digest = ? ORDER BY name', repository, digest);
  }

  /** Names after `last`, in byte order. */
  tags(repository: number, last: string, limit: number): string[] {
    return this.#all<{ name: string }>(
      'SELECT name FROM tags WHERE repository = ? AND name > ? ORDER BY name LIMIT ?',
      repository,
      last,
      limit,
    ).map(({ name }) => name);
  }

  deleteTag(repository: number, name: string): Promise<void> {
    return this.#database.write(() => {
      this.#sql('DELETE FROM tags WHERE repository = ? AND name = ?').run(repository, name);
    });
  }

  // Robots

  putRobot(registry: string, robot: Omit<Robot, 'id'>, secretHash: Uint8Array): Promise<Robot> {
    return this.#database.write(() => {
      this.#sql(
        `INSERT INTO robots (registry, name, project, actions, secret_hash, expires_at) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET actions = excluded.actions, secret_hash = excluded.secret_hash, expires_at = excluded.expires_at`,
      ).run(registry, robot.name, robot.project, JSON.stringify(robot.actions), secretHash, robot.expiresAt ?? null);
      return this.robot(registry, robot.name)!;
    });
  }

  robot(registry: string, name: string): (Robot & { secretHash: Uint8Array }) | undefined {
    const row = this.#one<RobotRow>(
      'SELECT id, name, project, actions, secret_hash, expires_at FROM robots WHERE registry = ? AND name = ?',
      registry,
      name,
    );
    return row && storedRobot(row);
  }

  robots(registry: string): Robot[] {
    return this.#all<RobotRow>(
      'SELECT id, name, project, actions, secret_hash, expires_at FROM robots WHERE registry = ? ORDER BY name',
      registry,
    ).map((row) => {
      const { secretHash: _, ...robot } = storedRobot(row);
      return robot;
    });
  }

  deleteRobot(registry: string, name: string): Promise<boolean> {
    return this.#database.write(() => this.#sql('DELETE FROM robots WHERE registry = ? AND name = ?').run(registry, name).changes > 0);
  }
}

/** What a manifest needs to be whole: its blobs, or its child manifests. The subject is no part of it. */
export function referencesOf(manifest: Manifest): Descriptor[] {
  return manifest.kind === 'index' ? [...manifest.manifests] : [manifest.config, ...manifest.layers];
}

import { chmodSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { GitError } from '../errors.ts';
import type { MemberLevel, TagLevel } from './access-level.ts';

const schema = `
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, username TEXT NOT NULL UNIQUE COLLATE NOCASE, name TEXT NOT NULL, created_at TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS groups (
  id INTEGER PRIMARY KEY, parent INTEGER REFERENCES groups (id), path TEXT NOT NULL, name TEXT NOT NULL, full_path TEXT NOT NULL UNIQUE,
  created_at TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS projects (
  id INTEGER PRIMARY KEY, namespace INTEGER NOT NULL REFERENCES groups (id), path TEXT NOT NULL, name TEXT NOT NULL,
  full_path TEXT NOT NULL UNIQUE COLLATE NOCASE, visibility TEXT NOT NULL, created_at TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS members (
  source TEXT NOT NULL, source_id INTEGER NOT NULL, user INTEGER NOT NULL REFERENCES users (id), level INTEGER NOT NULL, created_at TEXT NOT NULL,
  PRIMARY KEY (source, source_id, user)) WITHOUT ROWID, STRICT;
CREATE INDEX IF NOT EXISTS members_user ON members (user);
CREATE TABLE IF NOT EXISTS protected_tags (
  id INTEGER PRIMARY KEY, project INTEGER NOT NULL REFERENCES projects (id), name TEXT NOT NULL, level INTEGER NOT NULL,
  UNIQUE (project, name)) STRICT;
CREATE TABLE IF NOT EXISTS hooks (
  id INTEGER PRIMARY KEY, project INTEGER NOT NULL REFERENCES projects (id), url TEXT NOT NULL, token TEXT NOT NULL,
  push_events INTEGER NOT NULL, tag_push_events INTEGER NOT NULL, ssl INTEGER NOT NULL, created_at TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS events (
  id INTEGER PRIMARY KEY, hook INTEGER NOT NULL REFERENCES hooks (id) ON DELETE CASCADE, uuid TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
  body TEXT NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL) STRICT;
PRAGMA user_version = 1;
`;

export interface UserRow {
  readonly id: number;
  readonly username: string;
  readonly name: string;
  readonly createdAt: string;
}

export interface GroupRow {
  readonly id: number;
  readonly parent: number | null;
  readonly path: string;
  readonly name: string;
  readonly fullPath: string;
  readonly createdAt: string;
}

export interface ProjectRow {
  readonly id: number;
  readonly namespace: number;
  readonly path: string;
  readonly name: string;
  readonly fullPath: string;
  /** `internal`: whoever is logged in may read it. */
  readonly visibility: 'private' | 'internal';
  readonly createdAt: string;
}

export type MemberSource = 'group' | 'project';

export interface MemberRow extends UserRow {
  readonly level: MemberLevel;
  /** When this membership began. */
  readonly memberSince: string;
}

export interface TagRuleRow {
  readonly id: number;
  readonly name: string;
  readonly level: TagLevel;
}

export interface HookRow {
  readonly id: number;
  readonly project: number;
  readonly url: string;
  readonly token: string;
  readonly pushEvents: boolean;
  readonly tagPushEvents: boolean;
  readonly verifyTls: boolean;
  readonly createdAt: string;
}

/** One call of one webhook that is still to be made. */
export interface EventRow {
  readonly id: number;
  readonly hook: number;
  readonly uuid: string;
  readonly kind: string;
  readonly body: string;
  readonly attempts: number;
  /** Milliseconds of the epoch from which it may be tried. */
  readonly due: number;
}

const userColumns = 'u.id, u.username, u.name, u.created_at AS createdAt';
const groupColumns = 'id, parent, path, name, full_path AS fullPath, created_at AS createdAt';
const projectColumns = 'id, namespace, path, name, full_path AS fullPath, visibility, created_at AS createdAt';
const hookColumns =
  'id, project, url, token, push_events AS pushEvents, tag_push_events AS tagPushEvents, ssl AS verifyTls, created_at AS createdAt';

/**
 * Who and what the embedded GitLab knows: users, groups, projects, members, protected tags, webhooks and the calls of them that
 * are due. One SQLite file; what a method changed is on disk when it returns (`synchronous = FULL`: writes are few here).
 */
export class Directory {
  readonly #sqlite: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  private constructor(sqlite: DatabaseSync) {
    this.#sqlite = sqlite;
  }

  /** @throws GitError TABLE_UNREADABLE for a file of a newer program */
  static open(file: string): Directory {
    const sqlite = new DatabaseSync(file, { enableForeignKeyConstraints: true });
    chmodSync(file, 0o600);
    sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;');
    const { user_version: version } = sqlite.prepare('PRAGMA user_version').get() as { user_version: number };
    if (version > 1) {
      sqlite.close();
      throw new GitError('TABLE_UNREADABLE', `The Git host's directory has version ${version}; this program knows version 1.`, {
        kind: 'user',
        cure: 'Start the newer program that wrote it.',
      });
    }
    sqlite.exec(schema);
    return new Directory(sqlite);
  }

  close(): void {
    this.#sqlite.close();
  }

  /** All or nothing. */
  transaction<T>(work: () => T): T {
    this.#sqlite.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#sqlite.exec('COMMIT');
      return result;
    } catch (error) {
      this.#sqlite.exec('ROLLBACK');
      throw error;
    }
  }

  #statement(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.#sqlite.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  #one<T>(text: string, ...values: SQLInputValue[]): T | undefined {
    return this.#statement(text).get(...values) as T | undefined;
  }

  #all<T>(text: string, ...values: SQLInputValue[]): T[] {
    return this.#statement(text).all(...values) as T[];
  }

  #run(text: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(text).run(...values).changes);
  }

  // Users

  user(id: number): UserRow | undefined {
    return this.#one(`SELECT ${userColumns} FROM users u WHERE id = ?`, id);
  }

  userNamed(username: string): UserRow | undefined {
    return this.#one(`SELECT ${userColumns} FROM users u WHERE username = ?`, username);
  }

  users(): UserRow[] {
    return this.#all(`SELECT ${userColumns} FROM users u ORDER BY id DESC`);
  }

  /** Undefined when the name is taken. */
  addUser(username: string, name: string, at: string): UserRow | undefined {
    const added = this.#run('INSERT INTO users (username, name, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING', username, name, at);
    return added ? this.userNamed(username) : undefined;
  }

  // Groups and projects

  group(id: number): GroupRow | undefined {
    return this.#one(`SELECT ${groupColumns} FROM groups WHERE id = ?`, id);
  }

  groupAt(fullPath: string): GroupRow | undefined {
    return this.#one(`SELECT ${groupColumns} FROM groups WHERE full_path = ?`, fullPath);
  }

  groups(): GroupRow[] {
    return this.#all(`SELECT ${groupColumns} FROM groups ORDER BY full_path`);
  }

  /** The group and those that it lies in, innermost first. */
  lineage(id: number): GroupRow[] {
    const line: GroupRow[] = [];
    for (let group = this.group(id); group; group = group.parent === null ? undefined : this.group(group.parent)) line.push(group);
    return line;
  }

  /** Undefined when the path is taken by a group or project. */
  addGroup(parent: GroupRow | undefined, path: string, name: string, at: string): GroupRow | undefined {
    const fullPath = parent ? `${parent.fullPath}/${path}` : path;
    if (this.projectAt(fullPath)) return undefined;
    const added = this.#run(
      'INSERT INTO groups (parent, path, name, full_path, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      parent?.id ?? null,
      path,
      name,
      fullPath,
      at,
    );
    return added ? this.groupAt(fullPath) : undefined;
  }

  project(id: number): ProjectRow | undefined {
    return this.#one(`SELECT ${projectColumns} FROM projects WHERE id = ?`, id);
  }

  projectAt(fullPath: string): ProjectRow | undefined {
    return this.#one(`SELECT ${projectColumns} FROM projects WHERE full_path = ?`, fullPath);
  }

  projects(): ProjectRow[] {
    return this.#all(`SELECT ${projectColumns} FROM projects ORDER BY id DESC`);
  }

  /** Undefined when the path is taken by a group or project. */
  addProject(
    namespace: GroupRow,
    project: { path: string; name: string; visibility: ProjectRow['visibility'] },
    at: string,
  ): ProjectRow | undefined {
    const fullPath = `${namespace.fullPath}/${project.path}`;
    if (this.groupAt(fullPath)) return undefined;
    const added = this.#run(
      'INSERT INTO projects (namespace, path, name, full_path, visibility, created_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      namespace.id,
      project.path,
      project.name,
      fullPath,
      project.visibility,
      at,
    );
    return added ? this.projectAt(fullPath) : undefined;
  }

  setVisibility(project: number, visibility: ProjectRow['visibility']): void {
    this.#run('UPDATE projects SET visibility = ? WHERE id = ?', visibility, project);
  }

  // Members

  members(source: MemberSource, id: number): MemberRow[] {
    return this.#all(
      `SELECT ${userColumns}, m.level, m.created_at AS memberSince FROM members m JOIN users u ON u.id = m.user WHERE m.source = ? AND m.source_id = ? ORDER BY u.id`,
      source,
      id,
    );
  }

  memberLevel(source: MemberSource, id: number, user: number): MemberLevel | undefined {
    return this.#one<{ level: MemberLevel }>('SELECT level FROM members WHERE source = ? AND source_id = ? AND user = ?', source, id, user)
      ?.level;
  }

  /** The groups and projects of which the user is a member by itself, not by what it lies in. */
  memberships(user: number): { source: MemberSource; id: number; level: MemberLevel }[] {
    return this.#all('SELECT source, source_id AS id, level FROM members WHERE user = ?', user);
  }

  putMember(source: MemberSource, id: number, user: number, level: MemberLevel, at: string): void {
    this.#run(
      'INSERT INTO members (source, source_id, user, level, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET level = excluded.level',
      source,
      id,
      user,
      level,
      at,
    );
  }

  removeMember(source: MemberSource, id: number, user: number): boolean {
    return this.#run('DELETE FROM members WHERE source = ? AND source_id = ? AND user = ?', source, id, user) > 0;
  }

  // Protected tags

  tagRules(project: number): TagRuleRow[] {
    return this.#all('SELECT id, name, level FROM protected_tags WHERE project = ? ORDER BY id', project);
  }

  /** Undefined when a rule of this name is there. */
  addTagRule(project: number, name: string, level: TagLevel): TagRuleRow | undefined {
    const added = this.#run(
      'INSERT INTO protected_tags (project, name, level) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      project,
      name,
      level,
    );
    return added ? this.tagRules(project).find((rule) => rule.name === name) : undefined;
  }

  removeTagRule(project: number, name: string): boolean {
    return this.#run('DELETE FROM protected_tags WHERE project = ? AND name = ?', project, name) > 0;
  }

  // Webhooks

  hooks(project: number): HookRow[] {
    return this.#all<Record<string, unknown>>(`SELECT ${hookColumns} FROM hooks WHERE project = ? ORDER BY id`, project).map(hookOf);
  }

  hook(id: number): HookRow | undefined {
    const row = this.#one<Record<string, unknown>>(`SELECT ${hookColumns} FROM hooks WHERE id = ?`, id);
    return row && hookOf(row);
  }

  addHook(hook: Omit<HookRow, 'id'>): HookRow {
    const { lastInsertRowid } = this.#statement(
      'INSERT INTO hooks (project, url, token, push_events, tag_push_events, ssl, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ).run(hook.project, hook.url, hook.token, +hook.pushEvents, +hook.tagPushEvents, +hook.verifyTls, hook.createdAt);
    return this.hook(Number(lastInsertRowid)) as HookRow;
  }

  changeHook(hook: HookRow): void {
    this.#run(
      'UPDATE hooks SET url = ?, token = ?, push_events = ?, tag_push_events = ?, ssl = ? WHERE id = ?',
      hook.url,
      hook.token,
      +hook.pushEvents,
      +hook.tagPushEvents,
      +hook.verifyTls,
      hook.id,
    );
  }

  /** Its calls that are still due go with it. */
  removeHook(id: number): void {
    this.#run('DELETE FROM hooks WHERE id = ?', id);
  }

  addEvent(event: { hook: number; uuid: string; kind: string; body: string; due: number }): EventRow {
    this.#run(
      'INSERT INTO events (hook, uuid, kind, body, attempts, due) VALUES (?, ?, ?, ?, 0, ?)',
      event.hook,
      event.uuid,
      event.kind,
      event.body,
      event.due,
    );
    return this.#one('SELECT id, hook, uuid, kind, body, attempts, due FROM events WHERE uuid = ?', event.uuid) as EventRow;
  }

  /** The calls that may be made now, oldest first. */
  dueEvents(now: number, limit: number): EventRow[] {
    return this.#all('SELECT id, hook, uuid, kind, body, attempts, due FROM events WHERE due <= ? ORDER BY id LIMIT ?', now, limit);
  }

  /** When the next call is due; undefined when there is none. */
  nextDue(): number | undefined {
    return this.#one<{ due: number | null }>('SELECT MIN(due) AS due FROM events')?.due ?? undefined;
  }

  putOffEvent(id: number, attempts: number, due: number): void {
    this.#run('UPDATE events SET attempts = ?, due = ? WHERE id = ?', attempts, due, id);
  }

  removeEvent(id: number): void {
    this.#run('DELETE FROM events WHERE id = ?', id);
  }
}

const hookOf = (row: Record<string, unknown>): HookRow =>
  ({
    ...row,
    pushEvents: row['pushEvents'] === 1,
    tagPushEvents: row['tagPushEvents'] === 1,
    verifyTls: row['verifyTls'] === 1,
  }) as HookRow;

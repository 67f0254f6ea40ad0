import type { GitAccess } from '../server.ts';
import { accessLevels, type MemberLevel } from './access-level.ts';
import type { Directory, GroupRow, ProjectRow } from './directory.ts';

/** Whom a credential stands for. `name` appears in Git's reflog, in webhooks and in the log. */
export type GitAccount =
  /** The platform: an administrator. */
  | { readonly kind: 'admin'; readonly name: string }
  /** A person: may what its memberships give. */
  | { readonly kind: 'user'; readonly name: string }
  /** A token of one project (GitLab's project access token, deploy token, job token). */
  | { readonly kind: 'token'; readonly name: string; readonly project: string; readonly level: MemberLevel };

/** Memberships decide, and nothing else: those of a project and of the groups that it lies in, the highest counts. */
export class Access {
  readonly #directory: Directory;

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  onGroup(account: GitAccount, group: GroupRow): number {
    if (account.kind === 'admin') return accessLevels.admin;
    const user = account.kind === 'user' ? this.#directory.userNamed(account.name) : undefined;
    if (!user) return accessLevels.none;
    const levels = this.#directory.lineage(group.id).map(({ id }) => this.#directory.memberLevel('group', id, user.id) ?? 0);
    return Math.max(accessLevels.none, ...levels);
  }

  onProject(account: GitAccount, project: ProjectRow): number {
    if (account.kind === 'admin') return accessLevels.admin;
    if (account.kind === 'token') return account.project.toLowerCase() === project.fullPath.toLowerCase() ? account.level : 0;
    const user = this.#directory.userNamed(account.name);
    const own = user && this.#directory.memberLevel('project', project.id, user.id);
    const namespace = this.#directory.group(project.namespace);
    return Math.max(own ?? 0, namespace ? this.onGroup(account, namespace) : 0);
  }

  /** A member of something inside sees the groups on the way to it, as in GitLab; and nothing else in them. */
  seesGroup(account: GitAccount, group: GroupRow): boolean {
    if (this.onGroup(account, group) > 0) return true;
    if (account.kind !== 'user') return false;
    const user = this.#directory.userNamed(account.name);
    if (!user) return false;
    return this.#directory.memberships(user.id).some(({ source, id }) => {
      const innermost = source === 'group' ? id : this.#directory.project(id)?.namespace;
      return innermost !== undefined && this.#directory.lineage(innermost).some((one) => one.id === group.id);
    });
  }

  seesProject(account: GitAccount, project: ProjectRow): boolean {
    return project.visibility === 'internal' || this.onProject(account, project) > 0;
  }

  /** What Git's own protocol is asked: code is for reporters and above, pushing for developers and above. */
  toCode(account: GitAccount | undefined, project: ProjectRow | undefined, wanted: 'read' | 'write'): GitAccess {
    if (!account || !project || !this.seesProject(account, project)) return 'hide';
    const level = this.onProject(account, project);
    if (wanted === 'write') return level >= accessLevels.developer ? 'allow' : 'deny';
    return level >= accessLevels.reporter || project.visibility === 'internal' ? 'allow' : 'deny';
  }
}

import { accessLevels, type DesiredMember } from '@desp/git';
import { may, type Person, principalOf } from '@desp/identity';
import type { DesiredProjectMember } from '@desp/oci';

/** Harbor's roles by what they are for here: push and pull; pull alone. */
const registryRoles = { developer: 2, limitedGuest: 5 } as const;

export interface ServiceMembers {
  /** Of the service's group in Git. */
  readonly git: readonly DesiredMember[];
  /** Of its project in quarantine. */
  readonly quarantine: readonly DesiredProjectMember[];
  /** Of its release projects: they are written by the platform alone. */
  readonly release: readonly DesiredProjectMember[];
}

/**
 * Who is what in the parts that keep memberships, from the one table of rights; pure. Everybody whom the platform knows is in
 * each list, so that who lost a right loses the membership.
 *
 * A provider is a developer and no maintainer: GitLab lets maintainers take the protection off tags, on which releases rest.
 */
export function membersOf(people: readonly Person[], service: { readonly name: string; readonly company: string }): ServiceMembers {
  const git: DesiredMember[] = [];
  const quarantine: DesiredProjectMember[] = [];
  const release: DesiredProjectMember[] = [];
  for (const person of people) {
    const allowed = (action: Parameters<typeof may>[1]) => may(principalOf(person), action, { service }).allowed;
    const level = allowed('repository.administer')
      ? accessLevels.owner
      : allowed('repository.push')
        ? accessLevels.developer
        : allowed('repository.read')
          ? accessLevels.reporter
          : undefined;
    git.push({ username: person.name, name: person.title, level });
    const reader = allowed('image.pull') ? registryRoles.limitedGuest : undefined;
    quarantine.push({ username: person.name, role: allowed('image.push') ? registryRoles.developer : reader });
    release.push({ username: person.name, role: reader });
  }
  return { git, quarantine, release };
}

/** GitLab's access levels (API documentation, "Members: roles"); a higher one includes the lower ones. */
export const accessLevels = { none: 0, guest: 10, reporter: 20, developer: 30, maintainer: 40, owner: 50, admin: 60 } as const;

/** What a member of a group or project may have. */
export const memberLevels = [10, 20, 30, 40, 50] as const;
export type MemberLevel = (typeof memberLevels)[number];

/** Who may create a protected tag: nobody, developers and above, maintainers and above, administrators. */
export const tagLevels = [0, 30, 40, 60] as const;
export type TagLevel = (typeof tagLevels)[number];

export const describeTagLevel: Readonly<Record<TagLevel, string>> = {
  0: 'No one',
  30: 'Developers + Maintainers',
  40: 'Maintainers',
  60: 'Admins',
};

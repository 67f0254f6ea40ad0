import { EnvironmentName, GateRules } from '@desp/model';
import { z } from 'zod';
import { ProcedureError } from '../errors.ts';

const text = z.string().min(1).max(253);

export const AccessMode = z.enum(['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod']);
export type AccessMode = z.infer<typeof AccessMode>;

export const StorageClass = z
  .strictObject({
    name: text,
    /** The data outlives the claim. */
    persistent: z.boolean(),
    /** Modes that work on several nodes, not merely bind. */
    accessModes: z.array(AccessMode).min(1).readonly(),
    /** Of a shared file system: where a claim's folder lies; default `${.PVC.namespace}-${.PVC.name}`. */
    pathPattern: text.optional(),
  })
  .readonly();
export type StorageClass = z.infer<typeof StorageClass>;

export const ProfileEnvironment = z
  .strictObject({
    name: EnvironmentName,
    title: text,
    /** Labels of its cluster, by which Fleet selects. */
    clusterLabels: z.record(text, z.string().max(63)).readonly(),
    /** Name of the values file beside the chart. */
    valuesFile: text,
    /** Domains in which public names must lie. */
    allowedDomains: z.array(text).min(1).readonly(),
    /** Registries that images may come from. */
    registryHosts: z.array(text).min(1).readonly(),
    /** `direct`: a release job delivers. `promotion`: only a promotion does. */
    entry: z.enum(['direct', 'promotion']),
  })
  .readonly();
export type ProfileEnvironment = z.infer<typeof ProfileEnvironment>;

export const ProfileName = z.enum(['procedure-2023', 'observed-2025']);
export type ProfileName = z.infer<typeof ProfileName>;

const unique = (names: readonly string[]) => new Set(names).size === names.length;

/**
 * The dated conventions of the platform, as data. Where the procedure contradicts itself or reality, the profile holds the
 * decision and docs/decisions/ the reason.
 */
export const Profile = z
  .strictObject({
    name: ProfileName,
    title: text,
    /** In the order of promotion. */
    environments: z
      .array(ProfileEnvironment)
      .min(1)
      .refine((all) => unique(all.map(({ name }) => name)), 'two environments have one name')
      .readonly(),
    templates: z
      .strictObject({
        /** Project of the hosted templates; the value of $DEVSECOPS_TEMPLATES_REPOSITORY. */
        project: text,
        /** The value of $DEVSECOPS_TEMPLATES_REF. */
        ref: text,
        files: z.array(text).min(1).readonly(),
      })
      .readonly(),
    /** Whether `fleet.yml` counts: Fleet reads it, undocumented, where fleet.yaml is absent. */
    fleetYml: z.enum(['warn', 'accept']),
    /** Oldest Kubernetes that services must run on (DESP-DEV-006). */
    kubernetesVersion: z.string().regex(/^v\d+\.\d+\.\d+$/),
    externalSecrets: z
      .strictObject({
        /** Behaviour of the controller: the one of 2023, or today's. */
        release: z.enum(['0.9', 'current']),
        apiVersions: z.array(text).min(1).readonly(),
      })
      .readonly(),
    storageClasses: z
      .array(StorageClass)
      .refine((all) => unique(all.map(({ name }) => name)), 'two storage classes have one name')
      .readonly(),
    /** The gate's limits (section 3 and DESP-DEV-051): their only source. */
    gate: GateRules.readonly(),
  })
  .readonly();
export type Profile = z.infer<typeof Profile>;

/** @throws ProcedureError PROFILE_INVALID naming the first field that is wrong */
export function parseProfile(value: unknown): Profile {
  const parsed = Profile.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ProcedureError(
    'PROFILE_INVALID',
    `The profile ${profileNameIn(value)} is malformed: ${issue?.path.join('.')}: ${issue?.message}.`,
    'Correct it in packages/procedure/src/profiles/; nothing is judged by a profile that is half read.',
  );
}

const profileNameIn = (value: unknown): string =>
  typeof value === 'object' && value !== null && 'name' in value ? JSON.stringify(value.name).slice(0, 60) : 'without a name';

import { z } from 'zod';

/**
 * Names and identifiers. Each is a branded string, so that a digest cannot be passed where a tag is asked for;
 * each schema is the one place that says what is well-formed.
 */

/** A DNS label (RFC 1123): what Kubernetes takes as a namespace and Harbor as a project. */
const dnsLabel = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'lower-case letters, digits and dashes, no dash at the ends')
  .max(53);

export const ServiceName = dnsLabel.brand('ServiceName');
export type ServiceName = z.infer<typeof ServiceName>;

export const EnvironmentName = dnsLabel.max(20).brand('EnvironmentName');
export type EnvironmentName = z.infer<typeof EnvironmentName>;

export const ProviderName = dnsLabel.brand('ProviderName');
export type ProviderName = z.infer<typeof ProviderName>;

export const PersonName = dnsLabel.brand('PersonName');
export type PersonName = z.infer<typeof PersonName>;

/** `sha256:` and 64 hex digits; sha512 is accepted by the registry alone. */
export const Digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'sha256: and 64 hex digits')
  .brand('Digest');
export type Digest = z.infer<typeof Digest>;

/** A full Git object name. */
export const CommitId = z
  .string()
  .regex(/^[0-9a-f]{40}$/, '40 hex digits')
  .brand('CommitId');
export type CommitId = z.infer<typeof CommitId>;

export const DeliveryId = z
  .string()
  .regex(/^d-[0-9]{1,12}$/, 'd- and a number')
  .brand('DeliveryId');
export type DeliveryId = z.infer<typeof DeliveryId>;

/** An instant in UTC as ISO 8601 with milliseconds, so that text order is time order. */
export const Instant = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'UTC, as 2026-01-31T08:00:00.000Z')
  .brand('Instant');
export type Instant = z.infer<typeof Instant>;
export const instantOf = (date: Date): Instant => Instant.parse(date.toISOString());

export const Role = z.enum(['provider', 'ivv', 'security', 'operator', 'executive']);
export type Role = z.infer<typeof Role>;

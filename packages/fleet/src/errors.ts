import { DespError, type ErrorDetails } from '@desp/runtime/errors';

/**
 * Why Fleet's files or objects cannot be used.
 *
 * - `FLEET_YAML_INVALID`: fleet.yaml or a values file is no YAML, or a field has the wrong shape.
 * - `LIMIT_EXCEEDED`: a file or bundle is larger or deeper than we take.
 * - `PATH_OUTSIDE`: a path leaves its bundle.
 * - `FILE_MISSING`: a values file is not there.
 * - `NO_BUNDLES`: no path of the repository yields a bundle.
 * - `TARGET_INVALID`: a selector, dependency or rollout setting makes no sense.
 * - `UNSUPPORTED`: Fleet can do it and we do not (remote charts, kustomize and their kin).
 */
export type FleetErrorCode =
  | 'FLEET_YAML_INVALID'
  | 'LIMIT_EXCEEDED'
  | 'PATH_OUTSIDE'
  | 'FILE_MISSING'
  | 'NO_BUNDLES'
  | 'TARGET_INVALID'
  | 'UNSUPPORTED';

export class FleetError extends DespError<FleetErrorCode> {
  constructor(code: FleetErrorCode, message: string, details: Partial<ErrorDetails> = {}) {
    super(code, message, { kind: 'user', ...details });
  }
}

import { DespError, type ErrorKind } from '@desp/runtime';

/** Failures of the server as a part: starting, listening, opening its folder. */
export class ClusterApiError extends DespError<
  'PORT_TAKEN' | 'ADDRESS_MISSING' | 'STORE_LOCKED' | 'STORE_BROKEN' | 'BAD_OPTIONS' | 'CLOSED'
> {}

/** The reasons of a Kubernetes `Status`; each stands for one HTTP status. */
const reasons = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  Timeout: 504,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  NotImplemented: 501,
  ServiceUnavailable: 503,
} as const;

export type StatusReason = keyof typeof reasons;

export interface StatusCause {
  readonly reason?: string;
  readonly message: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** The `Status` object that every failed request is answered with. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Record<string, never>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code: number;
}

/** A refused request, in Kubernetes' own words; the edge turns it into a `Status` and its HTTP code. */
export class ApiError extends DespError<StatusReason> {
  readonly details: StatusDetails | undefined;

  constructor(reason: StatusReason, message: string, details?: StatusDetails, cause?: unknown) {
    const status = reasons[reason];
    const kind: ErrorKind = status >= 500 ? 'bug' : 'user';
    super(reason, message, {
      kind,
      retryable: reason === 'Conflict' || reason === 'ServiceUnavailable' || reason === 'TooManyRequests',
      cause,
    });
    this.details = details;
  }

  get status(): number {
    return reasons[this.code];
  }

  toStatus(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.code,
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.status,
    };
  }
}

/** Which resource an error is about: `pods`, `deployments.apps`. */
export interface ResourceName {
  readonly group: string;
  readonly plural: string;
}

export const qualified = (resource: ResourceName): string => (resource.group ? `${resource.plural}.${resource.group}` : resource.plural);
const about = (resource: ResourceName, name: string): StatusDetails => ({
  name,
  ...(resource.group ? { group: resource.group } : {}),
  kind: resource.plural,
});

export const notFound = (resource: ResourceName, name: string): ApiError =>
  new ApiError('NotFound', `${qualified(resource)} "${name}" not found`, about(resource, name));

export const alreadyExists = (resource: ResourceName, name: string): ApiError =>
  new ApiError('AlreadyExists', `${qualified(resource)} "${name}" already exists`, about(resource, name));

export const conflict = (resource: ResourceName, name: string, why: string): ApiError =>
  new ApiError('Conflict', `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`, about(resource, name));

export const modifiedMeanwhile = 'the object has been modified; please apply your changes to the latest version and try again';

/** A field that validation refuses; `reason` as in the real server, for example FieldValueRequired. */
export interface FieldError {
  readonly field: string;
  readonly reason:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueNotSupported'
    | 'FieldValueForbidden'
    | 'FieldValueDuplicate'
    | 'FieldValueTypeInvalid'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
    | string;
  /** Without the field's path: `Required value`, `Invalid value: "x": why`. */
  readonly message: string;
}

export function invalid(kind: { group: string; kind: string }, name: string, errors: readonly FieldError[]): ApiError {
  const lines = errors.map((error) => `${error.field}: ${error.message}`);
  const joined = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`;
  const subject = kind.group ? `${kind.kind}.${kind.group}` : kind.kind;
  return new ApiError('Invalid', `${subject} "${name}" is invalid: ${joined}`, {
    name,
    ...(kind.group ? { group: kind.group } : {}),
    kind: kind.kind,
    causes: errors.map((error) => ({ reason: error.reason, message: error.message, field: error.field })),
  });
}

export const forbidden = (resource: ResourceName | undefined, name: string, why: string): ApiError =>
  resource === undefined
    ? new ApiError('Forbidden', why)
    : new ApiError('Forbidden', `${qualified(resource)}${name ? ` "${name}"` : ''} is forbidden: ${why}`, about(resource, name));

export const badRequest = (message: string, cause?: unknown): ApiError => new ApiError('BadRequest', message, undefined, cause);

import { badRequest, invalid } from '../errors.ts';
import { type ApiObject, at, isRecord, listAt, textAt, textsAt } from '../object.ts';
import type { Resource } from '../resources/resource.ts';
import type { UserInfo } from '../types.ts';
import type { Authenticator } from './authenticator.ts';
import type { Attributes, Authorizer } from './rbac.ts';
import { type ServiceAccountTokens, serviceAccountIssuer } from './service-account-tokens.ts';

/** Questions to the server that are asked by creating an object and stored nowhere. */

type Answer = (body: Record<string, unknown>, context: ReviewContext) => Promise<Record<string, unknown>>;

export interface ReviewContext {
  readonly user: UserInfo;
  readonly namespace: string;
  readonly authorizer: Authorizer;
  readonly authenticator: Authenticator;
  readonly tokens: ServiceAccountTokens;
}

const userJson = (user: UserInfo) => ({
  username: user.username,
  ...(user.uid === undefined ? {} : { uid: user.uid }),
  groups: user.groups,
  ...(user.extra === undefined ? {} : { extra: user.extra }),
});

function attributesOf(spec: unknown): Attributes {
  const resource = at(spec, 'resourceAttributes');
  const path = at(spec, 'nonResourceAttributes');
  if (isRecord(resource) === isRecord(path))
    throw badRequest('exactly one of resourceAttributes and nonResourceAttributes must be specified');
  if (isRecord(path)) return { kind: 'path', verb: textAt(path, 'verb') ?? '', path: textAt(path, 'path') ?? '' };
  const text = (key: string) => textAt(resource, key) ?? '';
  return {
    kind: 'resource',
    verb: text('verb'),
    group: text('group'),
    plural: text('resource'),
    subresource: text('subresource'),
    namespace: text('namespace'),
    name: text('name'),
  };
}

const decide = (authorizer: Authorizer, user: UserInfo, wanted: Attributes): Record<string, unknown> => {
  const allowed = authorizer.allows(user, wanted);
  return allowed ? { allowed, reason: 'RBAC: allowed' } : { allowed };
};

const subjectOf = (spec: unknown): UserInfo => {
  const username = textAt(spec, 'user') ?? '';
  const groups = textsAt(spec, 'groups');
  if (username === '' && groups.length === 0) {
    throw invalid({ group: 'authorization.k8s.io', kind: 'SubjectAccessReview' }, '', [
      { field: 'spec.user', reason: 'FieldValueInvalid', message: 'Invalid value: "": at least one of user or group must be specified' },
    ]);
  }
  return { username, groups };
};

const answers: Readonly<Record<string, Answer>> = {
  selfsubjectaccessreviews: async (body, { user, authorizer }) => decide(authorizer, user, attributesOf(body['spec'])),
  subjectaccessreviews: async (body, { authorizer }) => decide(authorizer, subjectOf(body['spec']), attributesOf(body['spec'])),
  localsubjectaccessreviews: async (body, { authorizer, namespace }) => {
    const wanted = attributesOf(body['spec']);
    if (wanted.kind !== 'resource' || wanted.namespace !== namespace) {
      throw badRequest('spec.resourceAttributes.namespace must match metadata.namespace');
    }
    return decide(authorizer, subjectOf(body['spec']), wanted);
  },
  selfsubjectrulesreviews: async (body, { user, authorizer }) => {
    const namespace = textAt(body['spec'], 'namespace') ?? '';
    if (namespace === '') throw badRequest('no namespace on request');
    const rules = authorizer.rules(user, namespace);
    return {
      resourceRules: rules
        .filter((rule) => rule.resources.length > 0)
        .map(({ verbs, apiGroups, resources, resourceNames }) => ({
          verbs,
          apiGroups,
          resources,
          ...(resourceNames.length > 0 ? { resourceNames } : {}),
        })),
      nonResourceRules: rules
        .filter((rule) => rule.nonResourceURLs.length > 0)
        .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
      incomplete: false,
    };
  },
  selfsubjectreviews: async (_body, { user }) => ({ userInfo: userJson(user) }),
  tokenreviews: async (body, { authenticator, tokens }) => {
    const token = textAt(body['spec'], 'token') ?? '';
    const audiences = textsAt(body['spec'], 'audiences');
    if (token === '') return { authenticated: false, user: {}, error: 'token is required' };
    const wanted = audiences.length === 0 ? [serviceAccountIssuer] : audiences;
    const account = await tokens.verify(token, wanted);
    if (account !== undefined) return { authenticated: true, user: userJson(account.user), audiences: account.audiences };
    // People's tokens are for this server alone.
    const person = wanted.includes(serviceAccountIssuer) ? await authenticator.identify(token) : undefined;
    if (person === undefined) return { authenticated: false, user: {}, error: '[invalid bearer token, token lookup failed]' };
    return { authenticated: true, user: userJson(person), audiences: [serviceAccountIssuer] };
  },
};

/** Answers a review with the object as it came, and its status. */
export async function answerReview(resource: Resource, body: ApiObject, context: ReviewContext): Promise<ApiObject> {
  const answer = answers[resource.plural]!;
  if (!listAt(body, 'spec', 'groups').every((group) => typeof group === 'string')) throw badRequest('spec.groups must be texts');
  return { ...body, metadata: { ...body.metadata, creationTimestamp: null as unknown as string }, status: await answer(body, context) };
}

const review = (group: string, kind: string, namespaced: boolean): Resource => ({
  group,
  version: 'v1',
  kind,
  plural: `${kind.toLowerCase()}s`,
  singular: kind.toLowerCase(),
  shortNames: [],
  categories: [],
  namespaced,
  storage: '',
  verbs: ['create'],
  status: false,
  subresources: [],
  columns: [],
  fields: {},
  schema: () => undefined,
  custom: false,
  countsGeneration: false,
});

export const reviewResources: readonly Resource[] = [
  review('authentication.k8s.io', 'SelfSubjectReview', false),
  review('authentication.k8s.io', 'TokenReview', false),
  review('authorization.k8s.io', 'LocalSubjectAccessReview', true),
  review('authorization.k8s.io', 'SelfSubjectAccessReview', false),
  review('authorization.k8s.io', 'SelfSubjectRulesReview', false),
  review('authorization.k8s.io', 'SubjectAccessReview', false),
];

export { IdentityError, type IdentityErrorCode } from './identity-error.ts';
export { generatePassword, hashPassword, verifyPassword } from './passwords.ts';
export { bootstrapPeople, findPerson, findPersonBySubject, listPeople, type Person } from './people.ts';
export { type Action, actions, type Decision, may, type Principal, permissions, type Scope, type Target } from './permissions.ts';
export { createTokens, type Tokens } from './tokens.ts';

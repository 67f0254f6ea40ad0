/** What becomes of the kinds and fields that the API accepts: the tables, the warnings they raise, and their description. */
export { type ClusterSupport, describeSupport, type SupportedKind, type SupportedStructure } from './describe.ts';

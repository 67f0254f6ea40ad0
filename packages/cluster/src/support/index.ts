/** What becomes of the kinds and fields that the API accepts: the tables, the warnings they raise, and their description. */
export { ignoredFields } from './warnings.ts';

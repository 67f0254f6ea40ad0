/**
 * The subset, in one table. A keyword that is not marked `honoured` is an error with file, line and name: a rule that is read
 * over in silence would promise what nobody does.
 */
export interface KeywordRule {
  /** `honoured`: does what GitLab does. `noted`: accepted, does nothing here, and says so in a warning. `refused`: an error. */
  readonly treatment: 'honoured' | 'noted' | 'refused';
  readonly note: string;
}

const honoured = (note: string): KeywordRule => ({ treatment: 'honoured', note });
const noted = (note: string): KeywordRule => ({ treatment: 'noted', note });
const refused = (note: string): KeywordRule => ({ treatment: 'refused', note });

/** Keywords at the top of a file. Everything else there is a job, hidden when its name starts with a dot. */
export const globalKeywords: Readonly<Record<string, KeywordRule>> = {
  include: honoured('project, ref and file (one or a list), or local; variables from outside the file only'),
  stages: honoured('default build, test, deploy; .pre and .post always exist'),
  variables: honoured('text, number, boolean, or a map of value, description, options, expand'),
  default: honoured('image, before_script, after_script, tags, timeout, retry, interruptible'),
  image: honoured('as in default'),
  before_script: honoured('as in default'),
  after_script: honoured('as in default'),
  workflow: refused('a pipeline is made for every push; use rules in the jobs'),
  cache: refused('jobs keep nothing between runs'),
  services: refused('jobs have no side containers'),
  spec: refused('write the values out, or use variables'),
  pages: refused('the platform hosts no pages'),
};

/** Keywords of a job. */
export const jobKeywords: Readonly<Record<string, KeywordRule>> = {
  extends: honoured('one or several, up to 10 levels; maps are merged, everything else is replaced'),
  stage: honoured('default test'),
  script: honoured('text or list'),
  before_script: honoured('text or list'),
  after_script: honoured('text or list'),
  image: honoured('name, or a map of name and entrypoint'),
  variables: honoured('as at the top; win over those, lose to variables from outside the file'),
  needs: honoured('names, or maps of job, optional, artifacts; the jobs then ignore stages'),
  rules: honoured('if, when, allow_failure, variables; the first that holds decides'),
  when: honoured('on_success, on_failure, always, manual'),
  allow_failure: honoured('true, false, or exit_codes'),
  environment: honoured('name, or a map of name, url, action: start'),
  timeout: honoured('as 1h 30m; the platform may set a lower limit'),
  retry: honoured('0 to 2, or a map with max'),
  tags: noted('there is one runner, which takes every job'),
  interruptible: noted('a newer delivery supersedes an older one in any case'),
  only: refused('use rules'),
  except: refused('use rules'),
  artifacts: refused('jobs pass on images through the registry, no files'),
  cache: refused('jobs keep nothing between runs'),
  services: refused('jobs have no side containers'),
  dependencies: refused('jobs pass on images through the registry, no files'),
  coverage: refused('the platform reads no coverage'),
  parallel: refused('write the jobs out'),
  trigger: refused('a service starts no other pipeline'),
  release: refused('the platform makes the release; extend .release-<environment>'),
  secrets: refused('services read secrets in the cluster, jobs read none'),
  id_tokens: refused('a job has the token of the job and no other'),
  identity: refused('a job has the token of the job and no other'),
  resource_group: refused('the platform orders deliveries to an environment itself'),
  inherit: refused('set the keyword in the job instead'),
  hooks: refused('use before_script'),
  start_in: refused('jobs cannot be delayed'),
  pages: refused('the platform hosts no pages'),
  run: refused('use script'),
  dast_configuration: refused('the platform judges images itself'),
  manual_confirmation: refused('desp delivery play asks nothing'),
  publish: refused('the platform hosts no pages'),
};

/** Keywords of `default`. */
export const defaultKeywords = ['image', 'before_script', 'after_script', 'tags', 'timeout', 'retry', 'interruptible'] as const;

/** Keywords of one entry of `rules`. */
export const ruleKeywords: Readonly<Record<string, KeywordRule>> = {
  if: honoured('an expression'),
  when: honoured('on_success, on_failure, always, manual, never'),
  allow_failure: honoured('true or false'),
  variables: honoured('win over those of the job'),
  changes: refused('a delivery builds what the file says, whatever changed'),
  exists: refused('write the job only where the file exists'),
  needs: refused('write needs in the job'),
  interruptible: refused('a newer delivery supersedes an older one in any case'),
  start_in: refused('jobs cannot be delayed'),
};

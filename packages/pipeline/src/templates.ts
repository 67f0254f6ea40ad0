/** What the hosted templates depend on; part of a profile. */
export interface TemplateProfile {
  /** Names of the template files, as services include them. */
  readonly templateFiles: readonly string[];
  /** Names of the environments, in the order of promotion. */
  readonly environments: readonly { readonly name: string }[];
}

/**
 * The content of the repository `desp/devsecops-templates`: every file of the profile with the same jobs,
 * `.build-<environment>` and `.release-<environment>` (sections 3.5.2 and DESP-DEV-050 of the procedure).
 *
 * A script line calls one verb of our command line with the job's token. There is no scan job: a stage is no gate. The build
 * pushes to quarantine, the platform judges the digest, and the release verb asks for the verdict.
 */
export function templateFiles(profile: TemplateProfile): { path: string; text: string }[] {
  const text = templateText(profile.environments.map((environment) => environment.name));
  return profile.templateFiles.map((path) => ({ path, text }));
}

function templateText(environments: readonly string[]): string {
  const header = `# Templates of the platform. Extend them, set their variables, and add nothing else:
#   .build-<environment>    builds the image, pushes it to quarantine and waits for its verdict
#     DOCKER_BUILDPATH      folder of the Dockerfile, its build context
#     TEST_IMAGE            name and version of the image, as my-service/my-image:1.0.0
#     BUILD_ARGS            options of the build, as --build-arg NAME=VALUE, over several lines if need be
#   .release-<environment>  copies judged images to the environment's release project and deploys the commit
#     TEST_IMAGE            one image, or
#     DEPLOY_IMAGES         several, separated by blanks
stages:
  - build
  - release

variables:
  DOCKER_BUILDPATH: ""
  TEST_IMAGE: ""
  DEPLOY_IMAGES: ""
  BUILD_ARGS: ""
`;
  return header + environments.map(templatesOf).join('');
}

const templatesOf = (environment: string): string => `
.build-${environment}:
  stage: build
  script:
    - desp job build --env ${environment}

.release-${environment}:
  stage: release
  environment:
    name: ${environment}
  script:
    - desp job release --env ${environment}
`;

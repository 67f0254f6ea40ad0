import type { Clock, Logger } from '@desp/runtime';
import type { NodeAccess } from '../node-access.ts';

/** Who sends a request, as the real server's user info. */
export interface UserInfo {
  readonly username: string;
  readonly groups: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface ApiServerOptions {
  /** Name of the cluster, in logs, in the certificate authority's subject and as the kubeconfig's context. */
  readonly name: string;
  /** Folder of this cluster alone: the SQLite log, the certificate authority (key 0600) and the token signing key (0600). */
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** The `gitVersion` of /version; ends in `+rehearsal`. Default `v1.32.0+rehearsal`: with it kubectl 1.20 to 1.33 work. */
  readonly version?: string;
  /** Bearer token of `system:admin` (group `system:masters`), for the platform itself; at least 16 characters. */
  readonly adminToken: string;
  /** People's tokens: the person and their groups, or undefined for a token that is not theirs. Names and groups with the prefix `system:` are refused. */
  readonly authenticate?: (token: string) => Promise<UserInfo | undefined>;
  /** Logs and commands of pods; may be set later. Without it those requests answer 501. */
  readonly node?: NodeAccess;
  /** Further names and addresses in the serving certificate, besides the listening hosts and `kubernetes.default.svc`. */
  readonly extraNames?: readonly string[];
  /** IPv4 network of Service addresses, `/16` to `/28`; its first address is left to the Service `kubernetes`. Default `10.96.0.0/16`. */
  readonly serviceNetwork?: string;
}

export interface KubeconfigOptions {
  readonly token: string;
  readonly user: string;
  /** Default: `https://<first listening host>:<port>`. */
  readonly server?: string;
  readonly namespace?: string;
}

export interface ApiServer {
  readonly name: string;
  /** PEM of the cluster's certificate authority, as in a kubeconfig or in `kube-root-ca.crt`. */
  readonly certificateAuthority: string;
  /** The issuer in the tokens of ServiceAccounts; `<url>/openid/v1/jwks` holds the keys. */
  readonly issuer: string;
  /**
   * Listens on each host (an address of this machine) at one port; 0 picks a free one.
   * @throws ClusterApiError PORT_TAKEN when another process listens there.
   */
  listen(port: number, hosts: readonly string[]): Promise<{ port: number; url: string }>;
  /** Adds one listening address at the same port, for example one that appears with a container network. */
  addHost(host: string): Promise<void>;
  setNode(node: NodeAccess | undefined): void;
  /** A kubeconfig as YAML text. */
  kubeconfig(options: KubeconfigOptions): string;
  /** Writes it with mode 0600, replacing the file at once. */
  writeKubeconfig(file: string, options: KubeconfigOptions): Promise<void>;
  /** Ends watches and streams, finishes writes under way, closes the store. */
  close(): Promise<void>;
}

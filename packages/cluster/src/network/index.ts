export { type DnsServer, startDnsServer } from './dns-server.ts';
export { createLocalNetwork, mayChangeNetwork } from './local-network.ts';
export { type ClusterNames, type ClusterNamesOptions, createClusterNames } from './names.ts';
export { endpointsFor, runServiceProxy } from './service-proxy.ts';
export { addressAt, contains, NetworkError, parseSubnet } from './subnet.ts';

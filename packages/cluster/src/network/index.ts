export { type DnsServer, startDnsServer } from './dns-server.ts';
export { createLocalAddresses, type LocalAddresses, mayChangeAddresses, noLocalAddresses } from './local-addresses.ts';
export { type ClusterNames, type ClusterNamesOptions, createClusterNames } from './names.ts';
export { endpointsFor, runServiceProxy } from './service-proxy.ts';
export { addressAt, contains, NetworkError, parseSubnet } from './subnet.ts';

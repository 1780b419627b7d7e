import { statSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { isIPv6 } from 'node:net';
import type { HostFacts } from '../config/index.js';

/** What this host is, as far as its configuration has to fit it. Addresses that others can reach come first. */
export function hostFacts(): HostFacts {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const usable = all.filter(({ address }) => !(isIPv6(address) && address.startsWith('fe80:')));
  const rank = ({ internal, family }: (typeof all)[number]): number =>
    (internal ? 2 : 0) + (family === 'IPv6' ? 1 : 0);
  const addresses = [...usable].sort((a, b) => rank(a) - rank(b)).map(({ address }) => address);
  const isBlockDevice = (path: string): boolean =>
    statSync(path, { throwIfNoEntry: false })?.isBlockDevice() === true;
  return { addresses: [...new Set(addresses)], isBlockDevice };
}

/** The name of this host without its domain, as the HOWTO writes names. */
export function shortHostName(): string {
  return hostname().split('.')[0] ?? '';
}

import { existsSync, readFileSync } from 'node:fs';
import { BlockList, isIPv6 } from 'node:net';
import { ANY_ADDRESS } from '../between.js';
import type { PortFacts } from '../facts.js';
import type { Survey } from '../survey.js';

/** Where somebody listens. */
export interface Listener {
  address: string;
  port: number;
}

/** TCP_LISTEN, in the fourth column of proc_net(5). */
const LISTEN = '0A';

/** `0300A8C0` -> `192.168.0.3`: 32-bit numbers as the host has them, so that the bytes of each come in reverse. */
function decodeAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [
    ...Buffer.from(word, 'hex').reverse(),
  ]);
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => {
    const [high = 0, low = 0] = bytes.slice(index * 2, index * 2 + 2);
    return (high * 256 + low).toString(16);
  });
  return groups.every((group) => group === '0') ? '::' : groups.join(':');
}

/** The listeners in a text in the form of /proc/net/tcp or /proc/net/tcp6. */
export function parseListeners(text: string): Listener[] {
  return text.split('\n').flatMap((line) => {
    const [, hex = '', port = '', state] =
      /^\s*\d+: ([\dA-F]+):([\dA-F]{4}) \S+ (\S+)/.exec(line) ?? [];
    return state === LISTEN ? [{ address: decodeAddress(hex), port: parseInt(port, 16) }] : [];
  });
}

function isSameAddress(one: string, other: string): boolean {
  const list = new BlockList();
  list.addAddress(one, isIPv6(one) ? 'ipv6' : 'ipv4');
  return list.check(other, isIPv6(other) ? 'ipv6' : 'ipv4');
}

/** Whether listening there would meet a listener. An unspecified address is met by every one. */
export function isTaken(address: string, port: number, listeners: readonly Listener[]): boolean {
  return listeners.some(
    (each) =>
      each.port === port &&
      (ANY_ADDRESS.has(address) ||
        ANY_ADDRESS.has(each.address) ||
        isSameAddress(address, each.address)),
  );
}

/** Looks, instead of listening for a moment: a lento that starts just now must not find the port taken by this. */
function listListeners(): Listener[] {
  // A host without IPv6 lacks the second one.
  return ['/proc/net/tcp', '/proc/net/tcp6']
    .filter((file) => existsSync(file))
    .flatMap((file) => parseListeners(readFileSync(file, 'latin1')));
}

/** The ports at which lentos of this host are to listen. A lento that runs has its own. */
export function probePorts({ servers, sysids }: Survey, running: ReadonlySet<string>): PortFacts[] {
  const listeners = listListeners();
  return servers
    .filter(({ name }) => sysids.some((sysid) => sysid.name === name) && !running.has(name))
    .map(({ name: server, bindaddr: address = '::', port }) => {
      return { server, address, port, isTaken: isTaken(address, port, listeners) };
    });
}

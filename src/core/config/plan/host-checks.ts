import type { Fileset } from '../fsetdb.js';
import { collectProblems, type Problem, type Report } from '../problem.js';
import type { Server } from '../serverdb.js';
import { didYouMean, listed, quoted } from '../suggest.js';
import type { Sysid } from '../sysid.js';

/** What the answers are held against: what this host is. */
export interface HostFacts {
  /** Addresses of its interfaces. */
  addresses: readonly string[];
  isBlockDevice: (path: string) => boolean;
}

interface Described {
  sysids: readonly Sysid[];
  servers: readonly Server[];
  filesets: readonly Fileset[];
}

const ANY = new Set(['0.0.0.0', '::']);

/** All of 127/8 is this host, whatever its interfaces are. */
const isLoopback = (address: string): boolean => address.startsWith('127.');

function checkAddresses({ sysids, servers }: Described, facts: HostFacts, report: Report): void {
  const check = (what: string, address: string | undefined, place: Problem['place']): void => {
    if (address === undefined || ANY.has(address) || isLoopback(address)) return;
    if (facts.addresses.includes(address)) return;
    report({
      severity: 'warning',
      code: 'address-not-here',
      message: `${what} ${address} is no address of this host`,
      place,
      remedy: `Its addresses are ${listed(facts.addresses)}. Add the missing one before lento starts: ip addr add ${address}/24 dev eth0`,
    });
  };
  for (const { name, bindaddr, place } of sysids)
    check(`bindaddr of ${quoted(name)}`, bindaddr, place);
  const own = new Set(sysids.map(({ name }) => name));
  for (const { name, bindaddr, place } of servers) {
    if (own.has(name)) check(`bindaddr of server ${quoted(name)}`, bindaddr, place);
  }
}

/** Several lentos on one host must not get into each other's way. */
function checkShared({ sysids }: Described, report: Report): void {
  sysids.forEach((sysid, index) => {
    for (const other of sysids.slice(0, index)) {
      const shared = (code: string, what: string, remedy: string): void => {
        const message = `${quoted(sysid.name)} and ${quoted(other.name)} on this host share ${what}`;
        report({ code, message, place: sysid.place, remedy });
      };
      if (sysid.name === other.name) {
        shared('name-shared', 'their name', 'Give each lento a name of its own.');
      } else if (sysid.psdev === other.psdev) {
        const what = `the psdev ${quoted(sysid.psdev)}`;
        shared('psdev-shared', what, 'Give each its own, such as /dev/intermezzo1.');
      }
    }
  });
}

function checkPorts({ sysids, servers }: Described, report: Report): void {
  const own = new Set(sysids.map(({ name }) => name));
  const listening = servers.filter(({ name }) => own.has(name));
  listening.forEach((server, index) => {
    for (const other of listening.slice(0, index)) {
      const addresses = [server.bindaddr ?? '::', other.bindaddr ?? '::'];
      const collide = addresses[0] === addresses[1] || addresses.some((each) => ANY.has(each));
      if (server.port !== other.port || !collide) continue;
      report({
        code: 'port-shared',
        message: `servers ${quoted(server.name)} and ${quoted(other.name)} of this host listen at the same port, ${server.port}`,
        place: server.place,
        remedy: 'Give each a bindaddr of its own, or another port.',
      });
    }
  });
}

function checkInvolved({ sysids, filesets }: Described, report: Report): void {
  const hosts = new Set(filesets.flatMap((each) => [each.servername, ...each.replicators]));
  for (const { name, place } of sysids) {
    if (hosts.has(name)) continue;
    report({
      severity: 'warning',
      code: 'not-involved',
      message: `host ${quoted(name)} neither serves nor replicates any fileset`,
      place,
      remedy: `${didYouMean(name, hosts)}Hosts named in the filesets: ${listed(hosts)}.`,
    });
  }
}

/** What is wrong, or odd, with lentos on this host. */
export function checkHost(described: Described, facts: HostFacts): Problem[] {
  const { problems, report } = collectProblems();
  checkShared(described, report);
  checkPorts(described, report);
  checkInvolved(described, report);
  checkAddresses(described, facts, report);
  return problems;
}

import { crossCheck, listed, quoted, type Fileset, type Server } from '../config/index.js';
import type { Tell } from './diagnostic.js';
import type { LocalSysid, Survey } from './survey.js';

/** What the files contradict each other in. */
export function checkBetween(survey: Survey, tell: Tell): void {
  checkSysids(survey, tell);
  if (survey.isWhole.serverdb) checkServers(survey, tell);
  if (!survey.isWhole.serverdb || !survey.isWhole.fsetdb) return;
  const { files, servers, filesets, self } = survey;
  for (const { code, message, place, remedy } of crossCheck({
    files,
    servers,
    filesets,
    ...(self === undefined ? {} : { sysid: self }),
  })) {
    tell({ code, message, place, remedy });
  }
  for (const fileset of filesets) checkFileset(fileset, survey, tell);
  for (const { name, place } of servers) {
    if (filesets.some(({ servername }) => servername === name)) continue;
    tell({
      code: 'unused-server',
      message: `server ${quoted(name)} serves no fileset of ${files.fsetdb}`,
      place,
      remedy: 'Remove it, or correct its name.',
    });
  }
}

export const ANY_ADDRESS = new Set(['0.0.0.0', '::']);

/** Several lentos on one host must not get into each other's way. */
function checkSysids({ sysids }: Survey, tell: Tell): void {
  sysids.forEach((sysid, index) => {
    for (const other of sysids.slice(0, index)) {
      const shared = (code: string, what: string, remedy: string): void => {
        tell({ code, message: `${other.file} has ${what} as well`, place: sysid.place, remedy });
      };
      if (sysid.name === other.name) {
        shared('name-shared', `the name ${quoted(sysid.name)}`, 'Give each a name of its own.');
      }
      if (sysid.psdev === other.psdev) {
        const remedy = 'Give each its own, such as /dev/intermezzo1.';
        shared('psdev-shared', `the presto device ${quoted(sysid.psdev)}`, remedy);
      }
    }
  });
}

function localServers({ sysids, servers }: Survey): Server[] {
  return servers.filter(({ name }) => sysids.some((sysid) => sysid.name === name));
}

function collide(one: Server, other: Server): boolean {
  if (one.port !== other.port) return false;
  const addresses = [one.bindaddr ?? '::', other.bindaddr ?? '::'];
  return addresses[0] === addresses[1] || addresses.some((each) => ANY_ADDRESS.has(each));
}

function checkServers(survey: Survey, tell: Tell): void {
  const local = localServers(survey);
  survey.servers.forEach((server, index) => {
    for (const other of survey.servers.slice(0, index)) {
      const { port, ipaddr, place } = server;
      if (port === other.port && ipaddr === other.ipaddr) {
        tell({
          code: 'address-shared',
          message: `${quoted(other.name)} has the address ${ipaddr} and the port ${port} as well`,
          place,
          remedy: 'Correct the address, or give one of them another port.',
        });
      } else if (local.includes(server) && local.includes(other) && collide(server, other)) {
        tell({
          code: 'port-shared',
          message: `${quoted(server.name)} and ${quoted(other.name)} are both on this host and listen at port ${port}`,
          place,
          remedy: 'Give each a bindaddr of its own, or another port.',
        });
      }
    }
    checkBindaddr(server, local.includes(server), tell);
  });
}

function checkBindaddr({ bindaddr, ipaddr, place }: Server, isLocal: boolean, tell: Tell): void {
  if (!isLocal || bindaddr === undefined || bindaddr === ipaddr || ANY_ADDRESS.has(bindaddr))
    return;
  tell({
    code: 'bindaddr-differs',
    message: `it listens on ${bindaddr} alone, and clients connect to ${ipaddr}`,
    place,
    remedy: 'Make bindaddr the same as ipaddr, or leave it out to listen on every address.',
  });
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

function checkFileset(fileset: Fileset, survey: Survey, tell: Tell): void {
  const { servers, filesets, sysids } = survey;
  const server = servers.find(({ name }) => name === fileset.servername);
  if (fileset.replicators.length === 0) {
    tell({
      code: 'no-replicator',
      message: `fileset ${quoted(fileset.name)} has no replicators`,
      place: fileset.place,
      remedy: 'Let a client in: izo invite CLIENT',
    });
  }
  if (server === undefined) return;
  for (const sysid of sysids) checkFamily(sysid, server, fileset, tell);
  // Told once for each server: at its first fileset that has clients elsewhere.
  const served = filesets.filter(({ servername }) => servername === server.name);
  const away = (each: Fileset): string[] =>
    each.replicators.filter((name) => sysids.every((sysid) => sysid.name !== name));
  const first = served.find((each) => away(each).length > 0);
  if (first !== fileset || !isLoopback(server.ipaddr)) return;
  tell({
    code: 'address-loopback',
    message: `${listed(away(fileset))} cannot reach ${quoted(server.name)} at ${server.ipaddr} from another host`,
    place: server.place,
    remedy:
      'Give the address by which other hosts reach it. Several lentos on one host need a sysid file each.',
  });
}

function checkFamily(sysid: LocalSysid, server: Server, fileset: Fileset, tell: Tell): void {
  const { bindaddr } = sysid;
  if (!fileset.replicators.includes(sysid.name) || bindaddr === undefined) return;
  if (bindaddr.includes(':') === server.ipaddr.includes(':')) return;
  tell({
    code: 'address-family',
    message: `${bindaddr} cannot connect to ${quoted(server.name)} at ${server.ipaddr}`,
    place: sysid.place,
    remedy: 'Give bindaddr an address of the same family, or leave it out.',
  });
}

import { realpathSync } from 'node:fs';
import { Builder } from 'xml2js';
import type { FileToWrite } from '../system/atomic-file.js';
import type { Fileset } from './fsetdb.js';
import type { Server } from './serverdb.js';
import type { Sysid } from './sysid.js';

/** The files as izo writes them: the form of the HOWTO, one entity a line, always in the same order of attributes. */

const CONFIG_MODE = 0o644;

const builder = new Builder({
  headless: true,
  attrkey: '#attributes',
  charkey: '#text',
  renderOpts: { pretty: true, indent: '  ', newline: '\n' },
});

type Attributes = Record<string, string>;

/** Leaves out what is not there, keeps the order. */
function attributes(given: Record<string, string | number | undefined>): Attributes {
  const present = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present.map(([name, value]) => [name, String(value)]));
}

function render(what: string, tree: Record<string, unknown>): string {
  const header = `<!-- ${what} See man 5 intermezzo. izo keeps the contents of this file, not comments. -->`;
  return `${header}\n${builder.buildObject(tree)}\n`;
}

export function formatSysid({ name, psdev, bindaddr }: Omit<Sysid, 'place'>): string {
  return render('This host, as InterMezzo knows it.', {
    sysid: { '#attributes': attributes({ name, psdev, bindaddr }) },
  });
}

export function formatServerdb(servers: Iterable<Omit<Server, 'place'>>): string {
  const server = [...servers].map(({ name, ipaddr, port, bindaddr }) => ({
    '#attributes': attributes({ name, ipaddr, port, bindaddr }),
  }));
  return render('The servers of InterMezzo.', { serverdb: { server } });
}

export function formatFsetdb(filesets: Iterable<Omit<Fileset, 'place'>>): string {
  const fileset = [...filesets].map(({ name, servername, policy, conflicts, replicators }) => ({
    '#attributes': attributes({
      name,
      servername,
      // Defaults stay unwritten, so that the file is one of 2001 for as long as it can be.
      policy: policy === 'write' ? undefined : policy,
      conflicts: conflicts === 'keep-both' ? undefined : conflicts,
    }),
    replicator: replicators,
  }));
  return render('The filesets of InterMezzo: who serves them, who replicates them.', {
    fsetdb: { fileset },
  });
}

/** A configuration file to be written: readable by all, the one before kept as `.bak`. */
export function configFileToWrite(path: string, data: string): FileToWrite {
  return { path: throughLinks(path), data, mode: CONFIG_MODE, backup: true };
}

/** Where a host keeps /etc/intermezzo/serverdb as a link into a repository, the repository's file is the one meant. */
function throughLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

import { realpathSync } from 'node:fs';
import type { FileToWrite } from '../system/atomic-file.js';
import type { Fileset } from './fsetdb.js';
import { DEFAULT_PORT, type Server } from './serverdb.js';
import type { Sysid } from './sysid.js';
import { editXml, renderElement, type ElementWish } from './xml-edit.js';

/** The files as izo writes them: the form of the HOWTO, one entity a line, always in the same order of attributes. */

export type PlainSysid = Omit<Sysid, 'place'>;
export type PlainServer = Omit<Server, 'place'>;
export type PlainFileset = Omit<Fileset, 'place' | 'places'>;

const CONFIG_MODE = 0o644;

function sysidWish({ name, psdev, bindaddr }: PlainSysid): ElementWish {
  const attributes = Object.entries({ name, psdev, bindaddr });
  return {
    element: 'sysid',
    attributes: attributes.map(([each, value]) => ({ name: each, value })),
  };
}

function serverWish({ name, ipaddr, port, bindaddr }: PlainServer): ElementWish {
  return {
    element: 'server',
    attributes: [
      { name: 'name', value: name },
      { name: 'ipaddr', value: ipaddr },
      { name: 'port', value: String(port), implied: String(DEFAULT_PORT) },
      { name: 'bindaddr', value: bindaddr },
    ],
  };
}

function filesetWish(fileset: PlainFileset): ElementWish {
  const { name, servername, policy, conflicts, replicators } = fileset;
  return {
    element: 'fileset',
    attributes: [
      { name: 'name', value: name },
      { name: 'servername', value: servername },
      // Defaults stay unwritten, so that the file is one of 2001 for as long as it can be.
      { name: 'policy', value: policy === 'write' ? undefined : policy, implied: 'write' },
      {
        name: 'conflicts',
        value: conflicts === 'keep-both' ? undefined : conflicts,
        implied: 'keep-both',
      },
    ],
    children: replicators.map((text) => ({ element: 'replicator', attributes: [], text })),
  };
}

/** Where there is a text already, only what differs from it is changed. */
function write(what: string, wish: ElementWish, file: string, before?: string): string {
  if (before !== undefined) return editXml(file, before, wish);
  return `<!-- ${what} See man 5 intermezzo. -->\n${renderElement(wish)}\n`;
}

/** @param before the text of the file, where there is one */
export function formatSysid(sysid: PlainSysid, file = 'sysid', before?: string): string {
  return write('This host, as InterMezzo knows it.', sysidWish(sysid), file, before);
}

export function formatServerdb(
  servers: Iterable<PlainServer>,
  file = 'serverdb',
  before?: string,
): string {
  const children = [...servers].map(serverWish);
  const wish = { element: 'serverdb', attributes: [], children };
  return write('The servers of InterMezzo.', wish, file, before);
}

export function formatFsetdb(
  filesets: Iterable<PlainFileset>,
  file = 'fsetdb',
  before?: string,
): string {
  const children = [...filesets].map(filesetWish);
  const wish = { element: 'fsetdb', attributes: [], children };
  const what = 'The filesets of InterMezzo: who serves them, who replicates them.';
  return write(what, wish, file, before);
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

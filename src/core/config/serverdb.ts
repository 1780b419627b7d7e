import { formatPlace, type Place } from '../model/errors.js';
import {
  attributePlace,
  attributeValue,
  checkShape,
  childrenNamed,
  readConfigFile,
  type FileFormat,
} from './elements.js';
import type { Reading, Report } from './problem.js';
import { quoted } from './suggest.js';
import { checkAddress, checkBindAddress, checkName, checkPort } from './values.js';
import type { XmlElement } from './xml-tree.js';

/** "The default port is 2222" (HOWTO, serverdb). */
export const DEFAULT_PORT = 2222;

/** A host that serves filesets: how clients reach it, and on which address it listens. */
export interface Server {
  name: string;
  ipaddr: string;
  port: number;
  /** "Without a bindaddr the server listens to all interfaces for requests" (HOWTO, serverdb). */
  bindaddr?: string;
  place: Place;
}

export const SERVER_SHAPE = {
  required: ['name', 'ipaddr'],
  optional: ['port', 'bindaddr'],
} as const;

/** Understands one `<server>`, wherever it stands. */
export function readServer(element: XmlElement, report: Report): Server | undefined {
  checkShape(element, SERVER_SHAPE, report);
  const name = attributeValue(element, 'name', checkName, report);
  const ipaddr = attributeValue(element, 'ipaddr', checkAddress, report);
  const port = attributeValue(element, 'port', checkPort, report) ?? DEFAULT_PORT;
  const bindaddr = attributeValue(element, 'bindaddr', checkBindAddress, report);
  if (name === undefined || ipaddr === undefined) return undefined;
  const { place } = element;
  return { name, ipaddr, port, ...(bindaddr === undefined ? {} : { bindaddr }), place };
}

export const SERVERDB: FileFormat<Server[]> = {
  root: 'serverdb',
  whatMakesIt:
    'Run `izo inconfig` to write it, or `izo join TOKEN` with the token that `izo invite` gave on the server.',
  read(root, report) {
    checkShape(root, { required: [], optional: [], children: ['server'] }, report);
    const servers = new Map<string, Server>();
    for (const element of childrenNamed(root, 'server')) {
      const server = readServer(element, report);
      if (server === undefined) continue;
      const first = servers.get(server.name);
      if (first === undefined) {
        servers.set(server.name, server);
        continue;
      }
      report({
        code: 'duplicate-server',
        message: `server ${quoted(server.name)} is described twice, first at ${formatPlace(first.place)}`,
        place: attributePlace(element, 'name'),
        remedy: 'Remove one of the two, or give it the name it should have.',
      });
    }
    return [...servers.values()];
  },
};

/** Reads a `<serverdb>` of `<server name="muskox" ipaddr="192.168.0.3" port="2222" bindaddr="..." />`. */
export function readServerdb(file: string): Reading<Server[]> {
  return readConfigFile(file, SERVERDB);
}

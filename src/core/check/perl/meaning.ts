import {
  DEFAULT_PORT,
  DEFAULT_PSDEV,
  formatFsetdb,
  formatServerdb,
  formatSysid,
} from '../../config/index.js';
import { isHash, parsePerl, PerlFault, type PerlHash, type PerlValue } from './parse.js';

/** What the data of the Perl era mean, written as the XML that came after. */

/** `muskox /dev/intermezzo0 192.168.0.3`: the oldest sysid, words and no code. The first one alone was required. */
const PLAIN_SYSID =
  /^\s*([A-Za-z0-9][\w.-]*)(?:\s+(\/\S+))?(?:\s+([\d.]+|[\da-fA-F]*:[\da-fA-F:.]+))?\s*$/;

function withoutComments(text: string): string {
  return text.replace(/^\s*#[^\n]*$/gm, '');
}

function refuse(what: string): never {
  throw new PerlFault(0, what);
}

function text(value: PerlValue | undefined, what: string): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  return refuse(`${what} that is no word`);
}

/** The value of a key, however it was spelt; more than one spelling was used. */
function field(hash: PerlHash, ...names: string[]): PerlValue | undefined {
  const plain = (key: string): string => key.toLowerCase().replace(/[_-]/g, '');
  const known = names.map(plain);
  return hash.pairs.find(([key]) => known.includes(plain(key)))?.[1];
}

/** The one value of a file, whatever the variable is called. */
function onlyValue(source: string): PerlValue {
  const [value, ...more] = parsePerl(source).values();
  if (value === undefined) refuse('no data');
  return more.length === 0 ? value : refuse('more than one variable');
}

/** `name => { ... }` for each, or a list of `{ name => ..., ... }`. */
function described(value: PerlValue): [string, PerlValue][] {
  if (isHash(value)) return value.pairs;
  if (typeof value === 'string') return refuse('a word where a hash should be');
  return value.map((each) => {
    const name = isHash(each) ? text(field(each, 'name'), 'a name') : undefined;
    return name === undefined ? refuse('an entry without a name') : [name, each];
  });
}

function mustHave(value: string | undefined, what: string): string {
  return value ?? refuse(`no ${what}`);
}

function sysid(source: string): string {
  const [, plainName, plainPsdev, plainAddress] = PLAIN_SYSID.exec(withoutComments(source)) ?? [];
  const values: PerlHash = { pairs: [] };
  if (plainName === undefined) {
    for (const [name, value] of parsePerl(source)) {
      if (isHash(value)) values.pairs.push(...value.pairs);
      else values.pairs.push([name === '' ? 'name' : name, value]);
    }
  }
  const name = plainName ?? text(field(values, 'name', 'sysid', 'hostname', 'my_sysid'), 'a name');
  const psdev = plainPsdev ?? text(field(values, 'psdev', 'prestodev', 'device'), 'a device');
  const bindaddr = plainAddress ?? text(field(values, 'bindaddr', 'bind'), 'an address');
  return formatSysid({
    name: mustHave(name, 'name of this host'),
    // "In early versions of InterMezzo, this file did not contain the name of the presto device" (HOWTO).
    psdev: psdev ?? DEFAULT_PSDEV,
    ...(bindaddr === undefined ? {} : { bindaddr }),
  });
}

function serverdb(source: string): string {
  const servers = described(onlyValue(source)).map(([name, value]) => {
    const hash = isHash(value) ? value : { pairs: [['ipaddr', value]] as [string, PerlValue][] };
    const ipaddr = text(field(hash, 'ipaddr', 'ip', 'address', 'host'), 'an address');
    const port = text(field(hash, 'port'), 'a port');
    const bindaddr = text(field(hash, 'bindaddr', 'bind'), 'an address');
    return {
      name,
      ipaddr: mustHave(ipaddr, `ipaddr of ${name}`),
      port: port === undefined ? DEFAULT_PORT : Number(port),
      ...(bindaddr === undefined ? {} : { bindaddr }),
    };
  });
  return formatServerdb(servers);
}

function namesOf(value: PerlValue | undefined): string[] {
  if (value === undefined) return [];
  if (typeof value === 'string') return value.split(/[\s,]+/).filter((name) => name !== '');
  // A hash of replicators, each with its settings, was their names all the same.
  const names = isHash(value) ? value.pairs.map(([name]) => name) : value;
  return names.map((name) => mustHave(text(name, 'a replicator'), 'replicator'));
}

function fsetdb(source: string): string {
  const filesets = described(onlyValue(source)).map(([name, value]) => {
    if (!isHash(value)) return refuse(`nothing but a word for ${name}`);
    const servername = text(field(value, 'servername', 'server'), 'a server');
    return {
      name,
      servername: mustHave(servername, `servername of ${name}`),
      replicators: namesOf(field(value, 'replicators', 'replicator', 'clients')),
      policy: 'write' as const,
      conflicts: 'keep-both' as const,
    };
  });
  return formatFsetdb(filesets);
}

/** XML that says what a text of the Perl era says. @throws PerlFault, where it cannot be sure */
export const MEANINGS = { sysid, serverdb, fsetdb };

export type PerlFileKind = keyof typeof MEANINGS;

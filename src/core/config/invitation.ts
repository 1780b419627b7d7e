import { crc32 } from 'node:zlib';
import { IzoError } from '../model/errors.js';
import {
  CONFLICT_POLICIES,
  DISCONNECTED_POLICIES,
  type ConflictPolicy,
  type DisconnectedPolicy,
} from './fsetdb.js';
import { decodeKey, encodeKey } from './keys.js';
import type { Server } from './serverdb.js';
import {
  checkAddress,
  checkBindAddress,
  checkName,
  checkPort,
  checkWord,
  type Check,
} from './values.js';

/**
 * The token by which a server lets a client in: everything the client must write down, the shared key included.
 * Its form is `izo1.` + base64url of JSON + `.` + CRC-32 of all before, in hex. Whoever reads a token has the key.
 */

/** Thousands of filesets fit; a command line takes 128 KiB. */
export const TOKEN_CHARACTERS_MAX = 64 * 1024;

const PREFIX = 'izo1.';

export interface InvitedFileset {
  name: string;
  policy: DisconnectedPolicy;
  conflicts: ConflictPolicy;
  replicators: string[];
}

export interface Invitation {
  server: Omit<Server, 'place'>;
  client: string;
  key: Buffer;
  /** At least one; all served by the server and replicated by the client. */
  filesets: InvitedFileset[];
}

const ASK_AGAIN =
  'Copy it again, or ask for a new one: `izo invite CLIENT` on the server prints it.';

function refuse(code: string, message: string, remedy = ASK_AGAIN): never {
  throw new IzoError(code, message, { remedy });
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

/** The token of an invitation; the same for the same invitation. */
export function encodeInvitation({ server, client, key, filesets }: Invitation): string {
  const { name, ipaddr, port, bindaddr } = server;
  const payload = JSON.stringify({
    server: { name, ipaddr, port, bindaddr },
    client,
    key: encodeKey(key),
    filesets: filesets.map(({ name, policy, conflicts, replicators }) => ({
      name,
      policy,
      conflicts,
      replicators,
    })),
  });
  const body = PREFIX + Buffer.from(payload).toString('base64url');
  const token = `${body}.${checksum(body)}`;
  if (token.length > TOKEN_CHARACTERS_MAX) {
    refuse('token-too-long', 'the invitation is too long', 'Invite for fewer filesets at a time.');
  }
  return token;
}

/** From here on nothing of the token may be part of a message: it holds the key. */
function openEnvelope(token: string): unknown {
  const [, version] = /^izo([0-9]{1,4})\./.exec(token) ?? [];
  if (version === undefined) refuse('token-malformed', 'this is not an invitation of izo');
  if (version !== '1') {
    const remedy = 'Install the same release of izo on both hosts.';
    refuse('token-version', `the token has format ${version}; this izo knows format 1`, remedy);
  }
  const [, body = '', payload = '', sum = ''] =
    /^(izo1\.([A-Za-z0-9_-]+))\.([0-9a-f]{8})$/.exec(token) ?? [];
  if (checksum(body) !== sum) {
    refuse('token-damaged', 'the token is damaged: was it copied whole?');
  }
  try {
    return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch {
    return refuse('token-invalid', 'the token does not hold an invitation');
  }
}

/** Takes values out of decoded JSON, and refuses all that is not what it should be. */
class Fields {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(
    readonly what: string,
    value: unknown,
  ) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.refuse();
    this.#values = value as Record<string, unknown>;
  }

  refuse(name?: string): never {
    const which = name === undefined ? this.what : `${name} of ${this.what}`;
    return refuse('token-invalid', `the token is not valid: ${which}`);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#values, name);
  }

  value(name: string): unknown {
    return this.has(name) ? this.#values[name] : undefined;
  }

  checked<T>(name: string, check: Check<T>): T {
    const value = this.value(name);
    const checked = typeof value === 'string' ? check(value) : this.refuse(name);
    return 'value' in checked ? checked.value : this.refuse(name);
  }

  list<T>(name: string, take: (value: unknown) => T): T[] {
    const value = this.value(name);
    return Array.isArray(value) ? value.map(take) : this.refuse(name);
  }
}

function takeServer(value: unknown): Invitation['server'] {
  const fields = new Fields('the server', value);
  const given = fields.value('port');
  const port = checkPort(typeof given === 'number' ? String(given) : '');
  return {
    name: fields.checked('name', checkName),
    ipaddr: fields.checked('ipaddr', checkAddress),
    port: 'value' in port ? port.value : fields.refuse('port'),
    ...(fields.has('bindaddr') ? { bindaddr: fields.checked('bindaddr', checkBindAddress) } : {}),
  };
}

function takeFileset(value: unknown): InvitedFileset {
  const fields = new Fields('a fileset', value);
  const replicators = fields.list('replicators', (each) => {
    const checked = typeof each === 'string' ? checkName(each) : fields.refuse('replicators');
    return 'value' in checked ? checked.value : fields.refuse('replicators');
  });
  if (new Set(replicators).size !== replicators.length) fields.refuse('replicators');
  return {
    name: fields.checked('name', checkName),
    policy: fields.checked('policy', checkWord(DISCONNECTED_POLICIES, 'bad-policy')),
    conflicts: fields.checked('conflicts', checkWord(CONFLICT_POLICIES, 'bad-conflicts')),
    replicators,
  };
}

/** What the parts of an invitation owe each other. */
function checkInvitation({ server, client, filesets }: Invitation, fields: Fields): void {
  if (client === server.name) fields.refuse('the client');
  const names = new Set(filesets.map((fileset) => fileset.name));
  if (names.size === 0 || names.size !== filesets.length) fields.refuse('the filesets');
  for (const { replicators } of filesets) {
    if (!replicators.includes(client) || replicators.includes(server.name)) {
      fields.refuse('the replicators');
    }
  }
}

/**
 * Reads a token as somebody pasted it: white space anywhere in it (wrapped lines of a terminal or a mail) is ignored.
 * @throws IzoError `token-malformed`, `token-version`, `token-damaged`, `token-invalid`, `token-too-long`
 */
export function decodeInvitation(text: string): Invitation {
  if (text.length > 2 * TOKEN_CHARACTERS_MAX) {
    refuse('token-too-long', 'this is too long for an invitation of izo');
  }
  const fields = new Fields('the invitation', openEnvelope(text.replace(/\s+/g, '')));
  const key = fields.value('key');
  const invitation: Invitation = {
    server: takeServer(fields.value('server')),
    client: fields.checked('client', checkName),
    key: (typeof key === 'string' ? decodeKey(key) : undefined) ?? fields.refuse('the key'),
    filesets: fields.list('filesets', takeFileset),
  };
  checkInvitation(invitation, fields);
  return invitation;
}

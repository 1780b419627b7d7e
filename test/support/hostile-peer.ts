/**
 * A host that has been let in and means ill. Run in the network of a host with HOSTILE={address,port,identity,key,fileset}
 * in its environment; prints what became of each attack as JSON: attack -> outcome.
 */
import net from 'node:net';
import { randomBytes } from 'node:crypto';
import { checksumOf } from '../../src/core/journal/bytes.js';
import { encodeRecord } from '../../src/core/journal/index.js';
import { NO_STAMP } from '../../src/core/model/ids.js';
import { LIMITS } from '../../src/core/model/limits.js';
import { Opcode, type RecordBody } from '../../src/core/model/records.js';
import { Connection, type RequestHandler } from '../../src/core/wire/connection.js';
import { dial } from '../../src/core/wire/dial.js';
import type { Identity } from '../../src/core/wire/identity.js';
import { Kind } from '../../src/core/wire/kinds.js';
import {
  ContentKind,
  decodeBatch,
  decodeGrant,
  decodeHello,
  decodeReason,
  encodeAddress,
  encodeBatch,
  encodeBatchReply,
  encodeDigestRequest,
  encodeFetch,
  encodeHello,
  encodeNumber,
  encodeObjectRequest,
  encodePosition,
  NO_CLAIM,
  PROTOCOL_VERSION,
  type Address,
  type BatchItem,
} from '../../src/core/wire/messages.js';
import { NO_STRETCH } from '../../src/core/model/position.js';

interface Target {
  readonly address: string;
  readonly port: number;
  readonly identity: Identity;
  readonly key: string;
  readonly fileset: string;
}

const target = JSON.parse(process.env['HOSTILE'] ?? '') as Target;
const REPLICA = 0x6d616c6c6f72;
const TIMEOUT_MS = 5_000;
const SILENT = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const FUZZ_ROUNDS = 40;
const HALF_OPEN = 300;

function ignore(): void {
  // Nobody reads what it logs.
}

/** Those of the attack at hand. */
const connections: Connection[] = [];
let session = Date.now();
let recno = 1;

async function connect(key = Buffer.from(target.key, 'base64')): Promise<Connection> {
  const { address, port, identity } = target;
  const options = { address, port, identity, key, trusted: false, timeoutMs: TIMEOUT_MS };
  const { socket } = await dial(options);
  const connection = new Connection(socket, { peer: identity.server, log: SILENT });
  connection.onRequest(pretend);
  connections.push(connection);
  return connection;
}

/** Takes what the server has, as an honest host does: it would be let go otherwise. */
const pretend: RequestHandler = (kind, payload, exchange) => {
  if (kind === Kind.RECORDS) {
    const { next: expected } = decodeBatch(payload);
    exchange.reply(0, encodeBatchReply({ expected, message: '' }));
  } else if (kind === Kind.REVOKE) exchange.reply(0, encodeNumber(recno - 1));
};

/** A connection whose bytes are chosen by hand. */
async function rawSocket(): Promise<net.Socket> {
  const { address, port, identity } = target;
  const key = Buffer.from(target.key, 'base64');
  const link = await dial({ address, port, identity, key, trusted: false, timeoutMs: TIMEOUT_MS });
  link.socket.on('error', ignore);
  return link.socket;
}

async function hello(connection: Connection, replica = REPLICA, fileset = target.fileset) {
  const address: Address = { fileset, session: ++session };
  const message = { version: PROTOCOL_VERSION, ...address, replica, end: 0, current: 1 };
  const reply = await connection.request(Kind.HELLO, encodeHello({ ...message, claim: NO_CLAIM }));
  return { address, reply };
}

/** Greets as an honest host does, and takes the permit. */
/** Tells of its log what is true: the server goes on with it. */
async function position(connection: Connection, address: Address): Promise<void> {
  const place = { claim: NO_CLAIM, intact: recno - 1, resumes: recno };
  const payload = encodePosition({ ...address, ...place });
  const reply = await connection.request(Kind.POSITION, payload);
  if (reply.code !== 0) throw new Error(`POSITION: ${reply.code} ${decodeReason(reply.payload)}`);
}

async function holder(): Promise<{ connection: Connection; address: Address; acked: number }> {
  const connection = await connect();
  const { address, reply } = await hello(connection);
  recno = decodeHello(reply.payload).claim.expected;
  await position(connection, address);
  const answer = await connection.request(Kind.PERMIT, encodeAddress(address), {
    timeoutMs: 20_000,
  });
  if (answer.code !== 0) throw new Error(`PERMIT: ${answer.code} ${decodeReason(answer.payload)}`);
  return { connection, address, acked: decodeGrant(answer.payload).upto + 1 };
}

function item(body: RecordBody, change: (bytes: Buffer) => void = ignore, data = ''): BatchItem {
  const buffer = Buffer.alloc(LIMITS.recordBytes);
  const actor = { uid: 0, gid: 0, pid: 1, groups: [] };
  const at = { origin: REPLICA, originRecno: recno, time: { sec: 1, nsec: 0 }, actor };
  const made = { ...at, object: { replica: REPLICA, number: recno }, before: NO_STAMP };
  const length = encodeRecord(buffer, 0, recno, 0, made, body);
  if (length < 0) throw new Error(`cannot be encoded: ${length}`);
  const record = buffer.subarray(0, length);
  change(record);
  record.writeUInt32LE(checksumOf(record, 0, length - 8), length - 8);
  recno++;
  const content = data === '' ? ContentKind.none : ContentKind.inline;
  return { record, content, data: Buffer.from(data) };
}

/** Puts other bytes into a record, of the same length: what no encoder of ours would write. */
function forge(from: string, to: string) {
  return (bytes: Buffer): void => {
    for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from)) {
      bytes.write(to, at, 'latin1');
    }
  };
}

async function send(
  { connection, address, acked }: Awaited<ReturnType<typeof holder>>,
  items: readonly BatchItem[],
  from = recno - items.length,
): Promise<string> {
  const batch = { ...address, acked, from, next: recno, checksum: 1, stretch: NO_STRETCH, items };
  const reply = await connection.request(Kind.RECORDS, encodeBatch(batch), {
    timeoutMs: TIMEOUT_MS,
  });
  return reply.code === 0 ? 'accepted' : `refused ${reply.code}`;
}

const ESCAPES = {
  parent: ['xx/evil', '../evil'],
  absolute: ['xetc/evil', '/etc/evil'],
  inside: ['a/xx/xx/evil', 'a/../../evil'],
  meta: ['xintermezzo/shared/evil', '.intermezzo/shared/evil'],
  empty: ['a/x/evil', 'a//evil'],
  nul: ['axevil', 'a\0evil'],
} as const;

const MAKE = { mode: 0o4755, uid: 0, gid: 0 } as const;

/** Each is done on a connection of its own; an error is an outcome, too. */
const attacks: Record<string, () => Promise<string>> = {
  'wrong key': async () => {
    await connect(randomBytes(32));
    return 'accepted';
  },
  'garbage instead of TLS': async () => {
    const socket = net.connect({ host: target.address, port: target.port });
    socket.on('error', ignore).write(randomBytes(70_000));
    return closed(socket);
  },
  'garbage inside TLS': async () => {
    const socket = await rawSocket();
    socket.write(randomBytes(70_000));
    return closed(socket);
  },
  'a packet of 4 GiB': async () => {
    const socket = await rawSocket();
    const head = Buffer.from([
      0xa1,
      1,
      Kind.RECORDS,
      0,
      255,
      255,
      255,
      255,
      1,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
    ]);
    socket.write(head);
    return closed(socket);
  },
  'another fileset': async () => {
    const { reply } = await hello(await connect(), REPLICA, 'not-mine');
    return reply.code === 0 ? 'accepted' : 'refused';
  },
  'records without the permit': async () => {
    const connection = await connect();
    const { address, reply } = await hello(connection);
    recno = decodeHello(reply.payload).claim.expected;
    await position(connection, address);
    const made = item({ op: Opcode.CREATE, path: 'evil-unpermitted', ...MAKE });
    const outcome = await send({ connection, address, acked: 1 }, [made]);
    connection.close('done');
    return outcome;
  },
  'more of its log than there is': async () => {
    const connection = await connect();
    const { address } = await hello(connection);
    const stretch = { from: 1, to: 2 ** 51 };
    const claim = { expected: 2 ** 50, checksum: 7, stretch, epoch: 1 };
    const place = { claim, intact: 2 ** 50, resumes: 2 ** 51 };
    const reply = await connection.request(Kind.POSITION, encodePosition({ ...address, ...place }));
    return reply.code === 0 ? 'accepted' : 'refused';
  },
  'another one’s records': async () => {
    const peer = await holder();
    const other = item({ op: Opcode.CREATE, path: 'evil-origin', ...MAKE }, (bytes) =>
      bytes.writeUIntLE(0x123456, 24, 6),
    );
    return send(peer, [other]);
  },
  'records out of order': async () => {
    const peer = await holder();
    const items = [1, 2].map((n) => item({ op: Opcode.MKDIR, path: `evil-${n}`, ...MAKE }));
    return send(peer, items.reverse());
  },
  'a batch that leaves some out': async () => {
    const peer = await holder();
    recno += 5;
    const late = item({ op: Opcode.MKDIR, path: 'evil-late', ...MAKE });
    return send(peer, [late]);
  },
  'through a link': async () => {
    const peer = await holder();
    const link = item({ op: Opcode.SYMLINK, path: 'evil-link', target: '/tmp', uid: 0, gid: 0 });
    const first = await send(peer, [link]);
    if (first !== 'accepted') throw new Error(`the link was ${first}`);
    return send(peer, [item({ op: Opcode.CREATE, path: 'evil-link/izo-escaped', ...MAKE })]);
  },
  'contents of another size': async () => {
    const peer = await holder();
    const path = 'evil-size';
    const made = item({ op: Opcode.CREATE, path, ...MAKE });
    const handle = { ino: 1, generation: 1 };
    const mtime = { sec: 1, nsec: 0 };
    const close = { op: Opcode.CLOSE, path, size: 2 ** 40, mtime, mode: 0o644, handle, ranges: [] };
    return send(peer, [made, item(close, ignore, 'small')]);
  },
  'contents that never come': async () => {
    const peer = await holder();
    const path = 'evil-fetch';
    const made = item({ op: Opcode.CREATE, path, ...MAKE });
    const handle = { ino: 1, generation: 1 };
    const mtime = { sec: 1, nsec: 0 };
    const close = { op: Opcode.CLOSE, path, size: 2 ** 40, mtime, mode: 0o644, handle, ranges: [] };
    const fetch = { ...item(close), content: ContentKind.fetch };
    const sent = send(peer, [made, fetch]).catch(() => 'lost');
    const silence = new Promise<string>((resolve) => setTimeout(resolve, 1000, 'waits'));
    const outcome = await Promise.race([sent, silence]);
    peer.connection.close('done');
    return outcome;
  },
  'objects outside': async () => {
    const { connection, address } = await holder();
    const paths = ['../../etc/passwd', '/etc/passwd', 'evil-link/passwd', '.intermezzo/shared/kml'];
    const codes: number[] = [];
    for (const path of paths) {
      const fresh = connection;
      const fetch = fresh.fetch(Kind.OBJECT, encodeObjectRequest({ ...address, path }));
      try {
        for await (const chunk of fetch) if (chunk.length > 0) return `got ${path}`;
        codes.push(0);
      } catch {
        codes.push(1);
      }
    }
    return codes.includes(0) ? 'accepted' : 'refused';
  },
  'digests of what is no part of the tree': async () => {
    const paths = [
      '.intermezzo',
      '.intermezzo/kml',
      '../etc',
      '/etc/passwd',
      'a/../../etc',
      'a//b',
    ];
    for (const path of paths) {
      const { connection, address } = await holder();
      const rest = { host: target.identity.server, after: undefined, single: false, fast: false };
      const payload = encodeDigestRequest({ ...address, ...rest, path });
      const reply = await connection.request(Kind.DIGEST, payload).catch(() => undefined);
      if (reply?.code === 0) return 'accepted';
    }
    return 'refused';
  },
  'fetches without end': async () => {
    const { connection, address } = await holder();
    const asked = Array.from({ length: 200 }, (_, n) =>
      connection
        .request(
          Kind.FETCH,
          encodeFetch({ ...address, recno: n, from: 0, packed: false, ranges: [] }),
        )
        .catch(() => undefined),
    );
    // It never says that it takes any: they wait for that, and are forgotten with the connection.
    await Promise.race([Promise.all(asked), new Promise((resolve) => setTimeout(resolve, 1000))]);
    return 'waits';
  },
};

for (const [name, [from, to]] of Object.entries(ESCAPES)) {
  attacks[`a path outside: ${name}`] = async () => {
    const peer = await holder();
    const forged = item({ op: Opcode.CREATE, path: from, ...MAKE }, forge(from, to));
    return send(peer, [forged]);
  };
}

/** The end of a connection, or that there is none. */
function closed(socket: net.Socket): Promise<string> {
  socket.resume();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, TIMEOUT_MS, 'kept open');
    socket.once('close', () => {
      clearTimeout(timer);
      resolve('closed');
    });
  });
}

/** Every kind of request, with bytes that mean nothing. */
async function fuzz(): Promise<string> {
  for (let round = 0; round < FUZZ_ROUNDS; round++) {
    const connection = await connect();
    const { address } = await hello(connection);
    const lost = connection.closed.then(() => 'closed');
    for (const kind of [...Object.values(Kind), 77]) {
      const head = encodeAddress(address);
      const body = randomBytes(round % 7 === 0 ? 4000 : round);
      const payload = round % 2 === 0 ? Buffer.concat([head, body]) : body;
      const asked = connection.request(kind, payload, { timeoutMs: 300 }).catch(() => undefined);
      if (kind === Kind.LEAVE || kind === Kind.ACK) connection.notify(kind, payload);
      else await Promise.race([asked, lost]);
    }
    connection.close('done');
  }
  return 'done';
}

async function halfOpen(): Promise<string> {
  const sockets = Array.from({ length: HALF_OPEN }, () =>
    net.connect({ host: target.address, port: target.port }).on('error', ignore),
  );
  await new Promise((resolve) => setTimeout(resolve, 500));
  const probe = await connect();
  const { reply } = await hello(probe);
  probe.close('done');
  for (const socket of sockets) socket.destroy();
  return reply.code === 0 ? 'answered' : `refused ${reply.code}`;
}

attacks['nonsense'] = fuzz;
attacks['half-open connections by the hundred'] = halfOpen;

const outcomes: Record<string, string> = {};
for (const [name, attack] of Object.entries(attacks)) {
  try {
    outcomes[name] = await attack();
  } catch (error) {
    outcomes[name] = error instanceof Error ? `error: ${error.name}: ${error.message}` : 'error';
  }
  for (const connection of connections.splice(0)) connection.close('done');
}
process.stdout.write(JSON.stringify(outcomes), () => process.exit(0));

import { findKey, type Server } from '../../config/index.js';
import { askStatus } from '../../lento/service/control-client.js';
import type { LentoStatus } from '../../lento/status/lento-status.js';
import { IzoError } from '../../model/errors.js';
import { Connection } from '../../wire/connection.js';
import { dial } from '../../wire/dial.js';
import { Code, Kind } from '../../wire/kinds.js';
import type { WireLog } from '../../wire/log.js';
import { decodeAbout, decodeReason, encodeAddress } from '../../wire/messages.js';
import type { NetworkFacts, PeerAnswer, PeerFacts } from '../peers.js';
import type { LocalSysid, Survey } from '../survey.js';

const DIAL_MS = 5_000;
const ANSWER_MS = 5_000;

const SILENT: WireLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

async function ask(connection: Connection, fileset: string): Promise<PeerAnswer> {
  const asked = Date.now();
  // Session 0 is nobody's: the question begins none.
  const payload = encodeAddress({ fileset, session: 0 });
  const reply = await connection.request(Kind.ABOUT, payload, { timeoutMs: ANSWER_MS });
  const isAnswer = reply.code === Code.ok;
  return {
    fileset,
    code: reply.code,
    reason: isAnswer ? '' : decodeReason(reply.payload),
    about: isAnswer ? decodeAbout(reply.payload) : undefined,
    asked,
    answered: Date.now(),
  };
}

interface Asked {
  self: LocalSysid;
  server: Server;
  filesets: readonly string[];
  configDir: string;
  trusted: boolean;
}

/** Undefined where there is no key, which is told as such. */
async function askServer({
  self,
  server,
  filesets,
  configDir,
  trusted,
}: Asked): Promise<PeerFacts | undefined> {
  try {
    const id = { configDir, client: self.name, server: server.name };
    const key = trusted ? undefined : findKey(id);
    if (key === undefined && !trusted) return undefined;
    const link = await dial({
      address: server.ipaddr,
      port: server.port,
      identity: { client: self.name, server: server.name },
      timeoutMs: DIAL_MS,
      trusted,
      ...(self.bindaddr === undefined ? {} : { localAddress: self.bindaddr }),
      ...(key === undefined ? {} : { key }),
    });
    const connection = new Connection(link.socket, { peer: server.name, log: SILENT });
    try {
      const answers: PeerAnswer[] = [];
      for (const fileset of filesets) answers.push(await ask(connection, fileset));
      return { server: server.name, trouble: undefined, answers };
    } finally {
      connection.close('asked all');
    }
  } catch (error) {
    return troubleOf(server, error);
  }
}

/** Codes of the wire that have an entry of their own; a connection that is lost is one that is not there. */
const KNOWN = ['unreachable', 'wrong-key', 'network-mismatch', 'not-izo'];
/** What checks of the host and its keys tell already. */
const TOLD = ['address-not-here', 'key-mode', 'bad-key', 'key-unreadable'];

function troubleOf({ name }: Server, error: unknown): PeerFacts | undefined {
  if (!(error instanceof Error)) throw error;
  const code = error instanceof IzoError ? error.code : '';
  if (TOLD.includes(code)) return undefined;
  const remedy = error instanceof IzoError ? error.remedy : undefined;
  const trouble = {
    code: KNOWN.includes(code) ? code : 'unreachable',
    message: error.message,
    remedy:
      remedy ??
      `See whether lento runs on ${name}: izo status. Then look at the network between the two.`,
  };
  return { server: name, trouble, answers: [] };
}

async function statusOf(runDir: string, sysid: string): Promise<LentoStatus | undefined> {
  try {
    return await askStatus(runDir, sysid);
  } catch (error) {
    if (error instanceof IzoError) return undefined;
    throw error;
  }
}

/** Asks the servers of this host what they know of its filesets, and its own lento who is connected. */
export async function probePeers(survey: Survey, runDir: string): Promise<NetworkFacts> {
  const { self, servers, filesets, configDir } = survey;
  if (self === undefined) return { peers: [], absent: undefined };
  const status = await statusOf(runDir, self.name);
  const trusted = status?.trustedNetwork ?? false;
  const asking = servers.map(async (server) => {
    const names = filesets
      .filter(
        ({ servername, replicators }) =>
          servername === server.name && replicators.includes(self.name),
      )
      .map(({ name }) => name);
    if (names.length === 0) return undefined;
    return askServer({ self, server, filesets: names, configDir, trusted });
  });
  const peers = (await Promise.all(asking)).filter((each) => each !== undefined);
  const absent = status?.filesets
    .filter(({ role }) => role === 'server')
    .map(({ name, peers: all }) => ({
      fileset: name,
      absent: absentOf(filesets.find((each) => each.name === name)?.replicators ?? [], all),
    }));
  return { peers, absent };
}

function absentOf(
  replicators: readonly string[],
  peers: readonly { name: string; connected: boolean; error: string | undefined }[],
): { name: string; error: string | undefined }[] {
  return replicators.flatMap((name) => {
    const peer = peers.find((each) => each.name === name);
    return peer?.connected === true ? [] : [{ name, error: peer?.error }];
  });
}

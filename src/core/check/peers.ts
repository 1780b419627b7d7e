import { listed, quoted, type Fileset, type Server } from '../config/index.js';
import { E } from '../system/errno.js';
import { Code } from '../wire/kinds.js';
import { PROTOCOL_VERSION, type About } from '../wire/messages.js';
import type { Tell } from './diagnostic.js';
import type { Survey } from './survey.js';

/** How a server has answered the question about one fileset. */
export interface PeerAnswer {
  fileset: string;
  /** Its return code, and its words where that is not 0. */
  code: number;
  reason: string;
  about: About | undefined;
  /** Milliseconds since 1970 when it was asked and when it had answered, by the clock of this host. */
  asked: number;
  answered: number;
}

/** What asking a server brought. */
export interface PeerFacts {
  server: string;
  /** Why it could not be asked at all. */
  trouble: { code: string; message: string; remedy: string } | undefined;
  answers: readonly PeerAnswer[];
}

/** A fileset that this host serves, and the replicators that are not connected. */
export interface AbsentFacts {
  fileset: string;
  absent: readonly { name: string; error: string | undefined }[];
}

/** What --peers has found out. */
export interface NetworkFacts {
  peers: readonly PeerFacts[];
  /** Undefined where no lento of this host runs that could tell. */
  absent: readonly AbsentFacts[] | undefined;
}

/** More is no matter of a slow answer or of two clocks that drift. */
const CLOCK_MS = 5_000;

/** What is wrong between this host and the others. */
export function checkPeers(survey: Survey, { peers, absent }: NetworkFacts, tell: Tell): void {
  for (const peer of peers) {
    const server = survey.servers.find(({ name }) => name === peer.server);
    if (server !== undefined) checkServer(survey, server, peer, tell);
  }
  checkAbsent(survey, absent, tell);
}

function checkServer(survey: Survey, server: Server, peer: PeerFacts, tell: Tell): void {
  const { trouble, answers } = peer;
  if (trouble !== undefined) {
    const { code, message, remedy } = trouble;
    tell({ code, message, place: server.place, remedy });
    return;
  }
  for (const answer of answers) {
    const fileset = survey.filesets.find(({ name }) => name === answer.fileset);
    if (fileset !== undefined) checkAnswer(survey, server, fileset, answer, tell);
  }
  checkClock(server, answers, tell);
}

function checkAnswer(
  survey: Survey,
  server: Server,
  fileset: Fileset,
  { code, reason, about }: PeerAnswer,
  tell: Tell,
): void {
  const name = quoted(server.name);
  if (code === E.EACCES) {
    const remedy = `Let this host in: on ${server.name} run \`izo invite ${survey.self?.name ?? 'HOST'}\``;
    tell({
      code: 'fileset-not-served',
      message: `${name} says: ${reason}`,
      place: fileset.place,
      remedy,
    });
  } else if (about === undefined && code === Code.failed) {
    const remedy = `See the log of lento on ${server.name}.`;
    tell({
      code: 'fileset-not-served',
      message: `${name} says: ${reason}`,
      place: fileset.place,
      remedy,
    });
  } else if (about?.version !== PROTOCOL_VERSION) {
    const theirs = about === undefined ? 'an older version' : `version ${about.version}`;
    tell({
      code: 'version-differs',
      message: `${name} speaks ${theirs} of the protocol, and this host version ${PROTOCOL_VERSION}`,
      place: server.place,
      remedy: 'Install the same version of izo on both hosts.',
    });
  } else compare(server, fileset, about, tell);
}

/** What of a fileset is not the same there as here. */
function compare(server: Server, fileset: Fileset, about: About, tell: Tell): void {
  const name = quoted(server.name);
  if (!about.isMounted) {
    tell({
      code: 'fileset-not-mounted',
      message: `${name} has not mounted ${quoted(fileset.name)}`,
      place: fileset.place,
      remedy: `Mount it there: on ${server.name} run \`izo config-check\`, then mount it.`,
    });
  }
  for (const key of ['policy', 'conflicts'] as const) {
    if (fileset[key] === about[key]) continue;
    tell({
      code: 'fsetdb-differs',
      message: `${key} is ${quoted(fileset[key])} here and ${quoted(about[key])} at ${name}`,
      place: fileset.place,
      remedy: `Make fsetdb the same on both hosts: compare with that of ${server.name}.`,
    });
  }
  compareReplicators(server, fileset, about, tell);
}

/** After `izo invite` only the server knows of the new one, and nothing is wrong then. */
function compareReplicators(server: Server, fileset: Fileset, about: About, tell: Tell): void {
  const name = quoted(server.name);
  const code = 'replicators-differ';
  const missing = about.replicators.filter((each) => !fileset.replicators.includes(each));
  if (missing.length > 0) {
    tell({
      code,
      message: `${name} has the replicators ${listed(missing)} as well`,
      place: fileset.place,
      remedy: `To name them here: <replicator> elements, as in fsetdb of ${server.name}.`,
    });
  }
  fileset.replicators.forEach((each, index) => {
    if (about.replicators.includes(each)) return;
    tell({
      code,
      message: `${quoted(each)} is no replicator of ${quoted(fileset.name)} at ${name}`,
      place: fileset.places?.replicators[index] ?? fileset.place,
      remedy: `Take it out here; or let it in: on ${server.name} run \`izo invite ${each}\``,
    });
  });
}

/** The clocks, as far as the time that the answer took lets them be compared. */
function checkClock(server: Server, answers: readonly PeerAnswer[], tell: Tell): void {
  for (const { about, asked, answered } of answers) {
    if (about?.version !== PROTOCOL_VERSION) continue;
    const ahead = about.clock - (asked + answered) / 2;
    if (Math.abs(ahead) <= CLOCK_MS + (answered - asked) / 2) return;
    const seconds = Math.round(Math.abs(ahead) / 1000);
    tell({
      code: 'clock-differs',
      message: `the clock of ${quoted(server.name)} is ${seconds} s ${ahead > 0 ? 'ahead of' : 'behind'} that of this host`,
      place: server.place,
      remedy: 'Have both set by NTP: timedatectl set-ntp true',
    });
    return;
  }
}

function checkAbsent(survey: Survey, absent: NetworkFacts['absent'], tell: Tell): void {
  const { self, filesets } = survey;
  if (self === undefined) return;
  const served = filesets.filter(
    ({ servername, replicators }) => servername === self.name && replicators.length > 0,
  );
  if (served.length === 0) return;
  if (absent === undefined) {
    tell({
      code: 'peers-unknown',
      message: `lento of ${quoted(self.name)} is not running`,
      place: { file: self.file },
      remedy: 'Start it: izo lento',
    });
    return;
  }
  for (const { fileset: name, absent: hosts } of absent) {
    const fileset = served.find((each) => each.name === name);
    if (fileset === undefined) continue;
    for (const { name: host, error } of hosts) {
      const at = fileset.replicators.indexOf(host);
      const why = error === undefined ? '' : `: ${error}`;
      tell({
        code: 'peer-absent',
        message: `${quoted(host)} is not connected for ${quoted(name)}${why}`,
        place: fileset.places?.replicators[at] ?? fileset.place,
        remedy: `Run on ${host}: izo config-check --peers`,
      });
    }
  }
}

import type { ConfigFiles } from './config-files.js';
import type { Fileset } from './fsetdb.js';
import { collectProblems, inFileOrder, type Problem, type Report } from './problem.js';
import type { Server } from './serverdb.js';
import { didYouMean, listed, quoted } from './suggest.js';
import type { Sysid } from './sysid.js';

/** What the files say, each in itself correct. */
export interface ConfigFacts {
  files: ConfigFiles;
  sysid?: Sysid;
  servers: readonly Server[];
  filesets: readonly Fileset[];
}

function checkFileset(fileset: Fileset, facts: ConfigFacts, report: Report): void {
  const known = facts.servers.map((server) => server.name);
  if (!known.includes(fileset.servername)) {
    report({
      code: 'unknown-server',
      message: `fileset ${quoted(fileset.name)} is served by ${quoted(fileset.servername)}, which ${facts.files.serverdb} does not describe`,
      place: fileset.places?.servername ?? fileset.place,
      remedy: `${didYouMean(fileset.servername, known)}Known servers: ${listed(known)}. Add a <server> to ${facts.files.serverdb} or correct the name.`,
    });
  }
  const self = fileset.replicators.indexOf(fileset.servername);
  if (self >= 0) {
    report({
      code: 'self-replicator',
      message: `${quoted(fileset.servername)} serves fileset ${quoted(fileset.name)} and is also listed as its replicator`,
      place: fileset.places?.replicators[self] ?? fileset.place,
      remedy: 'Remove this <replicator>: the server always has the fileset.',
    });
  }
}

function checkInvolvement(sysid: Sysid, facts: ConfigFacts, report: Report): void {
  const hosts = new Set(
    facts.filesets.flatMap((fileset) => [fileset.servername, ...fileset.replicators]),
  );
  if (hosts.has(sysid.name)) return;
  report({
    severity: 'warning',
    code: 'not-involved',
    message: `host ${quoted(sysid.name)} neither serves nor replicates any fileset`,
    place: sysid.place,
    remedy: `${didYouMean(sysid.name, hosts)}Hosts named in ${facts.files.fsetdb}: ${listed(hosts)}.`,
  });
}

/** What the files contradict each other in: errors in the order of fsetdb, or warnings about this host. */
export function crossCheck(facts: ConfigFacts): Problem[] {
  const { problems, report } = collectProblems();
  for (const fileset of facts.filesets) checkFileset(fileset, facts, report);
  // A misspelt server would make its host look uninvolved: one message for one mistake.
  if (problems.length > 0) return inFileOrder(problems);
  if (facts.sysid !== undefined) checkInvolvement(facts.sysid, facts, report);
  return problems;
}

import { roleOf, type Configuration, type Fileset, type Server } from '../../config/index.js';

/** A difference between the configuration that lento runs with and the one that it has read now. */
export interface ConfigChange {
  readonly what: string;
  /** Otherwise it takes a restart of lento. */
  readonly applied: boolean;
}

export interface Comparison {
  readonly changes: readonly ConfigChange[];
  /** What lento runs with from now on: the new one, but for what needs a restart. */
  readonly effective: Configuration;
  /** Filesets that begin anew: what they are here has changed. */
  readonly restarted: readonly string[];
}

const applied = (what: string): ConfigChange => ({ what, applied: true });
const needsRestart = (what: string): ConfigChange => ({ what, applied: false });

/** Compares what is of consequence for this host. Pure. */
export function compareConfigurations(now: Configuration, next: Configuration): Comparison {
  const sysid = sysidChanges(now, next);
  // Under another name everything else means something else.
  if (now.sysid.name !== next.sysid.name) {
    return { changes: sysid, effective: now, restarted: [] };
  }
  const self = now.sysid.name;
  const own = now.servers.get(self);
  const servers = new Map(next.servers);
  if (own === undefined) servers.delete(self);
  else servers.set(self, { ...(next.servers.get(self) ?? own), ...listening(own) });
  const effective = { ...next, sysid: now.sysid, servers };
  const filesets = filesetChanges(now, next);
  return {
    changes: [...sysid, ...serverChanges(now, next), ...filesets.changes],
    effective,
    restarted: filesets.restarted,
  };
}

function from(before: string | undefined, after: string | undefined): string {
  return `${before ?? 'none'} -> ${after ?? 'none'}`;
}

function sysidChanges({ sysid: now }: Configuration, { sysid: next }: Configuration) {
  return (['name', 'psdev', 'bindaddr'] as const).flatMap((key) =>
    now[key] === next[key] ? [] : [needsRestart(`sysid: ${key} ${from(now[key], next[key])}`)],
  );
}

/** Where a server listens, which it does from its start on. */
function listening({ port, bindaddr }: Server): Pick<Server, 'port' | 'bindaddr'> {
  return { port, ...(bindaddr === undefined ? {} : { bindaddr }) };
}

function describe(server: Server | undefined): string | undefined {
  return server && `${server.ipaddr} port ${server.port}`;
}

function describeListening(server: Server | undefined): string | undefined {
  return server && `${server.bindaddr ?? 'any address'} port ${server.port}`;
}

function serverChanges(now: Configuration, next: Configuration): ConfigChange[] {
  const names = new Set([...now.servers.keys(), ...next.servers.keys()]);
  return [...names].flatMap((name) => {
    const [before, after] = [now.servers.get(name), next.servers.get(name)];
    if (name === now.sysid.name && describeListening(before) !== describeListening(after)) {
      const what = from(describeListening(before), describeListening(after));
      return [needsRestart(`server ${name} (this host) listens at ${what}`)];
    }
    if (describe(before) === describe(after)) return [];
    return [applied(`server ${name}: ${from(describe(before), describe(after))}`)];
  });
}

/** What a fileset is on this host; undefined where it is nothing. */
function here(config: Configuration, name: string): Fileset | undefined {
  return roleOf(config, name) === 'none' ? undefined : config.filesets.get(name);
}

function filesetChanges(now: Configuration, next: Configuration) {
  const changes: ConfigChange[] = [];
  const restarted: string[] = [];
  for (const name of new Set([...now.filesets.keys(), ...next.filesets.keys()])) {
    const [before, after] = [here(now, name), here(next, name)];
    const words = wordsFor(before, after);
    changes.push(...words.map((what) => applied(`fileset ${name}: ${what}`)));
    const isOther = (['servername', 'policy', 'conflicts', 'compression'] as const).some(
      (key) => before?.[key] !== after?.[key],
    );
    if (isOther) restarted.push(name);
  }
  return { changes, restarted };
}

function wordsFor(before: Fileset | undefined, after: Fileset | undefined): string[] {
  if (before === undefined || after === undefined) {
    if (before === after) return [];
    return [before === undefined ? 'is new here' : 'is not of this host any more'];
  }
  const added = after.replicators.filter((host) => !before.replicators.includes(host));
  const removed = before.replicators.filter((host) => !after.replicators.includes(host));
  return [
    ...(['servername', 'policy', 'conflicts'] as const)
      .filter((key) => before[key] !== after[key])
      .map((key) => `${key} ${from(before[key], after[key])}`),
    ...(before.compression === after.compression
      ? []
      : [`compression ${from(before.compression, after.compression)}`]),
    ...(['history', 'backlog'] as const)
      .filter((key) => before[key] !== after[key])
      .map((key) => `${key} ${from(sizeWord(before[key]), sizeWord(after[key]))}`),
    ...added.map((host) => `replicator ${host} is new`),
    ...removed.map((host) => `replicator ${host} is gone`),
  ];
}

function sizeWord(bytes: number | undefined): string {
  return bytes === undefined ? 'as izo sees fit' : `${bytes} bytes`;
}

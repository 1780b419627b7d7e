import {
  checkAddress,
  checkBindAddress,
  checkName,
  checkPort,
  checkPsdev,
  CONFLICT_POLICIES,
  DEFAULT_PORT,
  DISCONNECTED_POLICIES,
  freePsdev,
  quoted,
  type Check,
  type Fileset,
  type Server,
  type Sysid,
} from '../../config/index.js';
import { shortHostName } from '../../setup/host.js';
import { confirm, input, say, select, type Choice } from './ask.js';
import type { Draft } from './draft.js';

/** A check, and that nothing else has the value already. */
function unused(check: Check<string>, taken: Iterable<string>, whose: string): Check<string> {
  const all = new Set(taken);
  return (text) => {
    if (!all.has(text)) return check(text);
    const message = `${quoted(text)} is ${whose}`;
    return { refusal: { code: 'taken', message, remedy: 'Choose another.' } };
  };
}

/** One of this host's addresses, or another one. */
async function askAddress(
  message: string,
  addresses: readonly string[],
  byDefault: string | undefined,
  check: Check<string>,
): Promise<string> {
  const known = byDefault === undefined || addresses.includes(byDefault) ? [] : [byDefault];
  const choices: Choice<string | undefined>[] = [...known, ...addresses].map((address) => ({
    name: address,
    value: address,
  }));
  choices.push({ name: 'another one', value: undefined });
  const chosen = await select(message, choices, byDefault);
  return chosen ?? (await input({ message: 'Address:', check }));
}

/** The address that a lento uses; undefined: any. */
async function askBindAddress(
  draft: Draft,
  before: string | undefined,
): Promise<string | undefined> {
  const ANY = 'any address of this host';
  const addresses = [ANY, ...draft.facts.addresses];
  const address = await askAddress('Address that lento uses:', addresses, before ?? ANY, (text) =>
    checkBindAddress(text),
  );
  return address === ANY ? undefined : address;
}

/** Asks for what one sysid file holds. */
export async function askSysid(draft: Draft, path: string): Promise<Sysid['name']> {
  const before = draft.sysids.get(path);
  const others = [...draft.sysids].filter(([each]) => each !== path).map(([, sysid]) => sysid);
  say(
    '',
    'Every lento has a name, the same in the files of all hosts, and a psdev: the channel',
    'between it and the file system of this host. The psdev is a name; no device is needed.',
  );
  const name = await input({
    message: 'Name of this host:',
    check: unused(
      checkName,
      others.map((each) => each.name),
      'another lento of this host',
    ),
    byDefault: before?.name ?? (others.length === 0 ? shortHostName() : undefined),
  });
  const psdev = await input({
    message: 'Its psdev:',
    check: unused(
      checkPsdev,
      others.map((each) => each.psdev),
      'that of another lento',
    ),
    byDefault: before?.psdev ?? freePsdev(others),
  });
  const bindaddr = await askBindAddress(draft, before?.bindaddr);
  draft.putSysid(path, { name, psdev, ...(bindaddr === undefined ? {} : { bindaddr }) });
  return name;
}

/** Asks for a server: one of this host, or another. */
export async function askServer(draft: Draft, known?: string): Promise<string> {
  say('', 'A server is known by its name, the address by which others reach it, and a port.');
  const own = new Map([...draft.sysids.values()].map((sysid) => [sysid.name, sysid]));
  const name = known ?? (await input({ message: 'Name of the server:', check: checkName }));
  const before = draft.servers.find((each) => each.name === name);
  const self = own.get(name);
  const ipaddr =
    self === undefined
      ? await input({
          message: `Address of ${name}:`,
          check: checkAddress,
          byDefault: before?.ipaddr,
        })
      : await askAddress(
          `Address by which others reach ${name}:`,
          draft.facts.addresses,
          before?.ipaddr ?? self.bindaddr,
          checkAddress,
        );
  const port = await input({
    message: 'Port:',
    check: checkPort,
    byDefault: String(before?.port ?? DEFAULT_PORT),
  });
  const server: Omit<Server, 'place'> = { name, ipaddr, port };
  if (self === undefined) {
    draft.putServer({
      ...server,
      ...(before?.bindaddr === undefined ? {} : { bindaddr: before.bindaddr }),
    });
  } else {
    const only = await confirm('Listen on that address only?', before?.bindaddr !== undefined);
    draft.putServer({ ...server, ...(only ? { bindaddr: ipaddr } : {}) });
  }
  return name;
}

/** Names separated by blanks or commas. */
const checkNames: Check<string[]> = (text) => {
  const names = [...new Set(text.split(/[\s,]+/).filter((name) => name !== ''))];
  for (const name of names) {
    const checked = checkName(name);
    if ('refusal' in checked) return checked;
  }
  return { value: names };
};

const POLICIES: Readonly<Record<(typeof DISCONNECTED_POLICIES)[number], string>> = {
  write: 'goes on writing, and sends it later',
  readonly: 'may only read',
};

const CONFLICTS: Readonly<Record<(typeof CONFLICT_POLICIES)[number], string>> = {
  'keep-both': 'both are kept, one under another name',
  server: 'that of the server is kept',
  client: 'that of the client is kept',
  manual: 'somebody decides; until then the fileset waits',
};

async function askServername(draft: Draft, before: Fileset | undefined): Promise<string> {
  const names = draft.servers.map(({ name }) => name);
  const [only] = names;
  if (only === undefined) return askServer(draft);
  if (names.length === 1 && (before === undefined || before.servername === only)) return only;
  const choices = names.map((name) => ({ name, value: name }));
  return select('Which server has it?', choices, before?.servername);
}

/** Asks for a fileset. @param replicators a suggestion for a new one */
export async function askFileset(
  draft: Draft,
  options: { known?: string; replicators?: readonly string[] } = {},
): Promise<string> {
  say('', 'A fileset is a tree of files: one server has it, any number of hosts replicate it.');
  const first = draft.filesets.length === 0 ? 'shared' : undefined;
  const name =
    options.known ??
    (await input({ message: 'Name of the fileset:', check: checkName, byDefault: first }));
  const before = draft.filesets.find((each) => each.name === name);
  const servername = await askServername(draft, before);
  const suggested = before?.replicators ?? options.replicators ?? [];
  const replicators = await input({
    message: 'Hosts that replicate it, by their names:',
    check: unusedServer(checkNames, servername),
    byDefault: suggested.length === 0 ? undefined : suggested.join(' '),
    isList: true,
  });
  let { policy = 'write', conflicts = 'keep-both' } = before ?? {};
  say(
    `A host that is cut off ${POLICIES[policy]}; of two updates that collide`,
    `${CONFLICTS[conflicts]}.`,
  );
  if (await confirm('Change that?', false)) {
    const words = <W extends string>(all: readonly W[], says: Readonly<Record<W, string>>) =>
      all.map((value) => ({ name: `${value}: ${says[value]}`, value }));
    policy = await select(
      'A host that is cut off:',
      words(DISCONNECTED_POLICIES, POLICIES),
      policy,
    );
    conflicts = await select(
      'Of two updates that collide:',
      words(CONFLICT_POLICIES, CONFLICTS),
      conflicts,
    );
  }
  draft.putFileset({ name, servername, replicators, policy, conflicts });
  return name;
}

function unusedServer(check: Check<string[]>, servername: string): Check<string[]> {
  return (text) => {
    const checked = check(text);
    if ('refusal' in checked || !checked.value.includes(servername)) return checked;
    const message = `${quoted(servername)} serves it`;
    const remedy = 'Name only the others: the server always has the fileset.';
    return { refusal: { code: 'self-replicator', message, remedy } };
  };
}

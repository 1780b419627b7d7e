import type { Removal } from '../../config/index.js';
import { say, select, type Choice } from './ask.js';
import type { Draft } from './draft.js';
import { askInvitations, askSecond, remoteClients } from './guide.js';
import { askMount } from './mount-questions.js';
import { askFileset, askServer, askSysid } from './questions.js';

/** The name of one that there is, or undefined for a new one. */
async function which(message: string, names: readonly string[]): Promise<string | undefined> {
  if (names.length === 0) return undefined;
  const choices: Choice<string | undefined>[] = names.map((name) => ({ name, value: name }));
  return select(message, [...choices, { name: 'a new one', value: undefined }]);
}

async function changeSysid(draft: Draft): Promise<void> {
  const paths = [...draft.sysids.keys()];
  const choices = paths.map((path) => ({ name: path, value: path }));
  await askSysid(
    draft,
    choices.length > 1 ? await select('Which file?', choices) : draft.existing.idfile,
  );
}

async function changeServer(draft: Draft): Promise<void> {
  const own = [...draft.sysids.values()].map(({ name }) => name);
  const known = draft.servers.map(({ name }) => name);
  const names = [...new Set([...known, ...own])];
  await askServer(draft, await which('Which server?', names));
}

async function changeFileset(draft: Draft): Promise<void> {
  const known = await which(
    'Which fileset?',
    draft.filesets.map(({ name }) => name),
  );
  await askFileset(draft, known === undefined ? {} : { known });
}

async function changeMount(draft: Draft): Promise<void> {
  const choices = [...draft.sysids.values()].flatMap((sysid) =>
    draft.filesets
      .filter(({ servername, replicators }) => [servername, ...replicators].includes(sysid.name))
      .map(({ name }) => ({ name: `${name}, for ${sysid.name}`, value: { name, sysid } })),
  );
  if (choices.length === 0) {
    say('No lento of this host has a fileset: describe one first, with this host in it.');
    return;
  }
  const { name, sysid } = await select('Which fileset?', choices);
  await askMount(draft, name, sysid);
}

async function remove(draft: Draft): Promise<void> {
  const of = (kind: Removal['kind'], names: readonly string[]) =>
    names.map((name) => ({ name: `${kind} ${name}`, value: { kind, name } }));
  const choices: Choice<{ kind: Removal['kind']; name: string } | undefined>[] = [
    ...of(
      'server',
      draft.servers.map(({ name }) => name),
    ),
    ...of(
      'fileset',
      draft.filesets.map(({ name }) => name),
    ),
    ...of(
      'mount',
      draft.mounts.map(({ mtpt }) => mtpt),
    ),
    { name: 'nothing', value: undefined },
  ];
  const chosen = await select('What is no longer to be described? (No cache is removed.)', choices);
  if (chosen !== undefined) draft.remove(chosen.kind, chosen.name);
}

/** What is described now, in a few lines. */
function summary(draft: Draft): string[] {
  const lines = [...draft.sysids.values()].map(
    ({ name, psdev, bindaddr }) => `  this host: ${name}, ${psdev}, ${bindaddr ?? 'any address'}`,
  );
  for (const { name, ipaddr, port } of draft.servers) {
    lines.push(`  server: ${name}, ${ipaddr} port ${port}`);
  }
  for (const { name, servername, replicators } of draft.filesets) {
    lines.push(
      `  fileset: ${name}, of ${servername}, replicated by ${replicators.join(', ') || 'nobody'}`,
    );
  }
  for (const { mtpt, fileset, cache } of draft.mounts) {
    lines.push(`  mount: ${fileset} at ${mtpt}, in ${cache}`);
  }
  return lines.length === 0 ? ['  nothing yet'] : lines;
}

type Act = ((draft: Draft) => Promise<void>) | 'review' | 'leave';

function choices(draft: Draft): Choice<Act>[] {
  const all: (Choice<Act> & { if?: boolean })[] = [
    { name: 'see what would be written', value: 'review', if: !draft.isEmpty },
    { name: 'this host: its name, psdev and address', value: changeSysid },
    { name: 'another lento on this host', value: askSecond, if: draft.own !== undefined },
    { name: 'a server', value: changeServer },
    { name: 'a fileset', value: changeFileset },
    { name: 'a mount of this host', value: changeMount, if: draft.filesets.length > 0 },
    { name: 'invite clients', value: askInvitations, if: remoteClients(draft).length > 0 },
    {
      name: 'remove something',
      value: remove,
      if: draft.servers.length + draft.filesets.length > 0,
    },
    { name: 'leave everything as it is', value: 'leave' },
  ];
  return all.filter((each) => each.if !== false);
}

/** Lets anything be changed, as often as it takes. @returns whether to go on to what would be written */
export async function hub(draft: Draft): Promise<boolean> {
  for (;;) {
    say('', `Described in ${draft.existing.configDir}:`, ...summary(draft), '');
    const act = await select('What next?', choices(draft));
    if (act === 'leave') return false;
    if (act === 'review') return true;
    await act(draft);
  }
}

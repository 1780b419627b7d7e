import { resolve } from 'node:path';
import {
  answersOfInvitation,
  decodeInvitation,
  type Check,
  type Invitation,
} from '../../config/index.js';
import { IzoError } from '../../model/errors.js';
import { checkbox, confirm, input, say, select } from './ask.js';
import type { Draft } from './draft.js';
import { offerMounts } from './mount-questions.js';
import { askFileset, askServer, askSysid } from './questions.js';

/** What a host that is not configured yet is to be: the configurations of the HOWTO, and none of them. */

async function askFilesets(draft: Draft, replicators: readonly string[] = []): Promise<void> {
  do await askFileset(draft, { replicators });
  while (await confirm('Another fileset?', false));
}

/** The clients of this host that are not on this host. */
export function remoteClients(draft: Draft): string[] {
  const own = new Set([...draft.sysids.values()].map(({ name }) => name));
  const served = draft.filesets.filter(({ servername }) => own.has(servername));
  const clients = served.flatMap(({ replicators }) => replicators);
  return [...new Set(clients)].filter((name) => !own.has(name));
}

export async function askInvitations(draft: Draft): Promise<void> {
  const clients = remoteClients(draft);
  if (clients.length === 0) return;
  say(
    '',
    'Each client has a key of its own. An invited one gets a token, printed at the end: the',
    'client is complete after `izo join` with it, and need not be configured by hand.',
  );
  draft.invite(await checkbox('Whom shall this server invite now?', clients, true));
}

async function guideServer(draft: Draft): Promise<void> {
  const name = await askSysid(draft, draft.existing.idfile);
  await askServer(draft, name);
  await askFilesets(draft);
  await offerMounts(draft);
  await askInvitations(draft);
}

const checkToken: Check<Invitation> = (text) => {
  try {
    return { value: decodeInvitation(text) };
  } catch (error) {
    if (!(error instanceof IzoError)) throw error;
    const { code, message, remedy = 'Copy it again, all of it.' } = error;
    return { refusal: { code, message, remedy } };
  }
};

async function guideToken(draft: Draft): Promise<void> {
  const invitation = await input({ message: 'Token:', check: checkToken, secret: true });
  const { sysids, servers, filesets } = answersOfInvitation(invitation, draft.existing, {});
  for (const sysid of sysids) draft.putSysid(sysid.file, sysid);
  for (const server of servers) draft.putServer(server);
  for (const fileset of filesets) draft.putFileset(fileset);
  draft.accepted.push(invitation);
  const names = invitation.filesets.map(({ name }) => name).join(', ');
  say(`This host is ${invitation.client}, client of ${invitation.server.name} for ${names}.`);
}

async function guideClient(draft: Draft): Promise<void> {
  say('', 'On the server `izo invite NAME` prints a token that holds all that a client needs.');
  const choices = [
    { name: 'I have a token', value: true },
    { name: 'no, I describe the server and its filesets by hand', value: false },
  ];
  if (await select('Have you got a token?', choices)) await guideToken(draft);
  else {
    const name = await askSysid(draft, draft.existing.idfile);
    await askServer(draft);
    await askFilesets(draft, [name]);
  }
  await offerMounts(draft);
}

/** "Running a server and a client on the same host" (HOWTO). */
async function guideBoth(draft: Draft): Promise<void> {
  const server = await askSysid(draft, draft.existing.idfile);
  await askServer(draft, server);
  await askSecond(draft);
  await askFilesets(
    draft,
    [...draft.sysids.values()].map(({ name }) => name).filter((name) => name !== server),
  );
  await offerMounts(draft);
}

/** Another lento on this host: a sysid file of its own. */
export async function askSecond(draft: Draft): Promise<void> {
  say(
    '',
    'The other lento on this host has a name, a psdev and, as a rule, an address of its own:',
    'an alias such as `ip addr add 192.168.0.100/24 dev eth0` makes.',
  );
  // The file is named after the lento, whose name is not known before it is asked for.
  const path = resolve(draft.existing.configDir, 'sysid.new');
  const name = await askSysid(draft, path);
  const answer = draft.answers.sysids.find(({ file }) => file === 'sysid.new');
  if (answer !== undefined) answer.file = `sysid.${name}`;
}

/** Asks all that a host needs that has nothing yet; what it asked can be changed afterwards. */
export async function guide(draft: Draft): Promise<void> {
  say(
    'InterMezzo keeps filesets, trees of files, in step on several hosts: one serves a fileset,',
    'others replicate it. These questions make the files that say who does what. Nothing is',
    'written before you have seen it all; Ctrl-C leaves everything as it is.',
    '',
  );
  const story = await select('What is this host to be?', [
    { name: 'a server: other hosts replicate what it has', value: guideServer },
    { name: 'a client: it replicates what a server has', value: guideClient },
    { name: 'both at once, to try it out on one host', value: guideBoth },
    { name: 'something else: I say which parts to describe', value: () => Promise.resolve() },
  ]);
  await story(draft);
}

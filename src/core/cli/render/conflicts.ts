import type { Action } from '../../conflicts/resolution.js';
import type { StoredConflict } from '../../conflicts/store.js';
import { isUnresolved } from '../../conflicts/store.js';
import { displayBytes } from '../../model/names.js';
import { table } from './table.js';

/** A conflict as --json shows it. */
export interface ConflictJson {
  readonly id: string;
  readonly state: 'unresolved' | 'resolved' | 'settled';
  readonly collision: string;
  readonly path: string;
  readonly beside: string | null;
  readonly stored: boolean;
  readonly winner: 'server' | 'client';
  readonly client: string;
  readonly server: string;
  readonly time: string;
  readonly directory: string;
}

/** `settled`: the rules, or the policy, left nothing to decide. */
export function conflictJson(conflict: StoredConflict): ConflictJson {
  const { id, directory, evidence, resolved } = conflict;
  const { collision, path, beside, stored, winner, client, server, time } = evidence;
  const done = resolved?.state === 'done' ? 'resolved' : 'settled';
  const state = isUnresolved(conflict) ? 'unresolved' : done;
  const places = { path, beside, stored, directory };
  return { id, state, collision, ...places, winner, client, server, time };
}

export function renderConflicts(conflicts: readonly ConflictJson[]): string {
  return table(conflicts, [
    { title: 'ID', value: ({ id }) => id },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'WHAT', value: ({ collision }) => collision },
    { title: 'STANDS', value: (c) => (c.winner === 'server' ? c.server : c.client) },
    { title: 'PATH', value: ({ path }) => path },
    { title: 'OTHER VERSION', value: (c) => c.beside ?? (c.stored ? 'in the store' : '') },
  ]);
}

const WHAT: Readonly<Record<string, string>> = {
  contents: 'both wrote the file',
  name: 'both gave the name to something else',
  attribute: 'both set an attribute, to different values',
  move: 'both renamed it, to different places',
  cycle: 'each moved a directory below the other’s',
  'update-removal': 'the client changed what the server removed',
  'removal-update': 'the client removed what the server changed',
};

export function renderConflict(conflict: StoredConflict): string[] {
  const { id, state, path, beside, stored, winner, directory } = conflictJson(conflict);
  const { evidence, resolved } = conflict;
  const stands = winner === 'server' ? evidence.server : evidence.client;
  const lines = [
    `${id}: ${state}`,
    `  what      ${WHAT[evidence.collision] ?? evidence.collision}, merged at ${evidence.time} by the policy ${evidence.policy}`,
    `  stands    the version of ${stands} (${winner}): ${path}`,
  ];
  if (beside !== null) lines.push(`  beside    the other version: ${beside}`);
  if (stored) lines.push(`  store     the other version: ${directory}/contents`);
  if (beside === null && !stored)
    lines.push('  other     nothing of it is lost but what it says below');
  lines.push(
    `  client    ${JSON.stringify(evidence.clientUpdate)}`,
    `  server    ${evidence.serverUpdate === null ? '-' : JSON.stringify(evidence.serverUpdate)}`,
  );
  if (resolved !== undefined) {
    const how = resolved.state === 'done' ? 'resolved' : 'interrupted';
    lines.push(`  ${how}  ${resolved.time}: --keep ${resolved.keep}`);
  }
  return lines;
}

/** What is done, or would be, in words. */
export function renderAction(action: Action): string {
  switch (action.type) {
    case 'keep':
      return `keep ${displayBytes(action.path)} in the store`;
    case 'remove':
      return `remove ${displayBytes(action.path)}`;
    case 'move':
      return `rename ${displayBytes(action.from)} to ${displayBytes(action.to)}`;
    case 'contents':
      return `give ${displayBytes(action.path)} the contents in the store`;
    case 'restore':
      return `put ${displayBytes(action.path)} back from the store`;
  }
}

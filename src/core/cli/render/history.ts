import { readFileSync } from 'node:fs';
import { describeBody } from '../../journal/index.js';
import { formatReplicaId, type ReplicaId } from '../../model/ids.js';
import type { JournalRecord } from '../../model/records.js';

/** Who is who on this host: a user of another one may have another name there. */
export class Names {
  readonly #users = new Map<number, string>();

  constructor(private readonly hosts: ReadonlyMap<ReplicaId, string>) {
    for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
      const [name, , uid] = line.split(':');
      if (name !== undefined && uid !== undefined) this.#users.set(Number(uid), name);
    }
  }

  user(uid: number): string {
    return this.#users.get(uid) ?? String(uid);
  }

  /** @returns undefined for a name that nobody has, and that is no number */
  uidOf(user: string): number | undefined {
    if (/^\d+$/.test(user)) return Number(user);
    return [...this.#users].find(([, name]) => name === user)?.[0];
  }

  host(replica: ReplicaId): string {
    return this.hosts.get(replica) ?? formatReplicaId(replica);
  }

  replicaOf(host: string): ReplicaId | undefined {
    const known = [...this.hosts].find(([, name]) => name === host);
    return known?.[0] ?? (/^[0-9a-f]{12}$/.test(host) ? Number.parseInt(host, 16) : undefined);
  }
}

/** `2026-01-31 12:00:00`, of this place. */
function localTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `${seconds} s`;
  const pad = (value: number): string => String(value).padStart(2, '0');
  const day = [date.getFullYear(), pad(date.getMonth() + 1), pad(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(':')}`;
}

/** One line of `izo log`. */
export function renderUpdate({ head, body }: JournalRecord, names: Names): string {
  const who = `${names.user(head.actor.uid)}@${names.host(head.origin)}`;
  return [localTime(head.time.sec), who, ...describeBody(body)].join('  ');
}

import { basename, resolve } from 'node:path';
import {
  noAnswers,
  type Answers,
  type Existing,
  type Fileset,
  type HostFacts,
  type Invitation,
  type MountAnswer,
  type Removal,
  type Server,
  type Sysid,
} from '../../config/index.js';
import type { Place } from '../../model/errors.js';

/** Where answers come from that somebody typed. */
export const TYPED: Place = { file: 'your answers' };

function put<T>(list: T[], value: T, isSame: (each: T) => boolean): void {
  const at = list.findIndex(isSame);
  if (at < 0) list.push(value);
  else list[at] = value;
}

/** What has been answered so far, on top of what is there. */
export class Draft {
  readonly answers: Answers = noAnswers();
  /** Invitations of servers that this host accepts. */
  readonly accepted: Invitation[] = [];

  constructor(
    readonly existing: Existing,
    readonly facts: HostFacts,
  ) {}

  get isEmpty(): boolean {
    return Object.values(this.answers).every((list: unknown[]) => list.length === 0);
  }

  #isRemoved(kind: Removal['kind'], name: string): boolean {
    return this.answers.removals.some((each) => each.kind === kind && each.name === name);
  }

  /** By the path of the file. */
  get sysids(): Map<string, Sysid> {
    const all = new Map(this.existing.sysids);
    for (const { file, ...sysid } of this.answers.sysids) {
      all.set(resolve(this.existing.configDir, file), sysid);
    }
    return all;
  }

  /** The sysid of the file that is meant where none is named. */
  get own(): Sysid | undefined {
    return this.sysids.get(this.existing.idfile);
  }

  get servers(): Server[] {
    const all = [...this.existing.servers];
    for (const server of this.answers.servers)
      put(all, server, (each) => each.name === server.name);
    return all.filter(({ name }) => !this.#isRemoved('server', name));
  }

  get filesets(): Fileset[] {
    const all = [...this.existing.filesets];
    for (const fileset of this.answers.filesets) {
      put(all, fileset, (each) => each.name === fileset.name);
    }
    return all.filter(({ name }) => !this.#isRemoved('fileset', name));
  }

  get mounts(): Omit<MountAnswer, 'place'>[] {
    const all: Omit<MountAnswer, 'place'>[] = [...this.existing.mounts];
    for (const mount of this.answers.mounts) put(all, mount, (each) => each.mtpt === mount.mtpt);
    return all.filter(({ mtpt }) => !this.#isRemoved('mount', mtpt));
  }

  putSysid(path: string, sysid: Omit<Sysid, 'place'>): void {
    const { configDir } = this.existing;
    const file = resolve(configDir, basename(path)) === path ? basename(path) : path;
    const { name, psdev, bindaddr } = sysid;
    const address = bindaddr === undefined ? {} : { bindaddr };
    const answer = { name, psdev, ...address, file, place: TYPED };
    put(this.answers.sysids, answer, (each) => each.file === file);
  }

  putServer(server: Omit<Server, 'place'>): void {
    this.#takeBack('server', server.name);
    const answer = { ...server, place: TYPED };
    put(this.answers.servers, answer, (each) => each.name === server.name);
  }

  putFileset(fileset: Omit<Fileset, 'place'>): void {
    this.#takeBack('fileset', fileset.name);
    const { name, servername, replicators, policy, conflicts } = fileset;
    const answer = { name, servername, replicators, policy, conflicts, place: TYPED };
    put(this.answers.filesets, answer, (each) => each.name === name);
  }

  putMount(mount: Omit<MountAnswer, 'place'>): void {
    this.#takeBack('mount', mount.mtpt);
    const answer = { ...mount, place: TYPED };
    put(this.answers.mounts, answer, (each) => each.mtpt === mount.mtpt);
  }

  invite(clients: readonly string[]): void {
    const kept = this.answers.invitations.map(({ name }) => name);
    this.answers.invitations = [...new Set([...kept, ...clients])].map((name) => ({
      name,
      place: TYPED,
    }));
  }

  /** Takes it off the answers; what is in the files is noted as to be removed. */
  remove(kind: Removal['kind'], name: string): void {
    const { answers, existing } = this;
    answers.servers = answers.servers.filter((each) => kind !== 'server' || each.name !== name);
    answers.filesets = answers.filesets.filter((each) => kind !== 'fileset' || each.name !== name);
    answers.mounts = answers.mounts.filter((each) => kind !== 'mount' || each.mtpt !== name);
    const there = {
      server: existing.servers.map((each) => each.name),
      fileset: existing.filesets.map((each) => each.name),
      mount: existing.mounts.map((each) => each.mtpt),
    };
    if (there[kind].includes(name)) answers.removals.push({ kind, name, place: TYPED });
  }

  #takeBack(kind: Removal['kind'], name: string): void {
    const { answers } = this;
    answers.removals = answers.removals.filter((each) => each.kind !== kind || each.name !== name);
  }
}

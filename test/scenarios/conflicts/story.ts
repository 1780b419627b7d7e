import type { Merge } from '../../../src/core/replication/merge/merge.js';
import type { Conflict } from '../../../src/core/replication/merge/outcome.js';
import type { ConflictPolicy } from '../../../src/core/replication/merge/rules.js';
import { PaperCluster, type PaperClient } from '../../support/paper/cluster.js';
import type { PaperHost } from '../../support/paper/host.js';

type Verb = (host: PaperHost, words: readonly string[]) => void;

const VERBS: Readonly<Record<string, Verb>> = {
  create: (host, [path = '']) => host.create(path),
  mkdir: (host, [path = '']) => host.mkdir(path),
  symlink: (host, [path = '', target = '']) => host.symlink(path, target),
  write: (host, [path = '', data = '']) => {
    if (host.tree.find(path) === undefined) host.create(path);
    host.write(path, data);
  },
  save: (host, [path = '', data = '']) => host.save(path, data),
  rename: (host, [path = '', newPath = '']) => host.rename(path, newPath),
  exchange: (host, [path = '', other = '']) => host.exchange(path, other),
  link: (host, [path = '', newPath = '']) => host.link(path, newPath),
  remove: (host, [path = '']) => host.remove(path),
  chmod: (host, [path = '', mode = '']) => host.chmod(path, Number.parseInt(mode, 8)),
  chown: (host, [path = '', uid, gid]) => host.chown(path, Number(uid), Number(gid)),
  setxattr: (host, [path = '', name = '', value = '']) => host.setxattr(path, name, value),
  delxattr: (host, [path = '', name = '']) => host.delxattr(path, name),
};

/**
 * One story of hosts that are cut off, told in lines: `HOST VERB WORD...; ...`, `sync CLIENT...` when they come together,
 * and `policy P`. The first host is the server.
 */
export class Story {
  readonly #cluster = new PaperCluster('office', ['laptop', 'desk']);

  /** @returns what comes of one line: the conflicts of the merges, and what everybody who is in step has then */
  run(line: string): string[] {
    const lines: string[] = [];
    for (const command of line.split(';')) {
      const words = command.trim().split(/\s+/);
      if (words[0] === 'policy') this.#cluster.policy = words[1] as ConflictPolicy;
      else if (words[0] === 'sync') lines.push(...this.#sync(words.slice(1)));
      else if (words[0] === 'cut') lines.push(...this.#sync(words.slice(1), true));
      else this.#act(words);
    }
    return lines.length > 0 ? lines : ['ok'];
  }

  #act([name = '', verb = '', ...words]: readonly string[]): void {
    const { server, serverName } = this.#cluster;
    const host = name === serverName ? server : this.#client(name).host;
    const act = VERBS[verb];
    if (act === undefined) throw new Error(`${name} ${verb}: what is that?`);
    const before = host.records.length;
    act(host, words);
    if (host.records.length === before)
      throw new Error(`${name} ${verb} ${words.join(' ')}: failed`);
  }

  #client(name: string): PaperClient {
    const client = this.#cluster.clients.find((each) => each.name === name);
    if (client === undefined) throw new Error(`${name} is no client`);
    return client;
  }

  #sync(names: readonly string[], cut = false): string[] {
    const lines: string[] = [];
    const { server } = this.#cluster;
    for (const name of names) {
      const client = this.#client(name);
      const stored = client.stored.length;
      const merged = this.#cluster.sync(client, cut ? { sent: 0 } : {});
      lines.push(...(merged?.conflicts ?? []).map((each) => describe(each, merged)));
      for (const data of client.stored.slice(stored)) lines.push(`${client.name} stores: ${data}`);
      const differ = client.host.tree.describe().join() !== server.tree.describe().join();
      if (differ && !cut) lines.push(`${client.name} differs:`, ...client.host.tree.describe());
    }
    return [...lines, ...tree(server)];
  }
}

function describe(
  { collision, verdict, stands, beside, client }: Conflict,
  merged?: Merge,
): string {
  const path = 'path' in client.body ? client.body.path : '';
  const at = stands === undefined ? undefined : merged?.pathAt(stands);
  const place = at === undefined ? '' : ` at ${at}`;
  const other = beside === undefined ? '' : `, the other beside`;
  const open = verdict.open ? ', open' : '';
  return `${collision} of ${path}: the ${verdict.winner}'s stands${place}${other}${open}`;
}

/** What a user sees of a tree. */
function tree({ tree: whole }: PaperHost): string[] {
  const lines: string[] = [];
  for (const [path, { kind, data, target, mode, uid, gid, xattrs }] of whole.walk()) {
    if (path === '') continue;
    const mark = { directory: '/', symlink: ` -> ${target}`, file: `: ${data}`, fifo: '|' }[kind];
    const usual = mode === (kind === 'directory' ? 0o755 : kind === 'file' ? 0o644 : 0o777);
    const extras = [
      ...(usual ? [] : [mode.toString(8)]),
      ...(uid === 0 && gid === 0 ? [] : [`${uid}:${gid}`]),
      ...[...xattrs].sort().map(([name, value]) => `${name}=${value}`),
    ];
    lines.push(`/${path}${mark}${extras.length > 0 ? ` (${extras.join(' ')})` : ''}`);
  }
  return lines.length > 0 ? lines : ['empty'];
}

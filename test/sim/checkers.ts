import assert from 'node:assert/strict';
import type { Cluster } from '../scenarios/harness.js';
import type { Host } from '../scenarios/harness/host.js';
import type { Written } from '../support/paper/written.js';
import type { Rec } from '../scenarios/harness/presto.js';

/** Hosts that count as connected and whose programs may update. */
function holders(cluster: Cluster): string[] {
  const { server, serverShell, clients } = cluster;
  const hosts = clients.filter((host) => isUp(cluster, host));
  if (serverShell !== undefined) hosts.push(server);
  return hosts.filter((host) => host.presto.gate === 'held').map((host) => host.name);
}

/** Client and server count each other as connected. */
function isUp(cluster: Cluster, host: Host): boolean {
  return cluster.isConnected(host) && cluster.clientShell(host)?.state.link === 'up';
}

/** At every moment at most one of the connected hosts lets its programs update. */
export function checkHolders(cluster: Cluster): void {
  const all = holders(cluster);
  assert(all.length <= 1, `these hold the permit at the same time: ${all.join(', ')}`);
}

/** Whoever updates with the permit has everything that the server has, but for what a shortened history did without. */
export function checkWrite(
  cluster: Cluster,
  host: Host,
  rec: Rec,
  leftOut: ReadonlySet<string>,
): void {
  if (host === cluster.server || !isUp(cluster, host)) return;
  if (host.presto.gate !== 'held') return;
  const has = new Set(host.presto.history);
  const missing = cluster.server.presto.log.filter(
    ({ rec: { id } }) => !has.has(id) && !leftOut.has(id),
  );
  const ids = missing.map(({ rec: { id } }) => id).join(' ');
  assert(missing.length === 0, `${host.name} makes ${rec.id} without having seen ${ids}`);
}

/**
 * What every host has is a piece of the one order, the server's log, and behind it only what it made itself and the server
 * does not have: nothing is applied out of order, twice, or with a gap before it.
 */
export function checkOrder(cluster: Cluster): void {
  const { server, clients } = cluster;
  const order = server.presto.log.map(({ rec }) => rec.id);
  assert.deepEqual(server.presto.history, order, 'the tree of the server is not as its log');
  for (const { name, presto } of clients) {
    const own = presto.updates.map(({ id }) => id);
    const records = server.presto.log.map(({ rec }) => rec);
    const arrived = records.filter(({ origin }) => origin === name).map(({ id }) => id);
    const known = new Set([...arrived, ...own]);
    const made = presto.made.filter((id) => known.has(id));
    assert.deepEqual(
      arrived,
      made.slice(0, arrived.length),
      `the server has gaps in what ${name} made`,
    );
    const shared = presto.history.findIndex((id, i) => id !== order[i]);
    const tail = shared < 0 ? [] : presto.history.slice(shared);
    assert.deepEqual(
      tail,
      tail.length === 0 ? [] : own.slice(-tail.length),
      `the tree of ${name} leaves the order of the server: ${order.join(' ')}`,
    );
    const unsent = new Set(made.slice(arrived.length));
    for (const id of tail)
      assert(unsent.has(id), `${name} has ${id} in another order than the server`);
    for (const id of unsent) assert(presto.history.includes(id), `${name} has lost ${id}`);
  }
}

/** All is well in the end: the trees are the same, and all that was written is in them or in a conflict store. */
export function checkTrees(cluster: Cluster, written: Written): void {
  const { server, clients, hosts } = cluster;
  const trees = [...hosts.values()].flatMap(({ presto }) => presto.contents?.tree ?? []);
  const stored = [...hosts.values()].flatMap(({ presto }) => presto.contents?.stored ?? []);
  for (const host of clients) {
    const { name, presto } = host;
    assert.equal(cluster.clientShell(host)?.state.link, 'up', `${name} is not connected`);
    assert.equal(presto.parked, 0, `programs on ${name} wait for ever`);
    const [ours, theirs] = [presto, server.presto].map((each) => each.contents?.tree.describe());
    assert.deepEqual(ours, theirs, `${name} and the server differ in the end`);
  }
  written.check({ trees, stored });
}

/** All is well in the end: everybody is connected and has the same, and no program waits. */
export function checkConverged(cluster: Cluster): void {
  const order = cluster.server.presto.log.map(({ rec }) => rec.id);
  for (const host of cluster.clients) {
    const { name, presto } = host;
    const state = cluster.clientShell(host)?.state;
    assert.equal(state?.link, 'up', `${name} does not get connected`);
    assert.deepEqual(presto.history, order, `${name} and the server differ in the end`);
  }
  const everywhere = new Set(order);
  for (const { name, presto } of cluster.hosts.values()) {
    const missing = presto.made.filter((id) => !everywhere.has(id) && !presto.lost.has(id));
    assert.deepEqual(missing, [], `updates of ${name} are nowhere`);
    assert.equal(presto.parked, 0, `programs on ${name} wait for ever`);
  }
}

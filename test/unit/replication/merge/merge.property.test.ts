import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ObjectId } from '../../../../src/core/model/ids.js';
import { Opcode, type Time } from '../../../../src/core/model/records.js';
import { merge, type Merge } from '../../../../src/core/replication/merge/merge.js';
import type { ConflictPolicy } from '../../../../src/core/replication/merge/rules.js';
import { carryOut } from '../../../support/paper/carry-out.js';
import { PaperHost } from '../../../support/paper/host.js';
import { anyAct as act, doAct, type Act } from '../../../support/paper/random-act.js';
import { PaperTree } from '../../../support/paper/tree.js';

const SERVER = 1;
const CLIENT = 2;
const SIZE = Number(process.env.MERGE_SIZE ?? 8);
const POLICIES: readonly ConflictPolicy[] = ['keep-both', 'server', 'client', 'manual'];

interface Story {
  before: Act[];
  ours: Act[];
  theirs: Act[];
  policy: ConflictPolicy;
}

const story: fc.Arbitrary<Story> = fc.record({
  before: fc.array(act, { maxLength: 14 }),
  ours: fc.array(act, { maxLength: SIZE }),
  theirs: fc.array(act, { maxLength: SIZE }),
  policy: fc.constantFrom(...POLICIES),
});

interface Told {
  client: PaperHost;
  server: PaperHost;
}

/** Both sides were equal, and then could not talk. */
function tell({ before, ours, theirs }: Story): Told {
  let now = 100;
  const clock = (): Time => ({ sec: now++, nsec: 0 });
  const server = new PaperHost(SERVER, new PaperTree(), clock);
  for (const each of before) doAct(server, each);
  server.records = [];
  const client = new PaperHost(CLIENT, server.tree.copy(), clock);
  for (const each of ours) doAct(client, each);
  for (const each of theirs) doAct(server, each);
  return { client, server };
}

function mergeOf({ client, server }: Told, policy: ConflictPolicy): Merge {
  const tree = {
    lookup: (path: string) => {
      const found = client.tree.find(path);
      if (found === undefined) return undefined;
      const directory = found.kind === 'directory';
      return { object: found.id, directory, links: client.tree.namesOf(found.id).length };
    },
    rootTime: () => client.tree.root.mtime,
    namesOf: (object: ObjectId) => client.tree.namesOf(object),
  };
  const divergence = { tree, pending: client.records, news: server.records };
  const terms = {
    policy,
    clientHost: 'laptop',
    serverHost: 'office',
    replica: CLIENT,
    firstFree: client.recno + 1,
  };
  const first = merge(divergence, { ...terms, sameContents: () => undefined });
  if (first.questions.length === 0) return first;
  return merge(divergence, {
    ...terms,
    sameContents: (a, b) =>
      client.tree.byId(a.id)?.data === server.tree.byId(b.id)?.data &&
      client.tree.byId(a.id) !== undefined,
  });
}

/** Contents that the host's user closed and that it still has. */
function closedContents(host: PaperHost): Set<string> {
  const closed = new Set<string>();
  for (const { head, body } of host.records) {
    if (body.op !== Opcode.CLOSE) continue;
    const object = host.tree.byId(head.object);
    if (object?.content.recno === head.recno) closed.add(object.data);
  }
  return closed;
}

describe('a merge of any two histories', () => {
  it('makes both trees equal, and loses nothing that anybody wrote', () => {
    fc.assert(
      fc.property(story, (told) => {
        const hosts = tell(told);
        const { client, server } = hosts;
        fc.pre(client.records.length + server.records.length > 0);
        const written = new Set([...closedContents(client), ...closedContents(server)]);
        const result = mergeOf(hosts, told.policy);
        for (const step of result.steps) {
          if (step.type !== 'store' && step.type !== 'store-of-server') continue;
          const claimed = result.conflicts.some(({ lost }) => lost === step.object);
          assert.ok(claimed, 'a version goes to the store, and no conflict tells of it');
        }
        const stored = carryOut(result, client.tree, server.tree, CLIENT);
        assert.deepEqual(client.tree.describe(), server.tree.describe());
        const kept = new Set([...client.tree.walk()].map(([, object]) => object.data));
        for (const data of stored) kept.add(data);
        for (const data of written) assert.ok(kept.has(data), `${data} is lost`);
      }),
      { numRuns: Number(process.env.MERGE_RUNS ?? 2000) },
    );
  });
});

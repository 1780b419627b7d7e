import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LowerMount } from '../../src/core/cache/index.js';
import { cleanUp } from '../../src/core/demo/janitor.js';
import { Host } from '../../src/core/demo/host.js';
import { openLogs } from '../../src/core/journal/index.js';
import { NO_STAMP } from '../../src/core/model/ids.js';
import { META_DIRECTORY } from '../../src/core/model/names.js';
import { Opcode } from '../../src/core/model/records.js';
import { must } from '../../src/core/system/errno.js';
import { FILESET, withLower } from '../harness/lower.js';
import type { Row, System } from '../harness/row.js';
import { writeTree } from './fixtures.js';

/** A cache that presto is started on. */
export interface Start extends System {
  readonly host: Host;
  /** A crash has cut the last record short: the whole log is read at the next mount. */
  readonly torn: boolean;
  remove(): Promise<void>;
}

const SIZE = '1G';
/** What any program may vary by; a start that depends on the tree does so by hundreds of times. */
const EQUAL = 1.3;
const SCAN_SECONDS = 3;

export interface StartPlan {
  readonly name: string;
  readonly files: number;
  readonly records: number;
  readonly torn?: true;
}

/** The first is what the others are compared with. */
export function startPlans(quick: boolean): StartPlan[] {
  const files = quick ? 5_000 : 20_000;
  const records = quick ? 200_000 : 1_000_000;
  return [
    { name: '20 files', files: 20, records: 0 },
    { name: `${files} files`, files, records: 0 },
    { name: `${records} records`, files: 20, records },
    { name: 'torn log', files: 20, records, torn: true },
  ];
}

export function startRow([few, many, long, torn]: readonly StartPlan[]): Row<Start> {
  const to = few?.name ?? '';
  return {
    id: 'izo mount, until it answers',
    unit: 'ms',
    amount: 1,
    bars: [
      { of: many?.name ?? '', to, most: EQUAL },
      { of: long?.name ?? '', to, most: EQUAL },
      { of: torn?.name ?? '', seconds: SCAN_SECONDS },
    ],
    async before(system) {
      if (system.torn) await withLower(system.host, tear);
    },
    async measure({ host }) {
      const begin = performance.now();
      await host.mount(FILESET);
      return (performance.now() - begin) / 1e3;
    },
    async after({ host }) {
      await host.izo(['umountizo', host.mountPoint]);
    },
  };
}

export async function makeStart(root: string, plan: StartPlan): Promise<Start> {
  const host = new Host({ name: 'host', root, address: '127.0.0.1', namespace: undefined });
  await host.izo(['mkizofs', '--size', SIZE, '-v', FILESET, host.image]);
  await host.mount(FILESET);
  const tree = join(host.mountPoint, 'tree');
  mkdirSync(tree);
  writeTree(tree, plan.files);
  await host.izo(['umountizo', host.mountPoint]);
  if (plan.records > 0) await withLower(host, (lower) => lengthenLog(lower, plan.records));
  const { name, torn = false } = plan;
  return { name, host, torn, remove: () => cleanUp(root, []) };
}

/** Records of files that came and went: the tree agrees with them. */
function lengthenLog(lower: LowerMount, records: number): void {
  const logs = openLogs(lower.rootFd, FILESET);
  const { kml, replica } = logs;
  const actor = { uid: 0, gid: 0, pid: 1, groups: [] };
  const time = { sec: Math.floor(Date.now() / 1000), nsec: 0 };
  for (let count = 0; count < records; count++) {
    const originRecno = kml.next;
    const object = { replica, number: originRecno };
    const head = { origin: replica, originRecno, time, actor, object, before: NO_STAMP };
    const path = `tree/directory${count % 1000}/removed${count}.txt`;
    must('kml.append', kml.append(head, { op: Opcode.UNLINK, path }));
  }
  must('kml.sync', kml.sync());
  logs.close();
}

function tear({ path }: LowerMount): void {
  appendFileSync(join(path, META_DIRECTORY, FILESET, 'kml'), 'cut short');
}

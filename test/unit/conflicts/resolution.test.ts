import assert from 'node:assert/strict';
import {
  parseEvidence,
  pathFromBase64,
  pathToBase64,
  type ConflictEvidence,
} from '../../../src/core/conflicts/evidence.js';
import { resolutionOf, type Action, type Keep } from '../../../src/core/conflicts/resolution.js';

const EVIDENCE: ConflictEvidence = {
  format: 1,
  ...{ fileset: 'shared', client: 'laptop', server: 'office', policy: 'keep-both' },
  ...{ time: '2026-11-22T00:00:00Z', collision: 'contents', object: '1/1' },
  winner: 'server',
  open: false,
  path: 'file',
  pathBytes: pathToBase64('file'),
  beside: 'other',
  besideBytes: pathToBase64('other'),
  stored: false,
  clientUpdate: {},
  serverUpdate: null,
};
const BESIDE = { ...EVIDENCE };
const STORED = { ...EVIDENCE, beside: null, besideBytes: null, stored: true };

/** A tree and a store on paper: path or name -> version. */
class Paper {
  readonly tree = new Map<string, string>();
  readonly store = new Map<string, string>();

  #take(from: Map<string, string>, name: string): string {
    const version = from.get(name);
    assert.ok(version !== undefined, `there is no ${name}`);
    return version;
  }

  do(action: Action): void {
    const { tree, store } = this;
    switch (action.type) {
      case 'keep':
        assert.ok(!store.has(action.as), `${action.as} is there already`);
        store.set(action.as, this.#take(tree, action.path));
        return;
      case 'remove':
        tree.delete(action.path);
        return;
      case 'move':
        tree.set(action.to, this.#take(tree, action.from));
        tree.delete(action.from);
        return;
      case 'contents':
      case 'restore':
        tree.set(action.path, this.#take(store, action.from));
    }
  }
}

function paperOf(evidence: ConflictEvidence): Paper {
  const paper = new Paper();
  const loser = evidence.winner === 'server' ? 'client' : 'server';
  paper.tree.set('file', evidence.winner);
  if (evidence.beside !== null) paper.tree.set('other', loser);
  if (evidence.stored) paper.store.set('contents', loser);
  return paper;
}

describe('resolving a conflict', () => {
  for (const [what, base] of Object.entries({ beside: BESIDE, stored: STORED })) {
    for (const winner of ['server', 'client'] as const) {
      for (const keep of ['server', 'client'] as const) {
        it(`leaves the ${keep}'s version alone where the ${winner}'s stands, the other ${what}; and undoes it`, () => {
          const evidence = { ...base, winner };
          const paper = paperOf(evidence);
          const before = new Map(paper.tree);
          const resolution = resolutionOf(evidence, keep);
          assert.ok(typeof resolution !== 'string');
          for (const action of resolution.actions) {
            paper.do(action);
            const versions = new Set([...paper.tree.values(), ...paper.store.values()]);
            assert.equal(versions.size, 2, 'both versions are somewhere at any moment');
          }
          assert.deepEqual([...paper.tree], [['file', keep]]);
          for (const action of resolution.undo) paper.do(action);
          assert.deepEqual(new Map([...paper.tree].sort()), new Map([...before].sort()));
        });
      }
    }
  }

  it('leaves everything where both are to stay', () => {
    assert.deepEqual(resolutionOf(BESIDE, 'both'), { actions: [], undo: [] });
  });

  it('refuses what is not there to be kept', () => {
    const evidence = { ...STORED, stored: false };
    const keep: Keep = 'client';
    const refused = resolutionOf(evidence, keep);
    assert.match(typeof refused === 'string' ? refused : '', /not in the store/);
  });

  it('never takes a path out of the fileset from evidence', () => {
    for (const path of ['../x', '/etc/passwd', 'a/../../b', '.intermezzo/shared/kml', '', 'a//b']) {
      assert.equal(pathFromBase64(pathToBase64(path)), undefined, path);
      const evidence = { ...BESIDE, pathBytes: pathToBase64(path) };
      assert.equal(typeof resolutionOf(evidence, 'client'), 'string');
    }
  });

  it('reads evidence that is whole, and nothing else', () => {
    assert.deepEqual(parseEvidence(JSON.stringify(EVIDENCE)), EVIDENCE);
    for (const key of Object.keys(EVIDENCE)) {
      if (key === 'clientUpdate' || key === 'serverUpdate') continue;
      const broken = JSON.stringify({ ...EVIDENCE, [key]: 7 });
      assert.equal(parseEvidence(broken), undefined, key);
    }
    for (const text of ['', '{', 'null', '[]', '7']) assert.equal(parseEvidence(text), undefined);
  });
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ANSWER_KINDS } from '../../src/core/config/answers/answers.js';
import {
  COMPRESSIONS,
  CONFLICT_POLICIES,
  DISCONNECTED_POLICIES,
  FILESET_SHAPE,
} from '../../src/core/config/fsetdb.js';
import { BINDINGS, CACHE_TYPES } from '../../src/core/config/mount-options.js';
import { OWN_OPTIONS } from '../../src/core/config/mount-option-names.js';
import { SERVER_SHAPE } from '../../src/core/config/serverdb.js';
import { SYSID_SHAPE } from '../../src/core/config/sysid.js';

/** The sections of a page that man pages are made of, by their titles. */
function sections(page: string): Map<string, string> {
  const text = readFileSync(new URL(`../../docs/man/${page}.md`, import.meta.url), 'utf8');
  return new Map(
    text.split(/^## /m).map((part) => {
      const [title = '', ...lines] = part.split('\n');
      return [title, lines.join('\n')];
    }),
  );
}

/** What the items of a section's list are about: what stands in backquotes before the colon. With their text. */
function items(section: string | undefined): { names: string[]; text: string }[] {
  assert.ok(section !== undefined);
  const found = section.match(/^- .*(\n {2}.*)*/gm) ?? [];
  return found.map((text) => {
    const head = /^- ((?:`[^`]+`(?:\*\w+\*)?(?:, )?)+): /.exec(text)?.[1] ?? '';
    const names = [...head.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    assert.ok(names.length > 0, `an item about nothing: ${text}`);
    return { names, text };
  });
}

interface Shape {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  readonly children?: readonly string[];
}

describe('the man pages of files', () => {
  const files = sections('files');

  const FILES: [title: string, shape: Shape][] = [
    ['SYSID', SYSID_SHAPE],
    ['SERVERDB', SERVER_SHAPE],
    ['FSETDB', FILESET_SHAPE],
  ];
  for (const [title, shape] of FILES) {
    it(`tell of every attribute of ${title}, and of no other`, () => {
      const told = items(files.get(title)).flatMap(({ names }) => names);
      assert.deepEqual(told, [...shape.required, ...shape.optional]);
      for (const child of shape.children ?? []) {
        assert.match(files.get(title) ?? '', RegExp(`<${child}>`));
      }
    });
  }

  it('tell of every word that an attribute may have', () => {
    const WORDS: [attribute: string, words: readonly string[]][] = [
      ['policy', DISCONNECTED_POLICIES],
      ['conflicts', CONFLICT_POLICIES],
      ['compression', COMPRESSIONS],
    ];
    for (const [attribute, words] of WORDS) {
      const item = items(files.get('FSETDB')).find(({ names }) => names.includes(attribute));
      for (const word of words) assert.ok(item?.text.includes(`\`${word}\``), word);
    }
  });

  it('tell of every kind of answer, and of no other', () => {
    const told = items(files.get('ANSWERS')).flatMap(({ names }) => names);
    assert.deepEqual(told, [...ANSWER_KINDS]);
  });

  it('tell of every mount option that is ours, and of no other', () => {
    const told = items(sections('mount').get('OPTIONS')).flatMap(({ names }) => names);
    const names = new Set(told.map((name) => name.replace(/=.*/, '')));
    assert.deepEqual([...names].sort(), [...OWN_OPTIONS].sort());
    const valued = (name: string, words: readonly string[]) =>
      words.map((each) => `${name}=${each}`);
    for (const word of [...valued('cache_type', CACHE_TYPES), ...valued('binding', BINDINGS)]) {
      assert.ok(told.includes(word), word);
    }
  });
});

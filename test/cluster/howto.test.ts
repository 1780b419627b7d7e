import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { parseHowto, type Story } from '../support/howto/document.js';
import { hasMachines, play } from '../support/howto/stage.js';

const HOWTO = readFileSync(new URL('../../docs/howto.md', import.meta.url), 'utf8');

describe('docs/howto.md names only', () => {
  it('commands that there are, and has its stories', () => {
    assert.equal(parseHowto(HOWTO).length, 8);
    const manifest = readFileSync(new URL('../../oclif.manifest.json', import.meta.url), 'utf8');
    const { commands } = JSON.parse(manifest) as { commands: Record<string, unknown> };
    const known = new Set(Object.keys(commands).flatMap((id) => [id, id.split(':')[0]]));
    const named = [...HOWTO.matchAll(/(?:`|[#&;|] )izo ([a-z][a-z-]+)/g)].map(([, name]) => name);
    assert.ok(named.length > 50);
    assert.deepEqual(
      named.filter((name) => !known.has(name)),
      [],
    );
  });

  it('pages and sections that there are', () => {
    const anchors = [...HOWTO.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    );
    for (const [, target = ''] of HOWTO.matchAll(/\]\(([^)]+)\)/g)) {
      const [file = '', anchor] = target.split('#');
      if (anchor !== undefined) assert.ok(anchors.includes(anchor), target);
      else assert.ok(existsSync(new URL(`../../docs/${file}`, import.meta.url)), target);
    }
    for (const [, page = '', section = ''] of HOWTO.matchAll(/`([\w.-]+)`\((\d)\)/g)) {
      const file = `../../man/${page}.${section}`;
      assert.ok(existsSync(new URL(file, import.meta.url)), `${page}(${section})`);
    }
  });
});

describe('docs/howto.md, as it is printed', function () {
  // Nobody hangs for as long: each command has a limit of its own.
  this.timeout(480_000);
  const only = process.env['HOWTO_STORY'] ?? '';
  const stories = parseHowto(HOWTO).filter(({ title }) => title.includes(only));
  // They know nothing of each other, and wait most of the time.
  const playing = new Map<Story, Promise<unknown>>();

  before(async function () {
    if (!(await hasMachines())) this.skip();
    for (const story of stories) playing.set(story, play(story));
  });

  for (const story of stories) {
    it(story.title, async () => {
      const error = await playing.get(story);
      if (error !== undefined) throw error as Error;
    });
  }
});

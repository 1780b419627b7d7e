import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { parseHowto, patternOf, type Step, type Story } from '../support/howto/document.js';
import { Machine } from '../support/howto/machine.js';

const HOWTO = readFileSync(new URL('../../docs/howto.md', import.meta.url), 'utf8');

/** What only looks is looked at again: what other hosts do arrives in a moment, and lento is ready in one. */
const LOOKS = /^(izo (status|sync|conflicts list|debug)|lento |cat |grep |ls |test |ping )|&$/;
const MOMENT_MS = 15_000;

/** For whoever writes the document: what each command prints, and how long it takes. */
function tell(text: string): void {
  if (process.env['HOWTO_SHOW'] !== undefined) process.stdout.write(text);
}

let count = 0;

/** The hosts of one story, joined by a switch. */
class Stage {
  readonly #machines = new Map<string, Machine>();
  readonly #namespaces: string[] = [];
  readonly #directory = mkdtempSync(join(tmpdir(), 'izo-howto-'));

  async build({ hosts }: Story): Promise<void> {
    const tag = `izo-howto-${process.pid}-${++count}`;
    const inSwitch = await this.#namespace(`${tag}-switch`);
    await inSwitch('link', 'add', 'br0', 'type', 'bridge', 'forward_delay', '0');
    await inSwitch('link', 'set', 'br0', 'up');
    for (const [index, [name, address]] of [...hosts].entries()) {
      const inside = await this.#namespace(`${tag}-${name}`);
      const peer = ['peer', 'name', 'eth0', 'netns', `${tag}-${name}`];
      await inSwitch('link', 'add', `port${index}`, 'type', 'veth', ...peer);
      await inSwitch('link', 'set', `port${index}`, 'master', 'br0', 'up');
      await inside('address', 'add', `${address}/24`, 'dev', 'eth0');
      for (const link of ['lo', 'eth0']) await inside('link', 'set', link, 'up');
      this.#machines.set(name, new Machine(name, join(this.#directory, name), `${tag}-${name}`));
    }
  }

  async #namespace(name: string) {
    await execa('ip', ['netns', 'add', name]);
    this.#namespaces.push(name);
    return (...words: string[]) => execa('ip', ['-n', name, ...words]);
  }

  async end(): Promise<void> {
    await Promise.all([...this.#machines.values()].map((machine) => machine.end()));
    for (const name of this.#namespaces) await execa('ip', ['netns', 'delete', name]);
    rmSync(this.#directory, { recursive: true });
  }

  machine(name: string): Machine {
    const machine = this.#machines.get(name);
    assert.ok(machine !== undefined);
    return machine;
  }

  async do(step: Step): Promise<void> {
    if (step.kind === 'file') {
      for (const host of step.hosts) await this.machine(host).write(step.path, step.text);
    } else if (step.kind === 'copy') {
      const bytes = await this.machine(step.from.host).read(step.from.path);
      await this.machine(step.to.host).write(step.to.path, bytes);
    } else await this.#run(step);
  }

  async #run({ host, command, shown, line }: Step & { kind: 'run' }): Promise<void> {
    const machine = this.machine(host);
    const deadline = Date.now() + (LOOKS.test(command) ? MOMENT_MS : 0);
    const pattern = shown.length > 0 ? patternOf(shown) : /^/;
    const begun = Date.now();
    let { number, code, output } = await machine.run(command);
    tell(`${Date.now() - begun} ms, exit code ${code}: ${host}# ${command}\n${output}`);
    while (code !== 0 || !pattern.test(output)) {
      if (Date.now() >= deadline) {
        const expected = shown.length > 0 ? `\n--- instead of\n${shown.join('\n')}` : '';
        assert.fail(
          `howto.md:${line}: ${host}# ${command}\nexit code ${code}\n${output}${expected}`,
        );
      }
      await sleep(200);
      if (command.endsWith('&')) output = machine.output(number);
      else ({ number, code, output } = await machine.run(command));
    }
  }
}

/** Plays one story. @returns what went wrong */
async function play(story: Story): Promise<unknown> {
  const stage = new Stage();
  try {
    await stage.build(story);
    for (const step of story.steps) await stage.do(step);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await stage.end();
  }
}

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
    const { failed } = await execa('unshare', ['--net', '--pid', '--fork', 'true'], {
      reject: false,
    });
    if (failed) this.skip();
    for (const story of stories) playing.set(story, play(story));
  });

  for (const story of stories) {
    it(story.title, async () => {
      const error = await playing.get(story);
      if (error !== undefined) throw error as Error;
    });
  }
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { patternOf, type Step, type Story, type Typed } from './document.js';
import { Machine } from './machine.js';

/** What only looks is looked at again: what other hosts do arrives in a moment, and lento is ready in one. */
const LOOKS =
  /^(izo (status|sync|conflicts list|debug|verify|log|metrics)|(izo )?lento |cat |grep |ls |test |ping )|&$/;
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
  readonly #meanings = new Map<string, string>();
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
    } else if (step.kind === 'let') {
      const { output } = await this.machine(step.host).run(step.command);
      this.#meanings.set(step.word, output.trim());
    } else {
      const command = this.#meant(step.command);
      if (step.typed === undefined) await this.#run({ ...step, command });
      else await this.#type({ ...step, command }, step.typed);
    }
  }

  #meant(command: string): string {
    let meant = command;
    for (const [word, meaning] of this.#meanings) meant = meant.replaceAll(word, meaning);
    return meant;
  }

  async #run(step: Run): Promise<void> {
    const { host, command, shown, exit } = step;
    const machine = this.machine(host);
    const deadline = Date.now() + (LOOKS.test(command) ? MOMENT_MS : 0);
    const pattern = shown.length > 0 ? patternOf(step) : /^/;
    const begun = Date.now();
    let { number, code, output } = await machine.run(command);
    tell(`${Date.now() - begun} ms, exit code ${code}: ${host}# ${command}\n${output}`);
    while (code !== exit || !pattern.test(output)) {
      if (Date.now() >= deadline) fail(step, `exit code ${code}`, output);
      await sleep(200);
      if (command.endsWith('&')) output = machine.output(number);
      else ({ number, code, output } = await machine.run(command));
    }
  }

  async #type(step: Run, typed: Typed): Promise<void> {
    const { host, command, exit } = step;
    const machine = this.machine(host);
    const keys = 'paste' in typed ? `${String(await machine.read(typed.paste)).trim()}\r` : '\x03';
    const begun = Date.now();
    const session = await machine.atTerminal(command);
    const pattern = patternOf(step);
    while (!pattern.test(session.shown())) {
      if (Date.now() >= begun + MOMENT_MS) fail(step, 'nothing was typed', session.shown());
      await sleep(20);
    }
    session.type(keys);
    const code = await session.end();
    tell(`${Date.now() - begun} ms, exit code ${code}: ${host}# ${command}\n${session.shown()}`);
    if (code !== exit) fail(step, `exit code ${code}`, session.shown());
  }
}

type Run = Step & { kind: 'run' };

function fail({ line, host, command, shown, exit }: Run, how: string, output: string): never {
  const expected = [...shown, ...(exit === 0 ? [] : [`=> ${exit}`])];
  const wanted = expected.length > 0 ? `\n--- instead of\n${expected.join('\n')}` : '';
  assert.fail(`line ${line}: ${host}# ${command}\n${how}\n${output}${wanted}`);
}

/** Plays one story. @returns what went wrong */
export async function play(story: Story): Promise<unknown> {
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

/** Whether hosts can be made here at all. */
export async function hasMachines(): Promise<boolean> {
  const words = ['--net', '--pid', '--fork', 'true'];
  const { failed } = await execa('unshare', words, { reject: false });
  return !failed;
}

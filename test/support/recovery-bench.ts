import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLogs } from '../../src/core/journal/index.js';
import { adoptTree } from '../../src/core/presto/mounting/adoption.js';
import { recover } from '../../src/core/presto/mounting/recovery.js';
import { Presto } from '../../src/core/presto/presto.js';
import { carryOut, type Lower } from '../../src/core/recovery/carry-out.js';
import { planRecovery, type Intent } from '../../src/core/recovery/plan.js';
import { survey } from '../../src/core/recovery/survey.js';
import { withCache } from '../../src/core/recovery/with-cache.js';
import { close, O_DIRECTORY, O_RDONLY, openat } from '../../src/core/system/files.js';
import { checkLower } from './check-cache.js';
import { FILESET, MountedHost } from './mounted-host.js';

/** One cache, mounted once: what is done to it, what recovery makes of that, and a mount without a kernel. */
export class RecoveryBench {
  constructor(readonly lower: Lower) {}

  file(name: string): string {
    return join(this.lower.path, '.intermezzo', FILESET, name);
  }

  edit(name: string, change: (bytes: Buffer) => Buffer): void {
    writeFileSync(this.file(name), change(readFileSync(this.file(name))));
  }

  plan(intent: Intent = 'repair') {
    const found = survey(this.lower.root, this.lower.meta);
    return { found, ...planRecovery(found, intent, 'unknown') };
  }

  /** What a mount does before it answers. */
  mount(): void {
    const { root } = this.lower;
    const logs = openLogs(root, FILESET);
    try {
      const stage = openat(root, `.intermezzo/${FILESET}/stage`, O_RDONLY | O_DIRECTORY);
      const presto = new Presto(root, stage, logs, () => undefined);
      recover(presto);
      adoptTree(presto);
      presto.close();
      logs.kml.release();
      close(stage);
    } finally {
      logs.close();
    }
  }

  refuses(word: RegExp): void {
    assert.throws(() => this.mount(), word);
  }

  /** Repairs; then nothing is wrong, all contents are there, and tree and log agree. @returns where all is kept */
  repair(steps: string, finding: RegExp, intent: Intent = 'repair', h = 'three'): string {
    const { found, steps: planned, findings } = this.plan(intent);
    assert.equal(planned.map((step) => step.do).join(' '), steps, findings.join('; '));
    assert.match(findings.join('; '), finding);
    const kept = carryOut(this.lower, found, planned, new Date());
    this.mount();
    assert.deepEqual(this.plan().findings, []);
    const at = (name: string): string => readFileSync(join(this.lower.path, name), 'utf8');
    assert.deepEqual([at('d/f'), at('d/g'), at('h')], ['one', 'two', h]);
    checkLower(this.lower.path, FILESET);
    return join(this.lower.path, kept);
  }
}

/** A cache with contents, to begin with again and again. */
export class SoundCache {
  private constructor(
    readonly mounted: MountedHost,
    readonly bytes: Buffer,
  ) {}

  static async make(): Promise<SoundCache> {
    const mounted = await MountedHost.make('16M');
    await mounted.mount();
    const at = (name: string): string => join(mounted.mountPoint, name);
    mkdirSync(at('d'));
    writeFileSync(at('d/f'), 'one');
    writeFileSync(at('d/g'), 'two');
    writeFileSync(at('h'), 'three');
    await mounted.unmount();
    return new SoundCache(mounted, readFileSync(mounted.image));
  }

  /** A new file each time: a loop device may still have the old one. */
  async bench(work: (bench: RecoveryBench) => void): Promise<void> {
    const { image, host } = this.mounted;
    rmSync(image);
    writeFileSync(image, this.bytes);
    const request = { device: image, fileset: FILESET, runDir: host.runDir };
    await withCache(request, (lower) => {
      work(new RecoveryBench(lower));
    });
  }

  remove(): Promise<void> {
    return this.mounted.remove();
  }
}

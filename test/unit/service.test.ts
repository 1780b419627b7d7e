import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasService, startServices, unitsOf } from '../../src/core/setup/service.js';

describe('the service of lento', () => {
  it('is started and told of its new configuration, where there is one', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'izo-service-'));
    const { PATH } = process.env;
    try {
      assert.equal(hasService([directory], directory), false);
      writeFileSync(join(directory, 'lento.service'), '[Service]\n');
      assert.equal(hasService([directory], directory), true);
      assert.equal(hasService([directory], join(directory, 'none')), false);
      const log = join(directory, 'log');
      writeFileSync(join(directory, 'systemctl'), `#!/bin/sh\necho "$@" >> ${log}\n`, {
        mode: 0o755,
      });
      process.env['PATH'] = `${directory}:${PATH ?? ''}`;
      await startServices(['lento.service', 'lento@A1.service']);
      assert.equal(
        readFileSync(log, 'utf8'),
        [
          ...['enable --now lento.service', 'reload-or-restart lento.service'],
          ...['enable --now lento@A1.service', 'reload-or-restart lento@A1.service', ''],
        ].join('\n'),
      );
      const failing = join(directory, 'systemctl');
      writeFileSync(failing, '#!/bin/sh\necho Unit is masked >&2\nexit 1\n', { mode: 0o755 });
      await assert.rejects(
        startServices(['lento.service']),
        /all is configured, but lento\.service does not run: .*masked/,
      );
    } finally {
      process.env['PATH'] = PATH;
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('is one for each sysid file of /etc/intermezzo', () => {
    const sysid = { name: 'a', psdev: '/dev/intermezzo0', place: { file: '' } };
    const planOf = (configDir: string) => ({
      configDir,
      files: [],
      sysids: new Map(['sysid', 'sysid.A1'].map((name) => [join(configDir, name), sysid])),
      servers: [],
      filesets: [],
      mounts: [],
      pairs: [],
      warnings: [],
    });
    assert.deepEqual(unitsOf(planOf('/etc/intermezzo')), ['lento.service', 'lento@A1.service']);
    assert.deepEqual(unitsOf(planOf('/srv/etc')), []);
  });
});

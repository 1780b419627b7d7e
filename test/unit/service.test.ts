import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasService, startService } from '../../src/core/setup/service.js';

describe('the service of lento', () => {
  it('is started and told of its new configuration, where there is one', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'izo-service-'));
    const { PATH } = process.env;
    try {
      assert.equal(hasService([directory], directory), false);
      writeFileSync(join(directory, 'lento.service'), '[Service]\n');
      assert.equal(hasService([directory], directory), true);
      const log = join(directory, 'log');
      writeFileSync(join(directory, 'systemctl'), `#!/bin/sh\necho "$@" >> ${log}\n`, {
        mode: 0o755,
      });
      process.env['PATH'] = `${directory}:${PATH ?? ''}`;
      await startService();
      assert.equal(
        readFileSync(log, 'utf8'),
        'enable --now lento.service\nreload-or-restart lento.service\n',
      );
    } finally {
      process.env['PATH'] = PATH;
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

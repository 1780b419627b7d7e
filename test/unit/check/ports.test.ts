import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { isTaken, parseListeners } from '../../../src/core/check/probe/ports.js';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n';
const TCP = `${HEAD}   0: 0300A8C0:08AE 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0
   1: 0100007F:0016 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0
`;
const TCP6 = `${HEAD}   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 0
   1: 000000FD000000000000000003000000:08AE 00000000000000000000000000000000:0000 0A 0
`;

describe('ports that are taken', () => {
  const listeners = [...parseListeners(TCP), ...parseListeners(TCP6)];

  it('are those of listeners, not of connections', () => {
    assert.deepEqual(listeners, [
      { address: '192.168.0.3', port: 2222 },
      { address: '::', port: 80 },
      { address: 'fd00:0:0:0:0:0:0:3', port: 2222 },
    ]);
  });

  it('meet the same address, however it is written, and every unspecified one', () => {
    assert.ok(isTaken('192.168.0.3', 2222, listeners));
    assert.ok(isTaken('fd00::3', 2222, listeners));
    assert.ok(isTaken('::', 2222, listeners));
    assert.ok(isTaken('192.168.0.9', 80, listeners));
    assert.ok(!isTaken('192.168.0.4', 2222, listeners));
    assert.ok(!isTaken('192.168.0.3', 2223, listeners));
  });

  it('are those of this host', async () => {
    for (const address of ['127.0.0.1', '127.0.0.2']) {
      const server = createServer().listen(0, address);
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const file = '/proc/net/tcp';
      assert.ok(isTaken(address, port, parseListeners(readFileSync(file, 'latin1'))), address);
      server.close();
      await once(server, 'close');
    }
  });
});

#!/usr/bin/env node
/**
 * As much of ssh as `A | ssh HOST B` takes, between hosts that trust each other: `ssh.mjs HOST WORDS...` runs them there,
 * `ssh.mjs` alone is the server.
 */
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';

const PORT = 22;
const [host, ...words] = process.argv.slice(2);

if (host === undefined) {
  createServer({ allowHalfOpen: true }, (socket) => {
    socket.once('data', (first) => {
      const end = first.indexOf('\n');
      const child = spawn('sh', ['-c', first.toString('utf8', 0, end)], { cwd: '/root' });
      child.stdin.write(first.subarray(end + 1));
      socket.pipe(child.stdin);
      for (const output of [child.stdout, child.stderr]) output.pipe(socket, { end: false });
      child.once('close', (code) => socket.end(`\n=> ${code}`));
    });
  }).listen(PORT);
} else {
  const socket = connect({ host, port: PORT, allowHalfOpen: true });
  socket.write(`${words.join(' ')}\n`);
  process.stdin.pipe(socket);
  let answer = '';
  socket.setEncoding('utf8').on('data', (text) => (answer += text));
  socket.once('end', () => {
    const [, output = answer, code = '255'] = /^([^]*)\n=> (\d+)$/.exec(answer) ?? [];
    process.stdout.write(output);
    process.exitCode = Number(code);
  });
}

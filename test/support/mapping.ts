import assert from 'node:assert/strict';
import { declare, Memory } from '../../src/core/system/native.js';

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MS_SYNC = 4;

const c = {
  mmap: declare('int64 mmap(uint64, uint64, int, int, int, int64)'),
  munmap: declare('int munmap(uint64, uint64)'),
  msync: declare('int msync(uint64, uint64, int)'),
  memcpy: declare('uint64 memcpy(uint64, uint64, uint64)'),
};
const bytes = new Memory(4096);

/** A shared mapping of a file's beginning, see mmap(2). */
export class Mapping {
  readonly #address: number;

  constructor(
    fd: number,
    readonly length: number,
    writable: boolean,
  ) {
    const protection = PROT_READ | (writable ? PROT_WRITE : 0);
    this.#address = c.mmap(0, length, protection, MAP_SHARED, fd, 0);
    if (this.#address < 0) throw Object.assign(new Error('it cannot be mapped'), { code: 'mmap' });
  }

  read(offset: number, length: number): string {
    c.memcpy(bytes.address, this.#address + offset, length);
    return bytes.buffer.toString('latin1', 0, length);
  }

  write(offset: number, text: string): void {
    bytes.putString(text);
    c.memcpy(this.#address + offset, bytes.address, text.length);
  }

  sync(): void {
    assert.equal(c.msync(this.#address, this.length, MS_SYNC), 0);
  }

  unmap(): void {
    assert.equal(c.munmap(this.#address, this.length), 0);
  }
}

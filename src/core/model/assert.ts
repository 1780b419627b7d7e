/** Thrown where the program itself is wrong. Assertions stay on in production: better to stop than to go on wrong. */
export class AssertionFailure extends Error {
  constructor(message: string) {
    super(`izo has a bug: ${message}`);
    this.name = 'AssertionFailure';
  }
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

/** For the default branch of a switch that must cover everything. */
export function unreachable(value: never): never {
  throw new AssertionFailure(`unexpected ${JSON.stringify(value)}`);
}

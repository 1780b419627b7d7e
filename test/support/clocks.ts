/** Of the Debian package faketime; the dynamic linker knows what $LIB is. */
const LIBRARY = '/usr/$LIB/faketime/libfaketime.so.1';

/** The environment of programs whose clock is wrong by so many hours. */
export function clockAhead(hours: number): Record<string, string> {
  return {
    LD_PRELOAD: LIBRARY,
    FAKETIME: `${hours < 0 ? '' : '+'}${hours}h`,
    // Only what says which day it is; and files have the times that they have.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
  };
}

/** All programs that are started while `act` runs have such a clock. */
export async function byClockAhead<T>(hours: number, act: () => Promise<T>): Promise<T> {
  const environment = clockAhead(hours);
  Object.assign(process.env, environment);
  try {
    return await act();
  } finally {
    for (const name of Object.keys(environment)) Reflect.deleteProperty(process.env, name);
  }
}

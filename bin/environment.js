/**
 * Before anything else is loaded: where HOME or SHELL are not said, libraries look for them in /etc/passwd, and fail where that
 * has not got this user, as in a container or for what mount(8) calls. izo needs neither.
 */
import { homedir, userInfo } from 'node:os';

function orElse(name, value, find) {
  try {
    process.env[name] ?? find();
  } catch {
    process.env[name] = value;
  }
}

orElse('HOME', '/nonexistent', homedir);
orElse('SHELL', '/bin/sh', userInfo);
